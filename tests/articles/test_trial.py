"""What a feed would bring, before it is added."""

from __future__ import annotations

import pytest

from newsletter.articles.models import Article
from newsletter.articles.trial import Trial, try_out
from newsletter.feeds.parse import parse
from tests.articles.conftest import LONG, Poll, post, rss

pytestmark = pytest.mark.django_db
URL = "https://blog.example/feed/"


def trial(*items: str, count: int = 5) -> Trial:
    return try_out(parse(rss(*items).encode(), url=URL), url=URL, count=count)


def test_entries_are_shown_as_the_articles_they_would_be_and_nothing_is_stored() -> None:
    found = trial(post(1), post(2), post(3), count=2)
    assert [sample.made.title for sample in found.samples] == ["Notizia 1", "Notizia 2"]
    assert found.samples[0].made.published_at is not None
    assert (found.entries, found.known, found.undated) == (3, 0, 0)
    assert not Article.objects.exists()


def test_a_post_that_another_feed_has_brought_is_known(polled: Poll) -> None:
    polled(post(2), at="/category/feed/")
    found = trial(post(1), post(2))
    assert found.known == 1
    assert [bool(sample.known) for sample in found.samples] == [False, True]


def test_a_post_that_was_deleted_here_is_not_called_known(polled: Poll) -> None:
    polled(post(2), at="/category/feed/")
    Article.objects.all().delete()
    assert trial(post(2)).known == 0


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([post(1), post(2)], True),
        ([post(n, text="", summary="Poche parole […]") for n in (1, 2)], False),
        ([post(1, text=f"{LONG} […]"), post(2)], None),
        ([post(1, text="", summary=LONG * 5)], True),
        ([], False),
    ],
)
def test_it_says_whether_the_feed_gives_the_full_text(
    items: list[str], expected: bool | None
) -> None:
    assert trial(*items).full_text is expected


def test_posts_without_a_date_are_counted() -> None:
    assert trial(post(1, date=""), post(2)).undated == 1
