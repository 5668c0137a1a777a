"""When a feed is polled, who polls it, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import RowNumber

from newsletter import conf
from newsletter.exceptions import FeedError, FeedGone
from newsletter.feeds.fetch import Fetched
from newsletter.feeds.models import WANTED, Feed, FeedQuerySet, FetchRecord, host_of
from newsletter.feeds.turns import queue_for, turns_of

HISTORY_DAYS = 90  # for how long exchanges are remembered
_WEEK = timedelta(days=7)
_JITTER = 0.1
# Longer than a fetch can take; afterwards a killed worker's feed is free again.
_CLAIM = timedelta(minutes=5)
# With the back-off at its longest this is more than two weeks without one success.
FAILURES_TO_STOP = 20
# A permanent redirect is believed when it was seen this often: some sites announce one during
# an outage (miniflux#1387 asks for following 301 at all; one sighting is too trusting).
MOVES_TO_BELIEVE = 3


@dataclass(frozen=True)
class Rhythm:
    """What decides when to come back."""

    articles_per_week: float = 0.0
    update_minutes: int | None = None  # ttl or sy:updatePeriod
    max_age: float | None = None  # seconds the answer is fresh
    retry_after: float | None = None  # seconds the publisher asks for
    pushed: bool = False  # a hub tells of news: polls only make sure


def next_poll(rhythm: Rhythm, now: datetime, *, jitter: float = 0.0) -> datetime:
    """When to poll next: twice as often as the feed publishes, within the settings' bounds.

    Never before the publisher allows it, and never after POLL_MAX_MINUTES unless the publisher
    itself asks for longer (it is heard for a week at most). `jitter`, 0 to 1, spreads feeds that
    were added together by up to a tenth of the interval.
    """
    shortest = timedelta(minutes=conf.get("POLL_MIN_MINUTES"))
    longest = timedelta(minutes=conf.get("POLL_MAX_MINUTES"))
    counts = rhythm.articles_per_week > 0 and not rhythm.pushed
    wanted = _WEEK / (2 * rhythm.articles_per_week) if counts else longest
    publisher = max(
        min(timedelta(minutes=min(rhythm.update_minutes or 0, 60 * 24 * 365)), _WEEK),
        min(timedelta(seconds=min(rhythm.max_age or 0, 1e8)), _WEEK),
        timedelta(seconds=rhythm.retry_after or 0),
    )
    # Room for the jitter below the upper bound: feeds at the bound need spreading most of all.
    interval = max(shortest, publisher, min(wanted, longest / (1 + _JITTER)))
    spread = interval * (1 + _JITTER * jitter)
    return now + max(publisher, min(spread, max(longest, shortest)))


def back_off(failures: int) -> timedelta:
    """How long to leave a feed alone after so many failures in a row."""
    longest = timedelta(minutes=conf.get("POLL_MAX_MINUTES"))
    shortest = timedelta(minutes=conf.get("POLL_MIN_MINUTES"))
    return min(shortest * 2 ** min(max(failures - 1, 0), 20), longest)


def claim(feed_id: int, now: datetime, *, only_if_due: bool = False) -> bool:
    """Take the feed for polling; False when another worker has it or asks its host.

    `only_if_due` is for a doorbell that may ring twice: by then the feed has been polled. What
    somebody waits for is due, paused or not.
    """
    host = Feed.objects.filter(pk=feed_id).values_list("host", flat=True).first()
    if host is None:
        return False
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    wanted = Feed.objects.filter(free, pk=feed_id)
    if only_if_due:
        due = Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=now)
        asked_for = Q(poll_wanted_at__gt=now - WANTED)
        wanted = wanted.filter(Q(due, state=Feed.State.ACTIVE) | asked_for)
    if host:
        # One statement on SQLite, which has one writer at a time.
        neighbours = Feed.objects.filter(host=host, claimed_until__gte=now).exclude(pk=feed_id)
        wanted = wanted.filter(~Exists(neighbours), ~Exists(turns_of(host, now)))
    with transaction.atomic():
        if host:
            queue_for(host)
        return bool(wanted.update(claimed_until=now + _CLAIM))


def claim_due(now: datetime, *, most: int, failing: int) -> list[Feed]:
    """Take up to `most` feeds that are due, one of each host; `failing` of them may be feeds that
    failed the last time, so that servers that hang leave room for the others.
    """
    due = Feed.objects.due(now)
    for _attempt in range(10):
        chosen = _one_of_each_host(due.filter(failures=0), now, most)
        if wanted := min(failing, most - len(chosen)):
            chosen += _one_of_each_host(due.filter(failures__gt=0), now, wanted)
        taken = [feed_id for feed_id in chosen if claim(feed_id, now, only_if_due=True)]
        if taken or not chosen:
            return list(Feed.objects.filter(pk__in=taken))
        # Another poller chose the same and was faster with each: what is due after those?
    return []


def waits_for_a_turn(feeds: FeedQuerySet, now: datetime) -> bool:
    """Whether the host of one of these is asked for something else just now."""
    return feeds.filter(Exists(turns_of(OuterRef("host"), now))).exists()


def _one_of_each_host(due: FeedQuerySet, now: datetime, most: int) -> list[int]:
    busy = Feed.objects.filter(host=OuterRef("host"), claimed_until__gte=now)
    turn = Window(RowNumber(), partition_by=[F("host")], order_by=["next_poll_at", "pk"])
    free = due.filter(~Exists(busy), ~Exists(turns_of(OuterRef("host"), now)))
    first = free.annotate(turn=turn).filter(turn=1)
    return list(first.values_list("pk", flat=True)[:most])


def release(feeds: Iterable[Feed]) -> None:
    """Let go of feeds that were claimed and not polled: another worker may take them at once."""
    Feed.objects.filter(pk__in=[feed.pk for feed in feeds]).update(claimed_until=None)


def record_success(
    feed: Feed,
    fetched: Fetched,
    *,
    now: datetime,
    rhythm: Rhythm,
    jitter: float,
    outcome: FetchRecord.Outcome = FetchRecord.Outcome.UNCHANGED,
    entries: int = 0,
    new: int = 0,
    changed: int = 0,
    skipped: int = 0,
) -> None:
    """Keep the validators and the history, and set the next poll. `feed` is saved."""
    if not fetched.not_modified:
        feed.etag = fetched.etag
        feed.last_modified = fetched.last_modified
        feed.body_hash = fetched.body_hash
    moved = _follow_move(feed, fetched)
    feed.host = host_of(fetched.url)
    feed.failures = 0
    feed.error = feed.error_code = ""
    feed.last_polled_at = feed.last_success_at = now
    if feed.state in {Feed.State.GONE, Feed.State.FAILING}:
        feed.state = Feed.State.ACTIVE
    feed.next_poll_at = next_poll(rhythm, now, jitter=jitter)
    feed.claimed_until = feed.poll_wanted_at = None
    fields = [*_AFTER_A_POLL, "moved_to", "moved_seen"]
    feed.save(update_fields=[*fields, "url"] if moved else fields)
    FetchRecord.objects.create(
        feed=feed,
        at=now,
        outcome=outcome,
        http_status=fetched.status,
        duration_ms=fetched.duration_ms,
        size=len(fetched.body),
        entries=entries,
        articles_new=new,
        articles_changed=changed,
        entries_skipped=skipped,
    )


_AFTER_A_POLL = [
    "etag", "last_modified", "body_hash", "failures", "error", "error_code", "last_polled_at",
    "last_success_at", "state", "next_poll_at", "claimed_until", "poll_wanted_at", "host",
]  # fmt: skip


def record_failure(feed: Feed, error: FeedError, *, now: datetime, duration_ms: int = 0) -> None:
    """Keep what went wrong in words for the editor, and come back later. `feed` is saved."""
    feed.failures += 1
    feed.host = host_of(feed.url)
    feed.error_code = error.code
    feed.error = str(error)
    feed.last_polled_at = now
    if isinstance(error, FeedGone):
        feed.state = Feed.State.GONE
    elif feed.failures >= FAILURES_TO_STOP and feed.state == Feed.State.ACTIVE:
        feed.state = Feed.State.FAILING
    wait = back_off(feed.failures)
    if error.retry_after:
        wait = max(wait, timedelta(seconds=error.retry_after))
    feed.next_poll_at = now + wait
    feed.claimed_until = feed.poll_wanted_at = None
    feed.save(update_fields=_AFTER_A_POLL)
    FetchRecord.objects.create(
        feed=feed,
        at=now,
        outcome=FetchRecord.Outcome.FAILED,
        http_status=error.http_status,
        duration_ms=duration_ms,
        error_code=error.code,
        error=str(error),
    )


def articles_per_week(feed: Feed, now: datetime) -> float:
    """How many articles the feed brought lately, by its own history."""
    since = now - 4 * _WEEK
    records = FetchRecord.objects.filter(feed=feed, at__gte=since, articles_new__gt=0)
    counts = list(records.values_list("articles_new", flat=True)[:500])
    # The first fetch brings the backlog, which says nothing about the rhythm.
    backlog = counts[-1] if counts and feed.created_at >= since else 0
    weeks = max((now - max(feed.created_at, since)) / _WEEK, 1.0)
    return (sum(counts) - backlog) / weeks


def prune_history(now: datetime, *, days: int = HISTORY_DAYS) -> int:
    """Forget exchanges older than `days`."""
    return FetchRecord.objects.filter(at__lt=now - timedelta(days=days)).delete()[0]


def _follow_move(feed: Feed, fetched: Fetched) -> bool:
    """Whether the feed has another address from now on."""
    moved = fetched.permanent_url or ""
    if not moved or moved == feed.url:
        feed.moved_to, feed.moved_seen = "", 0
        return False
    seen = feed.moved_seen + 1 if feed.moved_to == moved else 1
    feed.moved_seen = min(seen, MOVES_TO_BELIEVE)  # a small integer: not counted for ever
    feed.moved_to = moved[:1000]
    if feed.moved_seen < MOVES_TO_BELIEVE or len(moved) > 1000:
        return False
    if Feed.objects.filter(url=moved).exclude(pk=feed.pk).exists():
        return False  # that address is polled already; the editor sees `moved_to`
    feed.url, feed.moved_to, feed.moved_seen = moved, "", 0
    return True
