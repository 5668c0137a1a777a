"""A post counts by when it came, whatever date it bears, and whichever way it came."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.articles.models import Article
from newsletter.articles.triage import triage
from newsletter.digests.compile import compile_digest
from newsletter.digests.content import content_of
from newsletter.digests.models import Newsletter
from tests.articles.conftest import Poll, post
from tests.builders import NOW, make_newsletter

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def issue(newsletter: Newsletter, now) -> set[str]:
    triage(Article.objects.to_triage().values_list("pk", flat=True), Article.State.ACCEPTED,
           by=None, now=now)  # fmt: skip
    digest = compile_digest(newsletter, slot=now, now=now)
    return {item.title for item in content_of(digest).items}


@pytest.mark.parametrize(
    "date",
    ["Mon, 05 Jan 2015 07:30:12 +0000", "", "domani forse", "Mon, 13 Jul 2099 07:30:12 +0000"],
    ids=["long ago", "undated", "unreadable", "future"],
)
def test_a_post_of_whatever_date_reaches_the_next_issue_once(polled: Poll, date: str) -> None:
    newsletter = make_newsletter()
    polled(post(1))
    assert issue(newsletter, NOW + timedelta(hours=1)) == {"Notizia 1"}
    polled(post(2, date=date), post(1), now=NOW + timedelta(hours=2))
    assert issue(newsletter, NOW + WEEK) == {"Notizia 2"}
    polled(post(3), post(2, date=date), post(1), now=NOW + WEEK + timedelta(hours=1))
    assert issue(newsletter, NOW + 2 * WEEK) == {"Notizia 3"}
