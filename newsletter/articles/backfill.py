"""The posts that a feed no longer lists, page by page.

How far it has come stands in the database: it can be stopped and taken up again, by another
process too, and repeating it doubles nothing.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from newsletter.articles.ingest import Ingested, ingest
from newsletter.exceptions import FeedError
from newsletter.feeds import older
from newsletter.feeds.fetch import fetch
from newsletter.feeds.models import Backfill, Feed
from newsletter.feeds.parse import ParsedFeed, parse
from newsletter.feeds.turns import BUSY, host_turn

log = logging.getLogger(__name__)

MOST_PAGES = 1_000
# Overlapping feeds of a blog know some of its pages already: one without news is not the end.
BARREN_PAGES = 3
_WAITS = [timedelta(minutes=minutes) for minutes in (1, 10, 60, 360)]
# So long a run that a command has in hand is nobody else's.
_IN_HAND = timedelta(hours=1)


@dataclass(frozen=True)
class Backfilled:
    pages: int
    new: int
    error: str = ""  # why it ended before the last page


def begin(feed: Feed, *, now: datetime) -> Backfill:
    """The feed's back-fill, under way: from where it stopped, or anew when it was done."""
    fresh = {
        "state": Backfill.State.RUNNING,
        "began_at": now,
        "changed_at": now,
        "next_at": now,
    }
    run, made = Backfill.objects.get_or_create(feed=feed, defaults=fresh)
    if made or run.state == Backfill.State.RUNNING:
        return run
    if run.state == Backfill.State.DONE:
        run.ways, run.next_url, run.seen, run.last_page = [], "", [], ""
        run.pages, run.pages_in_all, run.articles_new, run.began_at = 0, None, 0, now
    run.state, run.error, run.failures, run.barren = Backfill.State.RUNNING, "", 0, 0
    run.next_at = run.changed_at = now
    run.save()
    return run


def stop(feed: Feed, *, now: datetime) -> None:
    Backfill.objects.filter(feed=feed, state=Backfill.State.RUNNING).update(
        state=Backfill.State.STOPPED, changed_at=now
    )


def backfill(
    feed: Feed,
    *,
    clock: Callable[[], datetime],
    most_pages: int = 100,
    pause: Callable[[], None] = lambda: None,
    progress: Callable[[Backfill], None] = lambda run: None,
) -> Backfilled:
    """Read on until the pages end, `most_pages` are read or one fails.

    `pause` is called before each page: one request at a time, and no haste.
    """
    run = begin(feed, now=clock())
    Backfill.objects.filter(pk=run.pk).update(next_at=clock() + _IN_HAND)
    pages, new = run.pages, run.articles_new
    try:
        while run.state == Backfill.State.RUNNING and run.pages - pages < most_pages:
            pause()
            if step(run, now=clock(), hold=_IN_HAND):
                progress(run)
            if run.error:
                break
    finally:
        # What a person began by hand does not go on by itself.
        stop(feed, now=clock())
    return Backfilled(run.pages - pages, run.articles_new - new, run.error)


def step_due(*, now: datetime, seconds: float, pause: Callable[[], None]) -> bool:
    """Read on for about so long, a page of each back-fill at a time; whether more is due."""
    until = time.monotonic() + seconds
    asked = False
    while due := list(Backfill.objects.filter(state=Backfill.State.RUNNING, next_at__lte=now)[:20]):
        for run in due:
            if time.monotonic() > until:
                return True
            if asked:
                pause()
            try:
                asked = step(run, now=now)
            except Exception:
                # A defect of ours must not keep the other feeds from going on.
                log.exception("The older posts of feed %s could not be read", run.feed_id)
                Backfill.objects.filter(pk=run.pk).update(
                    state=Backfill.State.FAILED, error=_("The log of the worker says why.")
                )
    return False


def step(run: Backfill, *, now: datetime, hold: timedelta = timedelta(0)) -> bool:
    """Read the next page and keep where that leaves us; False when the host is busy."""
    feed = run.feed
    with host_turn(run.next_url or feed.url, now) as ours:
        if ours:
            try:
                _read_first(run, feed, now) if not run.ways else _read_next(run, feed, now)
            except FeedError as error:
                _note_failure(run, error, now)
            else:
                run.failures, run.error, run.next_at = 0, "", now + hold
        else:
            run.next_at = now + BUSY
    if run.pages >= MOST_PAGES:
        run.state = Backfill.State.DONE
    run.changed_at = now
    _keep(run)
    return ours


def _read_first(run: Backfill, feed: Feed, now: datetime) -> None:
    """The feed itself: its latest posts are news, and it tells where the others are."""
    fetched = fetch(feed.url)
    parsed = parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
    brought = ingest(feed, parsed, now=now)
    run.ways = [list(way) for way in older.ways(feed, fetched, parsed)]
    _go_on(run, parsed, brought, run.ways[0][1] if run.ways else "")


def _read_next(run: Backfill, feed: Feed, now: datetime) -> None:
    way, first = run.ways[0]
    url = run.next_url
    try:
        page = older.read(way, url, older.hosts_of(feed, *(url for _name, url in run.ways)))
    except FeedError as error:
        if smaller := older.gentler(way, url, error):
            run.next_url = smaller
            if url == first:
                run.ways[0][1] = smaller
            return
        # A way that does not even begin is none; the last one's error is told.
        if url == first and len(run.ways) > 1:
            run.ways = run.ways[1:]
            run.next_url = run.ways[0][1]
            return
        raise
    if page is None:
        run.state = Backfill.State.DONE
        return
    run.pages_in_all = page.pages_in_all
    brought = ingest(feed, page.parsed, now=now, as_history=True)
    _go_on(run, page.parsed, brought, page.next_url)


def _go_on(run: Backfill, parsed: ParsedFeed, brought: Ingested, next_url: str) -> None:
    held = _what_is_on(parsed)
    run.pages += 1
    run.articles_new += len(brought.new)
    run.barren = 0 if brought.new or run.pages == 1 else run.barren + 1
    seen = {*run.seen, _hash(run.next_url)}
    # A server that ignores the parameter answers with the same page for ever; links can go round.
    ends = (
        not next_url
        or held == run.last_page
        or run.barren >= BARREN_PAGES
        or _hash(next_url) in seen
    )
    if ends:
        run.state = Backfill.State.DONE
    run.last_page, run.seen, run.next_url = held, sorted(seen), next_url


def _note_failure(run: Backfill, error: FeedError, now: datetime) -> None:
    run.failures += 1
    run.error = str(error)
    if run.failures > len(_WAITS):
        run.state = Backfill.State.FAILED
        return
    wait = _WAITS[run.failures - 1]
    if error.retry_after:
        wait = max(wait, timedelta(seconds=error.retry_after))
    run.next_at = now + wait


def _keep(run: Backfill) -> None:
    """Save, unless somebody stopped it while the page was read: then it stays stopped."""
    known = Backfill.objects.filter(pk=run.pk).values_list("state", flat=True).first()
    if known == Backfill.State.STOPPED and run.state == Backfill.State.RUNNING:
        run.state = Backfill.State.STOPPED
    if known is not None:  # the feed may have been deleted meanwhile
        run.save()


def _what_is_on(parsed: ParsedFeed) -> str:
    return _hash("\n".join(entry.guid or entry.url for entry in parsed.entries))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
