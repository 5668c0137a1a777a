"""Many hosts at once, each one request at a time, and none in another's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.articles import poller
from newsletter.articles.ingest import ask, poll, take_in
from newsletter.articles.models import Article
from newsletter.articles.poller import Polled
from newsletter.feeds.fetch import fetch
from newsletter.feeds.models import Feed, FetchRecord, Turn
from newsletter.feeds.polling import claim, claim_due, release
from newsletter.feeds.turns import host_turn
from tests.articles.conftest import post, rss
from tests.builders import NOW, make_feed
from tests.conftest import Named
from tests.servers import Answer, FeedServer, Request

pytestmark = pytest.mark.django_db(transaction=True)


def poll_due(seconds: float = 30) -> Polled:
    return poller.poll_due(clock=lambda: datetime.now(UTC), budget=timedelta(seconds=seconds))


class Busy:
    """Answers after a while, and counts how many requests it had in hand at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.most: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer:
        with self._held("all"), self._held(request.headers["host"]):
            time.sleep(self.seconds)
            return Answer(200, rss(post(1)).encode())

    @contextmanager
    def _held(self, name: str) -> Iterator[None]:
        with self._lock:
            self._now[name] = self._now.get(name, 0) + 1
            self.most[name] = max(self.most.get(name, 0), self._now[name])
        yield
        with self._lock:
            self._now[name] -= 1


def test_many_hosts_are_asked_at_once_each_one_request_at_a_time(
    named: Named, feed_server: FeedServer
) -> None:
    busy = Busy(0.3)
    feed_server.respond("/feed/", busy)
    feed_server.respond("/tag/feed/", busy)
    for number in range(8):
        make_feed(named(f"blog{number}.example/feed/"))
        make_feed(named(f"www.blog{number}.example/tag/feed/"))
    began = time.monotonic()
    assert poll_due().feeds == 16
    assert time.monotonic() - began < 16 * 0.3
    assert busy.most.pop("all") >= 6
    assert set(busy.most.values()) == {1}


def test_no_more_are_in_flight_than_the_setting_says(
    named: Named, feed_server: FeedServer, settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"POLL_IN_FLIGHT": 2}
    busy = Busy(0.05)
    feed_server.respond("/feed/", busy)
    for number in range(7):
        make_feed(named(f"blog{number}.example/feed/"))
    assert poll_due().feeds == 7
    assert busy.most["all"] == 2


def test_servers_that_hang_hold_nobody_up(
    named: Named, feed_server: FeedServer, settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"POLL_IN_FLIGHT": 4, "FETCH_TIMEOUT": 2.0}
    feed_server.respond("/hangs/", Busy(2.5))
    for number in range(3):
        make_feed(named(f"slow{number}.example/hangs/"), next_poll_at=NOW - timedelta(days=1))
    feed_server.serve("/feed/", rss(post(1)))
    good = [make_feed(named(f"good{number}.example/feed/")).pk for number in range(10)]
    began = datetime.now(UTC)
    polled = poll_due()
    assert (polled.feeds, polled.failed) == (13, 3)
    for feed in Feed.objects.filter(pk__in=good):
        assert feed.last_success_at is not None
        assert feed.last_success_at - began < timedelta(seconds=2)


def test_feeds_that_failed_get_at_most_half_of_the_places(named: Named) -> None:
    for number in range(6):
        make_feed(named(f"bad{number}.example/"), failures=1, next_poll_at=NOW - timedelta(days=1))
    good = {make_feed(named(f"good{number}.example/")).pk for number in range(2)}
    taken = claim_due(NOW, most=8, failing=4)
    assert len(taken) == 6
    assert good < {feed.pk for feed in taken}


def test_a_feed_whose_address_redirects_is_polled_with_its_neighbours_where_it_ends(
    named: Named, feed_server: FeedServer
) -> None:
    busy = Busy(0.2)
    feed_server.respond("/feed/", busy)
    for number in range(4):
        location = {"Location": named("platform.example/feed/")}
        feed_server.serve(f"/{number}/", status=302, headers=location)
        make_feed(named(f"blog{number}.example/{number}/"))
    poll_due()
    assert {feed.host for feed in Feed.objects.all()} == {"platform.example"}
    busy.most.clear()
    Feed.objects.update(next_poll_at=NOW)
    assert poll_due().feeds == 4
    assert set(busy.most.values()) == {1}


def test_a_host_that_an_errand_asks_is_polled_once_it_has_answered(
    named: Named, feed_server: FeedServer
) -> None:
    feed_server.serve("/feed/", rss(post(1)))
    feed = make_feed(named("www.blog.example/feed/"))
    now = datetime.now(UTC)
    with host_turn(named("blog.example/2026/07/a-post/"), now) as ours:
        assert ours
        assert not claim(feed.pk, now)
        assert claim_due(now, most=9, failing=9) == []
        assert poll_due(seconds=0.1).feeds == 0  # it waited, and was told to end
    assert feed_server.requests == []
    Turn.objects.create(name="host:blog.example", until=datetime.now(UTC) + timedelta(seconds=1))
    assert poll_due().articles == 1


def test_an_errand_does_not_ask_a_host_that_is_polled(named: Named) -> None:
    feed = make_feed(named("blog.example/feed/"))
    assert claim(feed.pk, NOW)
    with host_turn(named("www.blog.example/a-post/"), NOW) as ours:
        assert not ours
    release([feed])
    with host_turn(named("www.blog.example/a-post/"), NOW) as ours:
        assert ours


@pytest.mark.side_by_side
def test_polls_and_errands_of_one_host_never_meet(named: Named, feed_server: FeedServer) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("an in-memory database knows no waiting")
    busy = Busy(0.02)
    feed_server.respond("/feed/", busy)
    feed_server.respond("/post/", busy)
    feed = make_feed(named("blog.example/feed/"))
    url = named("blog.example/post/")
    until = time.monotonic() + 3

    def polls() -> int:
        done = 0
        while time.monotonic() < until:
            done += poll(feed.pk, now=datetime.now(UTC)) is not None
        connection.close()
        return done

    def errands() -> int:
        done = 0
        while time.monotonic() < until:
            with host_turn(url, datetime.now(UTC)) as ours:
                if ours:
                    fetch(url)
                    done += 1
        connection.close()
        return done

    with ThreadPoolExecutor(2) as two:
        counts = [two.submit(polls), two.submit(errands)]
    assert all(count.result() for count in counts)
    assert busy.most["all"] == 1


def test_large_answers_are_in_memory_a_few_at_a_time(
    named: Named, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "LARGE_AT_ONCE", 2)
    held, most = 0, 0
    lock = threading.Lock()

    def counting_ask(*args: Any) -> Any:
        nonlocal held, most
        reply = ask(*args)
        with lock:
            held += 1
            most = max(most, held)
        return reply

    def counting_take_in(*args: Any, **kwargs: Any) -> Any:
        nonlocal held
        time.sleep(0.2)  # time for others to come
        try:
            return take_in(*args, **kwargs)
        finally:
            with lock:
                held -= 1

    monkeypatch.setattr(poller, "ask", counting_ask)
    monkeypatch.setattr(poller, "take_in", counting_take_in)
    feed_server.serve("/feed/", rss(post(1)) + " " * 2_000_000)
    for number in range(6):
        make_feed(named(f"blog{number}.example/feed/"))
    polled = poll_due()
    assert (polled.feeds, polled.failed) == (6, 0)
    assert most == 2


def test_an_answer_that_is_too_large_gives_its_place_back(
    named: Named, feed_server: FeedServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "LARGE_AT_ONCE", 1)
    settings.NEWSLETTER = settings.NEWSLETTER | {"FETCH_MAX_BYTES": 2_000_000}
    feed_server.serve("/large/", " " * 3_000_000)
    feed_server.serve("/feed/", rss(post(1)) + " " * 1_500_000)
    for number in range(3):
        make_feed(named(f"large{number}.example/large/"))
        make_feed(named(f"good{number}.example/feed/"))
    polled = poll_due()
    assert (polled.feeds, polled.failed) == (6, 3)


@pytest.mark.side_by_side
def test_pollers_side_by_side_share_the_work(named: Named, feed_server: FeedServer) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("an in-memory database knows no waiting")
    feed_server.respond("/feed/", Busy(0.05))
    for number in range(30):
        make_feed(named(f"blog{number}.example/feed/"))

    def work(_number: int) -> int:
        try:
            return poll_due().feeds
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as two:
        counts = list(two.map(work, range(2)))
    assert sum(counts) == len(feed_server.requests) == FetchRecord.objects.count() == 30


def test_an_unchanged_feed_costs_its_own_row_and_a_line_of_history(
    named: Named, feed_server: FeedServer
) -> None:
    feed_server.serve("/feed/", rss(post(1)), headers={"ETag": '"1"'})
    feed = make_feed(named("blog.example/feed/"))
    poll_due()
    feed_server.serve("/feed/", status=304)
    feed.refresh_from_db()
    reply = ask(feed)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        take_in(feed, reply, now=NOW)
    written = [q["sql"] for q in queries if not q["sql"].startswith(("SELECT", "BEGIN", "SAVE"))]
    assert len(written) == 2
    assert written[0].startswith('UPDATE "newsletter_feed"')
    assert written[1].startswith('INSERT INTO "newsletter_fetchrecord"')


def test_nothing_is_polled_again_after_a_restart(named: Named, feed_server: FeedServer) -> None:
    feed_server.serve("/feed/", rss(post(1)))
    make_feed(named("blog.example/feed/"))
    assert poll_due().feeds == 1
    assert poll_due().feeds == 0
    assert len(feed_server.requests) == 1


def test_what_a_killed_poller_had_in_hand_is_due_again(
    named: Named, feed_server: FeedServer
) -> None:
    feed_server.serve("/feed/", rss(post(1)))
    feed = make_feed(named("blog.example/feed/"))
    killed_at = datetime.now(UTC) - timedelta(minutes=6)
    assert claim(feed.pk, killed_at)
    assert poll_due().articles == 1


def test_nothing_is_begun_once_the_worker_must_stop(named: Named, feed_server: FeedServer) -> None:
    feed_server.serve("/feed/", rss(post(1)))
    make_feed(named("blog.example/feed/"))
    now = datetime.now(UTC)
    poller.poll_due(clock=lambda: now, budget=timedelta(minutes=1), stop=lambda: True)
    assert feed_server.requests == []
    assert Feed.objects.get().claimed_until is None


def test_a_defect_of_ours_is_recorded_and_the_others_go_on(
    named: Named, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_server.serve("/feed/", rss(post(1)))
    broken = make_feed(named("broken.example/feed/"))
    make_feed(named("good.example/feed/"))

    def breaks(feed: Feed, *args: Any, **kwargs: Any) -> Any:
        if feed.pk == broken.pk:
            raise ZeroDivisionError
        return take_in(feed, *args, **kwargs)

    monkeypatch.setattr(poller, "take_in", breaks)
    assert poll_due().failed == 1
    assert Article.objects.count() == 1
    broken.refresh_from_db()
    assert broken.error_code == "defect"
    assert broken.claimed_until is None
    assert broken.next_poll_at > datetime.now(UTC)


def test_a_poller_that_breaks_lets_go_of_what_it_had_claimed(
    named: Named, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed_server.serve("/feed/", rss(post(1)))
    make_feed(named("blog.example/feed/"))

    def breaks(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(poller, "wait", breaks)
    with pytest.raises(KeyboardInterrupt):
        poll_due()
    assert Feed.objects.get().claimed_until is None
