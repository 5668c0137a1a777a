from __future__ import annotations

import pytest

from newsletter.articles.backfill import backfill
from newsletter.articles.models import Article
from tests.articles.conftest import post, rss
from tests.builders import NOW, make_feed
from tests.servers import Answer, FeedServer, Request

pytestmark = pytest.mark.django_db


def test_all_pages_of_a_wordpress_feed_are_read(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", rss(post(5), post(4)))
    feed_server.serve("/feed/?paged=2", rss(post(4), post(3), post(2)))
    feed_server.serve("/feed/?paged=3", rss(post(1)))
    feed_server.serve("/feed/?paged=4", "gone", status=404)
    done = backfill(make_feed(url), now=NOW)
    assert (done.pages, done.new, done.error) == (3, 5, "")
    assert Article.objects.count() == 5
    # What no feed listed any more is no news for the next digest.
    assert Article.objects.filter(arrived_at=NOW).count() == 2


def test_server_that_ignores_the_parameter_is_asked_twice(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/?cat=7", rss(post(1))))
    feed_server.serve("/feed/", rss(post(1)))
    assert backfill(feed, now=NOW).new == 1
    assert [request.path for request in feed_server.requests] == [
        "/feed/?cat=7",
        "/feed/?cat=7&paged=2",
    ]


def test_page_that_fails_is_told_and_the_earlier_ones_are_kept(feed_server: FeedServer) -> None:
    def answer(request: Request) -> Answer:
        return Answer(500) if "paged" in request.path else Answer(200, rss(post(1)).encode())

    done = backfill(make_feed(feed_server.respond("/feed/", answer)), now=NOW)
    assert (done.pages, done.new) == (1, 1)
    assert "500" in done.error
