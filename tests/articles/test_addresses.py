"""Before a digest goes, its articles' own addresses are asked whether they are still there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.articles.addresses import ASK_AGAIN, check_addresses
from newsletter.articles.models import Article
from newsletter.feeds.models import Feed
from newsletter.feeds.polling import claim
from tests.articles.conftest import Poll, post
from tests.builders import NOW, make_article, make_feed
from tests.servers import Answer, FeedServer, Request

pytestmark = pytest.mark.django_db
LATER = NOW + ASK_AGAIN


@pytest.fixture
def blog(feed_server: FeedServer) -> Feed:
    """A blog with a post that stays."""
    feed = make_feed(f"{feed_server.url}/feed/")
    make_article("Resta", url=feed_server.serve("/resta/", "<p>Qui</p>"), feed=feed)
    return feed


def asked(server: FeedServer, path: str) -> int:
    return sum(1 for request in server.requests if request.path == path)


def state(article: Article) -> str:
    article.refresh_from_db()
    return article.state


@pytest.mark.parametrize("status", [404, 410])
def test_article_missing_twice_is_withdrawn(
    feed_server: FeedServer, blog: Feed, status: int
) -> None:
    article = make_article(url=feed_server.serve("/via/", status=status), feed=blog)
    check_addresses([article.pk], now=NOW)
    assert state(article) == "accepted"
    check_addresses([article.pk], now=NOW + timedelta(minutes=5))
    assert asked(feed_server, "/via/") == 1
    check_addresses([article.pk], now=LATER)
    assert state(article) == "withdrawn"


@pytest.mark.parametrize("status", [200, 401, 403, 429, 500, 503])
def test_any_other_answer_withdraws_nothing(
    feed_server: FeedServer, blog: Feed, status: int
) -> None:
    article = make_article(url=feed_server.serve("/post/", "x", status=status), feed=blog)
    for hours in range(0, 40, 4):
        check_addresses([article.pk], now=NOW + timedelta(hours=hours))
    assert asked(feed_server, "/post/") == 10
    assert state(article) == "accepted"


def test_no_answer_withdraws_nothing(blog: Feed) -> None:
    article = make_article(url="http://127.0.0.1:9/post/", feed=blog)
    for hours in range(0, 12, 4):
        check_addresses([article.pk], now=NOW + timedelta(hours=hours))
    assert state(article) == "accepted"


def test_article_that_was_missing_for_a_moment_only_stays(
    feed_server: FeedServer, blog: Feed
) -> None:
    article = make_article(url=feed_server.serve("/post/", status=404), feed=blog)
    check_addresses([article.pk], now=NOW)
    feed_server.serve("/post/", "<p>Di nuovo qui</p>")
    check_addresses([article.pk], now=LATER)
    feed_server.serve("/post/", status=404)
    check_addresses([article.pk], now=LATER + timedelta(hours=4))
    assert state(article) == "accepted"


def test_site_that_answers_404_to_everything_is_believed_nothing(
    feed_server: FeedServer, blog: Feed
) -> None:
    feed_server.serve("/resta/", status=404)
    feed_server.serve("/", "<p>The front page works</p>")  # its links are what is broken
    article = make_article(url=f"{feed_server.url}/post/", feed=blog)
    for minutes in range(0, 24 * 60, 30):
        check_addresses([article.pk], now=NOW + timedelta(minutes=minutes))
    assert state(article) == "accepted"


def test_site_that_hides_from_our_name_is_believed_nothing(
    feed_server: FeedServer, blog: Feed
) -> None:
    def answer(request: Request) -> Answer:
        return Answer(404 if "Bollettino" in request.headers["user-agent"] else 200)

    feed_server.respond("/resta/", answer)
    article = make_article(url=feed_server.respond("/post/", answer), feed=blog)
    check_addresses([article.pk], now=NOW)
    check_addresses([article.pk], now=LATER)
    assert state(article) == "accepted"


@pytest.mark.parametrize(("front", "expected"), [(200, "withdrawn"), (404, "accepted")])
def test_where_we_know_no_other_article_the_front_page_is_asked(
    feed_server: FeedServer, front: int, expected: str
) -> None:
    feed_server.serve("/", "x", status=front)
    article = make_article(url=f"{feed_server.url}/post/", feed=make_feed())
    check_addresses([article.pk], now=NOW)
    check_addresses([article.pk], now=LATER)
    assert state(article) == expected


def test_each_address_is_asked_once_in_some_hours(feed_server: FeedServer, blog: Feed) -> None:
    article = make_article(url=feed_server.serve("/post/", "x"), feed=blog)
    for minutes in range(0, 179, 10):
        check_addresses([article.pk], now=NOW + timedelta(minutes=minutes))
    assert asked(feed_server, "/post/") == 1
    check_addresses([article.pk], now=NOW + timedelta(minutes=181))
    assert asked(feed_server, "/post/") == 2


def test_article_that_is_there_again_returns_to_triage(feed_server: FeedServer, blog: Feed) -> None:
    article = make_article(url=feed_server.serve("/post/", status=404), feed=blog)
    check_addresses([article.pk], now=NOW)
    check_addresses([article.pk], now=LATER)
    feed_server.serve("/post/", "<p>Di nuovo qui</p>")
    check_addresses([article.pk], now=LATER + timedelta(hours=4))
    assert state(article) == "new"


def test_what_an_editor_rejected_is_not_asked(feed_server: FeedServer, blog: Feed) -> None:
    article = make_article(url=f"{feed_server.url}/post/", feed=blog, state="rejected")
    check_addresses([article.pk], now=NOW)
    assert feed_server.requests == []


def test_old_copy_of_the_feed_does_not_bring_a_missing_post_back(
    polled: Poll, feed_server: FeedServer, blog: Feed
) -> None:
    link = feed_server.serve("/posts/1/", status=404)
    polled(post(1, link=link), post(2, link=f"{feed_server.url}/resta/"), at="/feed/")
    article = Article.objects.get(title="Notizia 1")
    check_addresses([article.pk], now=NOW)
    check_addresses([article.pk], now=LATER)
    assert state(article) == "withdrawn"
    polled(post(3), post(1, link=link), at="/feed/", now=LATER + timedelta(hours=1))
    assert state(article) == "withdrawn"


def test_host_that_is_being_polled_is_asked_later(feed_server: FeedServer, blog: Feed) -> None:
    article = make_article(url=feed_server.serve("/post/", "x"), feed=blog)
    claim(blog.pk, NOW)
    check_addresses([article.pk], now=NOW)
    assert feed_server.requests == []
    check_addresses([article.pk], now=NOW + timedelta(minutes=10))
    assert asked(feed_server, "/post/") == 1
