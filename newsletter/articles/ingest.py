"""Entries → articles, once each. `poll` is the whole way of one feed."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from newsletter.articles.canonical_url import server_of
from newsletter.articles.drafting import draft
from newsletter.articles.excerpt import is_only_excerpt
from newsletter.articles.identity import distinct_keys, identity_keys
from newsletter.articles.store import Candidate, Ingested, store
from newsletter.articles.withdrawals import flag_vanished
from newsletter.exceptions import FeedError, FeedInvalid
from newsletter.feeds.fetch import Fetched, fetch
from newsletter.feeds.memory import Place
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.feeds.parse import ParsedFeed, parse
from newsletter.feeds.polling import (
    Rhythm,
    articles_per_week,
    claim,
    record_failure,
    record_success,
    release,
)
from newsletter.feeds.websub import is_pushed, note_announcement

__all__ = ["Ingested", "ask", "ingest", "note_defect", "poll", "take_in"]

log = logging.getLogger(__name__)

# So many new rows make SQLite's idea of its tables worthless for the full-text search.
_ANALYZE_FROM = 500
# As many feeds of one blog may be stored at the same moment without one of them failing.
_ATTEMPTS = 6


@dataclass(frozen=True)
class Reply:
    """What came of asking a feed."""

    answer: Fetched | FeedError
    duration_ms: int


def poll(feed_id: int, *, now: datetime) -> Ingested | None:
    """Poll the feed; None when it failed (see its history), is not due, or another worker has it.

    What somebody waits for is due, paused or not; a doorbell that rings twice polls once. A defect
    of ours is raised, and stands in the history too.
    """
    if not claim(feed_id, now, only_if_due=True):
        return None
    feed = Feed.objects.get(pk=feed_id)
    try:
        return take_in(feed, ask(feed), now=now)
    except Exception:
        note_defect(feed, now)
        raise
    except BaseException:
        # The worker must stop: free the feed for the next one.
        release([feed])
        raise


def note_defect(feed: Feed, now: datetime) -> None:
    """A poll that died of our own fault has failed like any other: nobody waits for it for ever."""
    error = FeedInvalid(
        "defect", _("Our own software could not read it. The log of the worker says why.")
    )
    try:
        record_failure(feed, error, now=now)
    except Exception:
        log.exception(
            "Feed %s: its failure could not be recorded; its claim ends by itself", feed.pk
        )


def ask(feed: Feed, place: Place | None = None) -> Reply:
    """The exchange alone. It touches no database: it may wait in a thread."""
    began = time.monotonic()
    answer: Fetched | FeedError
    try:
        answer = fetch(feed.url, etag=feed.etag, last_modified=feed.last_modified, place=place)
    except FeedError as error:
        answer = error
    return Reply(answer, round((time.monotonic() - began) * 1000))


def take_in(feed: Feed, reply: Reply, *, now: datetime) -> Ingested | None:
    """Parse, store and record what a claimed feed answered; None when that was no feed."""
    fetched = reply.answer
    parsed = None
    try:
        if isinstance(fetched, FeedError):
            raise fetched
        if not (fetched.not_modified or fetched.body_hash == feed.body_hash):
            parsed = parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
    except FeedError as error:
        log.info("Feed %s: %s", feed.url, error)
        record_failure(feed, error, now=now, duration_ms=reply.duration_ms)
        return None
    result = Ingested((), (), 0, 0)
    if parsed is not None:
        _describe(feed, parsed)
        note_announcement(feed, fetched, parsed)
        result = ingest(feed, parsed, now=now)
        flag_vanished(feed, parsed, now=now)
    record_success(
        feed,
        fetched,
        now=now,
        rhythm=Rhythm(
            articles_per_week=articles_per_week(feed, now),
            update_minutes=feed.update_minutes,
            max_age=fetched.max_age,
            retry_after=fetched.retry_after,
            pushed=is_pushed(feed, now),
        ),
        jitter=random.random(),  # noqa: S311  (spreads load, guards nothing)
        outcome=FetchRecord.Outcome.NEW if result.new else FetchRecord.Outcome.UNCHANGED,
        entries=result.entries,
        new=len(result.new),
        changed=len(result.changed),
        skipped=result.skipped,
    )
    return result


def ingest(feed: Feed, parsed: ParsedFeed, *, now: datetime, as_history: bool = False) -> Ingested:
    """Store what `parsed` brings, in one transaction; safe to repeat and to run side by side.

    `as_history`: what the feed no longer lists. New articles count as arrived when they were
    published, so that no digest takes them for news; those we have are left as they are.
    """
    candidates, unusable = _candidates(feed, parsed)
    for attempt in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                result = store(feed, candidates, unusable, now=now, as_history=as_history)
            break
        except IntegrityError:
            # Another worker stored the same post from an overlapping feed: now it is known.
            if attempt == _ATTEMPTS - 1:
                raise
            for candidate in candidates:
                candidate.article = None
    if not as_history:
        _note_excerpts(feed, candidates)
    if len(result.new) >= _ANALYZE_FROM and connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return result


def _describe(feed: Feed, parsed: ParsedFeed) -> None:
    """Fill in what nobody has said of the feed yet."""
    fields = {
        "title": parsed.title[:255],
        "site_url": parsed.site_url[:1000],
        "language": parsed.language[:10],
    }
    missing: dict[str, str | int | None] = {
        name: value for name, value in fields.items() if value and not getattr(feed, name)
    }
    if parsed.update_minutes != feed.update_minutes:
        missing["update_minutes"] = parsed.update_minutes
    if missing:
        for name, said in missing.items():
            setattr(feed, name, said)
        feed.save(update_fields=list(missing))


def _note_excerpts(feed: Feed, candidates: list[Candidate]) -> None:
    """Whether the feed seems to give excerpts only: its page offers to fetch the texts then."""
    cut = sum(candidate.only_excerpt for candidate in candidates)
    seems = len(candidates) >= 3 and cut >= 0.8 * len(candidates)
    if candidates and seems != feed.gives_excerpts:
        feed.gives_excerpts = seems
        feed.save(update_fields=["gives_excerpts"])


def _candidates(feed: Feed, parsed: ParsedFeed) -> tuple[list[Candidate], int]:
    """Each post of the fetch once, oldest last in the feed and first in the list."""
    site_url = parsed.site_url or feed.site_url or feed.url
    feed_host = server_of(site_url)
    pairs = [
        (entry, identity_keys(entry, feed_id=feed.pk, feed_host=feed_host, site_url=site_url))
        for entry in parsed.entries
    ]
    known: dict[str, Candidate] = {}
    candidates: list[Candidate] = []
    unusable = 0
    for (entry, _keys), keys in zip(pairs, distinct_keys(pairs), strict=True):
        twin = next((known[key] for key in keys if key in known), None)
        if twin is not None:
            twin.keys = list(dict.fromkeys([*twin.keys, *keys]))
            known.update(dict.fromkeys(keys, twin))
            continue
        try:
            made = draft(
                entry,
                feed_url=feed.url,
                site_url=site_url,
                language=feed.language or parsed.language,
            )
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            log.exception("Entry %r of %s could not be read", entry.url or entry.guid, feed.url)
            unusable += 1
            continue
        if not made.url or not (made.title or made.body_text):
            unusable += 1
            continue
        only_excerpt = is_only_excerpt(entry.content_html, made.body_text)
        candidate = Candidate(entry, keys, made, only_excerpt)
        candidates.append(candidate)
        known.update(dict.fromkeys(keys, candidate))
    # Feeds list the latest first: the other way round, ids grow with the time of the posts.
    candidates.reverse()
    return candidates, unusable
