"""Polls what is due: many hosts at once, each host one request at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.articles.ingest import Reply, ask, take_in
from newsletter.exceptions import FeedInvalid
from newsletter.feeds.models import Feed
from newsletter.feeds.polling import claim_due, record_failure, release

log = logging.getLogger(__name__)

# So long it sleeps at most before it looks again for feeds that became due.
_LOOK_AGAIN = 1.0


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

    The waiting for servers happens in threads, at most POLL_IN_FLIGHT at once; parsing and
    storing here, one feed after the other. Any number of pollers may run side by side. What one
    had in hand when it was killed is due again as soon as its claim ends.
    """
    slots = max(int(conf.get("POLL_IN_FLIGHT")), 1)
    until = clock() + budget
    asked: dict[Future[Reply], Feed] = {}
    polled = Polled()
    ready: set[Future[Reply]] = set()
    with ThreadPoolExecutor(slots, thread_name_prefix="poll") as threads:
        try:
            while True:
                room = slots - len(asked)
                # A few at a time: a look into the database for each single one would cost more.
                if (room >= slots / 4 or not ready) and room and clock() < until and not stop():
                    failing = sum(1 for feed in asked.values() if feed.failures)
                    due = claim_due(clock(), most=room, failing=max(slots // 2, 1) - failing)
                    asked.update({threads.submit(ask, feed): feed for feed in due})
                if not asked:
                    return polled
                ready = wait(asked, _LOOK_AGAIN, return_when=FIRST_COMPLETED).done
                for reply in ready:
                    _take_in(asked.pop(reply), reply, polled, now=clock())
        finally:
            if asked:  # something broke: others need not wait until the claims end
                release(asked.values())


def _take_in(feed: Feed, reply: Future[Reply], polled: Polled, *, now: datetime) -> None:
    polled.feeds += 1
    try:
        taken = take_in(feed, reply.result(), now=now)
    except Exception:
        # A defect of ours, or a database that is away: the other feeds go on.
        log.exception("Feed %s could not be taken in", feed.pk)
        _note_defect(feed, now)
        taken = None
    if taken is None:
        polled.failed += 1
    else:
        polled.articles += len(taken.new) + len(taken.changed)


def _note_defect(feed: Feed, now: datetime) -> None:
    error = FeedInvalid(
        "defect", _("Our own software could not read it. The log of the worker says why.")
    )
    try:
        record_failure(feed, error, now=now)
    except Exception:
        log.exception(
            "Feed %s: its failure could not be recorded; its claim ends by itself", feed.pk
        )
