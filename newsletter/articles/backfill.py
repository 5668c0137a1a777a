"""The posts that a feed no longer lists: WordPress serves its whole history page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.db.models import F

from newsletter.articles.ingest import ingest
from newsletter.articles.models import Article
from newsletter.exceptions import FeedError, FeedUnreachable
from newsletter.feeds.fetch import fetch
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import parse


@dataclass(frozen=True)
class Backfilled:
    pages: int
    new: int
    error: str = ""  # why it ended before the last page


def backfill(
    feed: Feed,
    *,
    now: datetime,
    most_pages: int = 100,
    pause: Callable[[], None] = lambda: None,
) -> Backfilled:
    """Read `?paged=2`, 3, … until a page is missing, or brings nothing we did not have.

    Safe to repeat. `pause` is called before each page: one request at a time, and no haste.
    """
    new = 0
    for number in range(1, most_pages + 1):
        pause()
        try:
            fetched = fetch(_page(feed.url, number))
            parsed = parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
        except FeedUnreachable as error:
            # WordPress answers 404 after the last page.
            ended = error.http_status == 404 and number > 1
            return Backfilled(number - 1, new, "" if ended else str(error))
        except FeedError as error:
            return Backfilled(number - 1, new, str(error))
        brought = ingest(feed, parsed, now=now)
        new += len(brought.new)
        if number > 1:
            # History is no news: the next digest takes what arrived since the last one.
            for start in range(0, len(brought.new), 500):
                Article.objects.filter(
                    pk__in=brought.new[start : start + 500], published_at__lt=now
                ).update(arrived_at=F("published_at"))
        if number > 1 and not brought.new:
            return Backfilled(number, new)  # a server that ignores the parameter, or old news
    return Backfilled(most_pages, new)


def _page(url: str, number: int) -> str:
    if number == 1:
        return url
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))])))
