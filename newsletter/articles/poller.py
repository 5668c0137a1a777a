"""Polls many hosts at once, each host one request at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Semaphore

from newsletter import conf
from newsletter.articles.ingest import Ingested, Reply, ask, note_defect, take_in
from newsletter.feeds.memory import Place
from newsletter.feeds.models import Feed
from newsletter.feeds.polling import claim, claim_due, release, waits_for_a_turn

log = logging.getLogger(__name__)

# So long it sleeps at most before it looks again for feeds that became due.
_LOOK_AGAIN = 1.0
# Of answers that may be as large as FETCH_MAX_BYTES, so many are in memory.
LARGE_AT_ONCE = 4

# Claims what to ask next, at most so many, beside what is being asked; None: nothing, ever.
Choose = Callable[[int, Collection[Feed]], "list[Feed] | None"]
# Is told of each feed that was polled; None: it failed.
Took = Callable[[Feed, "Ingested | None"], None]


@dataclass
class Polled:
    feeds: int = 0
    failed: int = 0
    articles: int = 0  # new or changed


def poll_due(
    *,
    clock: Callable[[], datetime],
    budget: timedelta,
    stop: Callable[[], bool] = lambda: False,
) -> Polled:
    """Poll until nothing is due. After `budget`, or when told to stop, nothing more is begun.

    Any number of pollers may run side by side. What one had in hand when it was killed is due
    again as soon as its claim ends.
    """
    until = clock() + budget
    polled = Polled()

    def choose(most: int, asked: Collection[Feed]) -> list[Feed] | None:
        now = clock()
        if now >= until or stop():
            return None
        failing = sum(1 for feed in asked if feed.failures)
        due = claim_due(now, most=most, failing=max(_slots() // 2, 1) - failing)
        return due if due or waits_for_a_turn(Feed.objects.due(now), now) else None

    def took(feed: Feed, taken: Ingested | None) -> None:
        polled.feeds += 1
        if taken is None:
            polled.failed += 1
        else:
            polled.articles += len(taken.new) + len(taken.changed)

    _poll(choose, took, clock=clock)
    return polled


def poll_these(feeds: Iterable[Feed], *, clock: Callable[[], datetime], took: Took) -> list[Feed]:
    """Poll these, due or not and in any state; those that another worker has are given back."""
    waiting = {feed.pk: feed for feed in feeds}

    def choose(most: int, asked: Collection[Feed]) -> list[Feed] | None:
        now = clock()
        busy = {feed.host for feed in asked} - {""}
        taken: list[int] = []
        for feed in list(waiting.values()):
            if len(taken) < most and feed.host not in busy and claim(feed.pk, now):
                taken.append(feed.pk)
                busy |= {feed.host} - {""}
                del waiting[feed.pk]
        if taken or waits_for_a_turn(Feed.objects.filter(pk__in=waiting), now):
            return list(Feed.objects.filter(pk__in=taken))
        return None

    _poll(choose, took, clock=clock)
    return list(waiting.values())


def _poll(choose: Choose, took: Took, *, clock: Callable[[], datetime]) -> None:
    """The waiting for servers happens in threads, at most POLL_IN_FLIGHT at once; parsing and
    storing here, one feed after the other.
    """
    slots = _slots()
    large = Semaphore(LARGE_AT_ONCE)
    asked: dict[Future[Reply], tuple[Feed, Place]] = {}
    ready: set[Future[Reply]] = set()
    with ThreadPoolExecutor(slots, thread_name_prefix="poll") as threads:
        try:
            while True:
                room = slots - len(asked)
                # A few at a time: a look into the database for each single one would cost more.
                if room and (room >= slots / 4 or not ready):
                    chosen = choose(room, [feed for feed, _place in asked.values()])
                    for feed in chosen or []:
                        place = Place(large)
                        asked[threads.submit(ask, feed, place)] = feed, place
                    if not asked and chosen is None:
                        return
                    if not asked:
                        time.sleep(_LOOK_AGAIN)
                ready = wait(asked, _LOOK_AGAIN, return_when=FIRST_COMPLETED).done
                for reply in ready:
                    feed, place = asked.pop(reply)
                    took(feed, _take_in(feed, reply, now=clock()))
                    place.give_back()
        finally:
            if asked:  # something broke: others need not wait until the claims end
                release(feed for feed, _place in asked.values())


def _slots() -> int:
    return max(int(conf.get("POLL_IN_FLIGHT")), 1)


def _take_in(feed: Feed, reply: Future[Reply], *, now: datetime) -> Ingested | None:
    try:
        return take_in(feed, reply.result(), now=now)
    except Exception:
        # A defect of ours, or a database that is away: the other feeds go on.
        log.exception("Feed %s could not be taken in", feed.pk)
        note_defect(feed, now)
        return None
