from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from newsletter.articles.addresses import check_addresses, doubtful
from newsletter.articles.ingest import ingest
from newsletter.articles.models import Article
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import parse
from tests.articles.conftest import Poll, post, rss
from tests.builders import NOW
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def dated(number: int, **more: str) -> str:
    return post(number, date=f"{number:02d} Jul 2026 07:30:12 +0000", **more)


def states() -> dict[str, str]:
    return dict(Article.objects.values_list("title", "state"))


def test_post_that_vanishes_from_the_middle_is_withdrawn(polled: Poll) -> None:
    polled(dated(13), dated(12), dated(11))
    polled(dated(13), dated(11), now=LATER)
    assert states() == {"Notizia 13": "new", "Notizia 12": "withdrawn", "Notizia 11": "new"}


def test_post_that_rolled_out_of_the_window_is_not_withdrawn(polled: Poll) -> None:
    polled(dated(12), dated(11), dated(10))
    polled(dated(14), dated(13), dated(12), now=LATER)
    assert set(states().values()) == {"new"}


def ask_the_doubtful(now: datetime) -> None:
    check_addresses(doubtful(now=now), now=now)


def test_latest_post_is_withdrawn_only_when_its_address_is_gone(
    polled: Poll, feed_server: FeedServer
) -> None:
    feed_server.serve("/", "<p>Il blog</p>")
    link = feed_server.serve("/posts/13/", "<p>Il testo</p>")
    polled(dated(13, link=link), dated(12), dated(11))
    polled(dated(12), dated(11), now=LATER)  # a cache's old copy of the feed
    ask_the_doubtful(LATER)
    assert states()["Notizia 13"] == "new"
    feed_server.serve("/posts/13/", "not here", status=404)
    later = LATER + timedelta(hours=3)
    polled(dated(12), dated(11), post(9, date="09 Jul 2026"), now=later)
    ask_the_doubtful(later)
    assert states()["Notizia 13"] == "withdrawn"
    # Gone for a while: its feed's word brings it back once its address agrees.
    feed_server.serve("/posts/13/", "<p>Di nuovo qui</p>")
    polled(dated(13, link=link), dated(12), dated(11), now=later + timedelta(hours=3))
    ask_the_doubtful(later + timedelta(hours=3))
    assert states()["Notizia 13"] == "new"


def test_taking_a_feed_in_asks_no_other_address(polled: Poll, feed_server: FeedServer) -> None:
    link = feed_server.serve("/posts/{n}/", "<p>Il testo</p>").replace("%7Bn%7D", "{n}")
    polled(dated(14, link=link), dated(13, link=link), dated(12), dated(11), dated(10))
    polled(dated(12), dated(11), dated(10), now=LATER)
    assert {request.path for request in feed_server.requests} == {"/feed/"}
    assert len(doubtful(now=LATER)) == 2


def test_address_that_says_nothing_keeps_the_latest_post(
    polled: Poll, feed_server: FeedServer
) -> None:
    link = feed_server.serve("/posts/13/", "come back later", status=503)
    polled(dated(13, link=link), dated(12), dated(11))
    polled(dated(12), dated(11), now=LATER)
    ask_the_doubtful(LATER)
    assert states()["Notizia 13"] == "new"
    assert doubtful(now=LATER + timedelta(days=1)) == []


def test_post_still_in_another_feed_is_not_withdrawn(polled: Poll) -> None:
    polled(dated(13), dated(12), dated(11))
    polled(dated(13), dated(12), dated(11), at="/category/salari/feed/")
    polled(dated(13), dated(11), at="/category/salari/feed/", now=LATER)
    assert set(states().values()) == {"new"}


def test_post_that_the_feed_never_listed_is_not_withdrawn(polled: Poll) -> None:
    """WordPress's interface also gives what a blog keeps out of its feed."""
    polled(dated(13), dated(11))
    kept_out = parse(rss(dated(12)).encode(), url="https://blog.example/wp-json/wp/v2/posts")
    ingest(Feed.objects.get(), kept_out, now=NOW, as_history=True)
    polled(dated(14), dated(13), dated(11), now=LATER)
    assert set(states().values()) == {"new"}


@pytest.mark.parametrize(
    "items",
    [
        (post(5, date="05 Jul 2026"), dated(13)),  # sorted by change
        (dated(13), post(99, date=""), post(5, date="05 Jul 2026")),  # undated
        (post(5, date="05 Jul 2026"),),  # lost everything else at once
        (),
    ],
    ids=["unordered", "undated", "many at once", "empty"],
)
def test_nothing_is_concluded_from_an_unclear_feed(polled: Poll, items: tuple[str, ...]) -> None:
    polled(dated(13), dated(12), dated(11), dated(10))
    polled(*items, now=LATER)
    assert "withdrawn" not in states().values()


def test_post_shown_again_returns_to_triage(polled: Poll) -> None:
    polled(dated(13), dated(12), dated(11))
    polled(dated(13), dated(11), now=LATER)
    polled(
        dated(13),
        dated(12),
        dated(11),
        post(10, date="10 Jul 2026"),
        now=LATER + timedelta(hours=2),
    )
    assert states()["Notizia 12"] == "new"
