"""What a publisher's answers say of when and where to come again, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from newsletter.articles.ingest import poll
from newsletter.feeds.models import Feed, FetchRecord
from tests.articles.conftest import post, rss
from tests.builders import NOW, make_feed
from tests.polled import poll_now
from tests.servers import Answer, FeedServer, Request

pytestmark = pytest.mark.django_db


def polled_at(feed: Feed, now: datetime) -> Feed:
    poll_now(feed.pk, now=now)
    feed.refresh_from_db()
    return feed


def in_two_days() -> str:
    # The server's own Date is the present; a little more, as the tests may take their time.
    return format_datetime(datetime.now(UTC) + timedelta(hours=50), usegmt=True)


def wait(feed: Feed, now: datetime = NOW) -> timedelta:
    assert feed.next_poll_at is not None
    return feed.next_poll_at - now


@pytest.mark.parametrize(
    ("channel", "headers", "hours"),
    [
        ("<ttl>2880</ttl>", {}, 48),
        (
            '<sy:updatePeriod xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">weekly'
            "</sy:updatePeriod>",
            {},
            168,
        ),
        ("", {"Cache-Control": "max-age=172800"}, 48),
        ("", {"Expires": in_two_days()}, 48),
        ("<ttl>60</ttl>", {"Cache-Control": "max-age=172800"}, 48),
        ("<ttl>9999999</ttl>", {"Cache-Control": "max-age=99999999"}, 168),
    ],
    ids=["ttl", "sy:updatePeriod", "max-age", "Expires", "the longest counts", "at most a week"],
)  # fmt: skip
def test_a_feed_is_left_alone_as_long_as_it_asks(
    feed_server: FeedServer, channel: str, headers: dict[str, str], hours: int
) -> None:
    body = rss(post(1), channel=channel).encode()
    served = {"Content-Type": "text/xml", **headers}
    url = feed_server.respond("/feed/", lambda request: Answer(200, body, served))
    feed = polled_at(make_feed(url), NOW)
    assert timedelta(hours=hours) <= wait(feed) <= timedelta(hours=hours * 1.1 + 0.1)


def test_what_an_unchanged_feed_said_of_its_rhythm_is_remembered(feed_server: FeedServer) -> None:
    url = feed_server.serve(
        "/feed/", rss(post(1), channel="<ttl>2880</ttl>"), headers={"ETag": "1"}
    )
    feed = polled_at(make_feed(url), NOW)
    feed_server.serve("/feed/", status=304)
    later = NOW + timedelta(days=2)
    assert wait(polled_at(feed, later), later) >= timedelta(hours=48)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_concerns_that_feed_alone(feed_server: FeedServer, status: int) -> None:
    busy = make_feed(
        feed_server.serve("/tag/feed/", status=status, headers={"Retry-After": "90000"})
    )
    main = make_feed(feed_server.serve("/feed/", rss(post(1))))
    assert wait(polled_at(busy, NOW)) == timedelta(seconds=90_000)
    assert poll(main.pk, now=NOW) is not None
    assert polled_at(main, NOW).error == ""


def test_retry_after_may_be_a_date(feed_server: FeedServer) -> None:
    until = datetime.now(UTC) + timedelta(hours=30)
    url = feed_server.serve(
        "/feed/", status=503, headers={"Retry-After": format_datetime(until, usegmt=True)}
    )
    assert timedelta(hours=29.9) < wait(polled_at(make_feed(url), NOW)) <= timedelta(hours=30)


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_never_becomes_the_address(
    feed_server: FeedServer, status: int
) -> None:
    feed_server.serve("/elsewhere/", rss(post(1)))
    url = feed_server.serve("/feed/", status=status, headers={"Location": "/elsewhere/"})
    feed = make_feed(url)
    for day in range(6):
        polled_at(feed, NOW + timedelta(days=day))
    assert (feed.url, feed.moved_to) == (url, "")
    assert feed.error == ""


def test_a_move_that_is_taken_back_is_forgotten(feed_server: FeedServer) -> None:
    feed_server.serve("/new/", rss(post(1)))
    url = feed_server.serve("/feed/", status=301, headers={"Location": "/new/"})
    feed = make_feed(url)
    for day in range(2):
        polled_at(feed, NOW + timedelta(days=day))
    feed_server.serve("/feed/", rss(post(1)))
    assert polled_at(feed, NOW + timedelta(days=2)).moved_to == ""
    feed_server.serve("/feed/", status=301, headers={"Location": "/new/"})
    assert polled_at(feed, NOW + timedelta(days=3)).url == url


def test_an_etag_that_a_proxy_alters_does_not_make_the_feed_new(feed_server: FeedServer) -> None:
    body = rss(post(1)).encode()
    served: list[str] = []

    def answer(request: Request) -> Answer:
        served.append(request.headers.get("if-none-match", ""))
        return Answer(200, body, {"ETag": f'W/"1-gzip-{len(served)}"'})

    feed = make_feed(feed_server.respond("/feed/", answer))
    for day in range(3):
        polled_at(feed, NOW + timedelta(days=day))
    assert served == ["", 'W/"1-gzip-1"', 'W/"1-gzip-2"']
    assert [record.entries for record in FetchRecord.objects.order_by("at")] == [1, 0, 0]


def test_each_exchange_leaves_a_line_of_history(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", rss(post(1), post(2))))
    polled_at(feed, NOW)
    feed_server.serve("/feed/", status=500)
    polled_at(feed, NOW + timedelta(hours=1))
    feed_server.serve("/feed/", rss(post(1), post(2), post(3)))
    polled_at(feed, NOW + timedelta(hours=2))
    lines = FetchRecord.objects.order_by("at").values_list(
        "outcome", "http_status", "articles_new", "error_code"
    )
    assert list(lines) == [
        ("new", 200, 2, ""),
        ("failed", 500, 0, "http_500"),
        ("new", 200, 1, ""),
    ]
    assert (feed.failures, feed.error) == (0, "")


def test_validators_outlive_a_failure(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", rss(post(1)), headers={"ETag": '"1"'}))
    polled_at(feed, NOW)
    feed_server.serve("/feed/", status=502)
    polled_at(feed, NOW + timedelta(hours=1))
    polled_at(feed, NOW + timedelta(hours=2))
    assert feed_server.requests[-1].headers["if-none-match"] == '"1"'
