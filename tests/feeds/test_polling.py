from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from newsletter.exceptions import FeedUnreachable
from newsletter.feeds.health import troubled
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.feeds.polling import (
    FAILURES_TO_STOP,
    Rhythm,
    articles_per_week,
    back_off,
    claim,
    next_poll,
    prune_history,
    record_failure,
)
from tests.builders import NOW, make_feed


def test_busy_feed_is_polled_often_and_a_quiet_one_once_a_day() -> None:
    assert next_poll(Rhythm(articles_per_week=100_000), NOW) == NOW + timedelta(minutes=5)
    assert next_poll(Rhythm(articles_per_week=84), NOW) == NOW + timedelta(hours=1)
    assert next_poll(Rhythm(articles_per_week=0), NOW, jitter=1.0) == NOW + timedelta(days=1)


@pytest.mark.parametrize("jitter", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("per_week", [0, 0.1, 3.5, 3.7, 20, 1e6])
@pytest.mark.parametrize("publisher", [{}, {"update_minutes": 1440}, {"max_age": 86_000}])
def test_at_the_latest_after_a_day(jitter: float, per_week: float, publisher: Any) -> None:
    rhythm = Rhythm(articles_per_week=per_week, **publisher)
    wait = next_poll(rhythm, NOW, jitter=jitter) - NOW
    assert timedelta(minutes=5) <= wait <= timedelta(days=1)


@pytest.mark.parametrize(
    "rhythm",
    [
        Rhythm(articles_per_week=10_000, update_minutes=360),
        Rhythm(articles_per_week=10_000, max_age=6 * 3600),
        Rhythm(articles_per_week=10_000, update_minutes=60, max_age=6 * 3600),
    ],
)
def test_never_before_the_publisher_allows(rhythm: Rhythm) -> None:
    for jitter in (0.0, 0.5, 1.0):
        assert next_poll(rhythm, NOW, jitter=jitter) >= NOW + timedelta(hours=6)


def test_later_than_a_day_only_when_the_publisher_asks_for_it_and_never_beyond_a_week() -> None:
    assert next_poll(Rhythm(update_minutes=2 * 1440), NOW) == NOW + timedelta(days=2)
    assert next_poll(Rhythm(update_minutes=525_600), NOW) == NOW + timedelta(days=7)


def test_jitter_spreads_by_a_tenth() -> None:
    busy = Rhythm(articles_per_week=84)
    assert next_poll(busy, NOW, jitter=1.0) == NOW + timedelta(minutes=66)
    # Quiet feeds, which wait the longest, are spread as well.
    apart = next_poll(Rhythm(), NOW, jitter=1.0) - next_poll(Rhythm(), NOW)
    assert apart > timedelta(hours=2)


def test_back_off_doubles_up_to_a_day() -> None:
    waits = [back_off(failures) for failures in range(1, 40)]
    assert waits[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert waits[-1] == timedelta(days=1)


@pytest.mark.django_db
def test_feed_stops_only_after_a_long_run_of_failures() -> None:
    feed = make_feed()
    error = FeedUnreachable("http_500", "…", http_status=500)
    for _ in range(FAILURES_TO_STOP - 1):
        record_failure(feed, error, now=NOW)
    assert feed.state == Feed.State.ACTIVE
    record_failure(feed, error, now=NOW)
    assert feed.state == Feed.State.FAILING


@pytest.mark.django_db
def test_one_claim_at_a_time() -> None:
    feed = make_feed()
    assert claim(feed.pk, NOW)
    assert not claim(feed.pk, NOW)
    assert claim(feed.pk, NOW + timedelta(hours=1))


@pytest.mark.django_db
def test_host_is_asked_by_one_worker_at_a_time() -> None:
    main = make_feed("https://www.blog.example/feed/")
    category = make_feed("https://blog.example/category/x/feed/")
    other = make_feed("https://altro.example/feed/")
    assert claim(main.pk, NOW, only_if_due=True)
    assert not claim(category.pk, NOW, only_if_due=True)
    assert claim(other.pk, NOW, only_if_due=True)


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_in_the_same_instant_share_no_host() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("an in-memory database knows no waiting")
    feeds = [make_feed(f"https://blog.example/{number}/feed/") for number in range(6)]
    start = threading.Barrier(len(feeds))

    def work(feed_id: int) -> bool:
        try:
            start.wait(10)
            return claim(feed_id, NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(feeds)) as pool:
        taken = list(pool.map(work, [feed.pk for feed in feeds]))
    assert taken.count(True) == 1


@pytest.mark.django_db
def test_backlog_of_the_first_fetch_says_nothing_of_the_rhythm() -> None:
    feed = make_feed()
    Feed.objects.filter(pk=feed.pk).update(created_at=NOW - timedelta(weeks=2))
    feed.refresh_from_db()
    for days_ago, new in ((14, 500), (10, 2), (3, 2)):
        FetchRecord.objects.create(
            feed=feed,
            at=NOW - timedelta(days=days_ago),
            outcome=FetchRecord.Outcome.NEW,
            articles_new=new,
        )
    assert articles_per_week(feed, NOW) == 2


@pytest.mark.django_db
def test_old_history_is_forgotten() -> None:
    feed = make_feed()
    for days_ago in (1, 100):
        FetchRecord.objects.create(
            feed=feed, at=NOW - timedelta(days=days_ago), outcome=FetchRecord.Outcome.UNCHANGED
        )
    prune_history(NOW)
    assert FetchRecord.objects.count() == 1


@pytest.mark.django_db
def test_editors_hear_of_a_failure_only_when_it_persists() -> None:
    feed = make_feed()
    error = FeedUnreachable("timeout", "…")
    Feed.objects.update(created_at=NOW)
    later = NOW + timedelta(days=2)
    for _ in range(2):
        record_failure(feed, error, now=NOW)
    assert not troubled(now=later).exists()
    record_failure(feed, error, now=NOW)
    assert troubled(now=later).get() == feed
    assert not troubled(now=NOW + timedelta(hours=3)).exists()
    Feed.objects.update(state=Feed.State.PAUSED)
    assert not troubled(now=later).exists()
