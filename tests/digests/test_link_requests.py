"""Somebody wants to know now where a draft's links lead: a worker asks, and they are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.digests.following import FollowedLink
from newsletter.digests.link_requests import PATIENCE, LinkRequest, answer, ask, waiting
from newsletter.digests.models import Digest
from newsletter.feeds.models import Turn
from tests.builders import NOW, make_article, make_digest, make_newsletter
from tests.conftest import Named
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def digest(feed_server: FeedServer) -> Digest:
    feed_server.serve("/bene/", "<p>Eccomi</p>")
    articles = [
        make_article(title, url=f"{feed_server.url}/{title}/") for title in ("bene", "sparito")
    ]
    return make_digest(make_newsletter(), articles=articles, slot=NOW + timedelta(days=9))


def request_of(digest: Digest) -> LinkRequest:
    return LinkRequest.objects.get(digest=digest)


def test_a_worker_follows_what_was_asked_for_and_notes_that_it_did(
    digest: Digest, feed_server: FeedServer
) -> None:
    ask(digest.pk, now=NOW)
    assert feed_server.requests == []
    assert not answer(digest.pk, now=NOW + SECOND, seconds=20)
    assert request_of(digest).answered_at == NOW + SECOND
    assert sorted(FollowedLink.objects.values_list("verdict", flat=True)) == ["alive", "dead"]
    feed_server.requests.clear()
    answer(digest.pk, now=NOW + 2 * SECOND, seconds=20)
    assert feed_server.requests == []


def test_what_was_not_there_before_is_asked_again(digest: Digest, feed_server: FeedServer) -> None:
    ask(digest.pk, now=NOW)
    answer(digest.pk, now=NOW + SECOND, seconds=20)
    feed_server.serve("/sparito/", "<p>Di nuovo qui</p>")
    feed_server.requests.clear()
    ask(digest.pk, now=NOW + 5 * SECOND)
    answer(digest.pk, now=NOW + 6 * SECOND, seconds=20)
    assert [request.path for request in feed_server.requests] == ["/sparito/"]
    assert not FollowedLink.objects.exclude(verdict="alive").exists()


def test_a_host_that_is_asked_something_else_has_its_turn_later(digest: Digest) -> None:
    Turn.objects.create(name="host:127.0.0.1", until=NOW + timedelta(minutes=1))
    ask(digest.pk, now=NOW)
    assert not answer(digest.pk, now=NOW + SECOND, seconds=20)
    assert request_of(digest).answered_at is None
    answer(digest.pk, now=NOW + timedelta(minutes=2), seconds=20)
    assert request_of(digest).answered_at


def test_when_time_is_up_it_goes_on_at_once_and_is_not_called_answered(named: Named) -> None:
    articles = [make_article(str(n), url=named(f"uno.example/{n}")) for n in range(3)]
    digest = make_digest(make_newsletter(), articles=articles, slot=NOW)
    ask(digest.pk, now=NOW)
    assert answer(digest.pk, now=NOW + SECOND, seconds=0.001)
    assert request_of(digest).answered_at is None


def test_what_nobody_could_answer_in_time_is_given_up(
    digest: Digest, feed_server: FeedServer
) -> None:
    ask(digest.pk, now=NOW)
    later = NOW + PATIENCE + SECOND
    assert list(waiting(later)) == []
    assert not answer(digest.pk, now=later, seconds=20)
    assert feed_server.requests == []
