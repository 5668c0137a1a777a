"""Where a feed's older posts are, and how they are read: page by page, each naming the next."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils.translation import gettext as _

from newsletter.exceptions import FeedError, FeedInvalid, FeedTooLarge, FeedUnreachable
from newsletter.feeds import wordpress
from newsletter.feeds.fetch import Fetched, fetch
from newsletter.feeds.models import Feed, host_of
from newsletter.feeds.parse import ParsedFeed, parse

ARCHIVES = "archives"  # <link rel="prev-archive"> (RFC 5005, 4)
PAGES = "pages"  # <link rel="next"> (RFC 5005, 3)
REST = "rest"  # WordPress's interface, a hundred posts at once
NUMBERS = "numbers"  # WordPress's ?paged=2, 3, …

_JSON = "application/json"


@dataclass(frozen=True)
class Page:
    parsed: ParsedFeed
    next_url: str  # "" after the last
    pages_in_all: int | None = None


def hosts_of(feed: Feed, *urls: str) -> set[str]:
    """The servers that may be asked for the posts of this feed."""
    return {host for url in (feed.url, feed.site_url, *urls) if (host := host_of(url))}


def ways(feed: Feed, fetched: Fetched, parsed: ParsedFeed) -> list[tuple[str, str]]:
    """How the posts before those of `parsed` can be had, the best way first.

    What the feed says itself comes before what WordPress is known for.
    """
    hosts = hosts_of(feed, fetched.url)
    found = [(ARCHIVES, parsed.prev_archive_url), (PAGES, parsed.next_url)]
    site_url = parsed.site_url or feed.site_url
    if wordpress.is_wordpress(fetched) and (
        home := wordpress.home_of_main_feed(fetched.url, site_url)
    ):
        found += [(REST, url) for url in wordpress.first_pages(home, fetched)]
    # Asked of any server: one that does not know the parameter answers with its first page again.
    found.append((NUMBERS, _numbered(fetched.url, 2)))
    return [(way, url) for way, url in found if url and host_of(url) in hosts]


def read(way: str, url: str, hosts: Collection[str]) -> Page | None:
    """The page at `url`; None where the pages end. Raises a FeedError."""
    try:
        fetched = fetch(url, accept=_JSON) if way == REST else fetch(url)
    except FeedUnreachable as error:
        if _is_the_end(way, url, error):
            return None
        raise
    if host_of(fetched.url) not in hosts:
        raise FeedInvalid(
            "other_host",
            _("%(url)s leads to another site (%(host)s): we do not follow it there.")
            % {"url": url, "host": host_of(fetched.url)},
        )
    if way == REST:
        in_all = wordpress.pages_in_all(fetched)
        parsed = wordpress.parse_posts(fetched)
        last = not parsed.entries or (in_all is not None and wordpress.page_of(url) >= in_all)
        return Page(parsed, "" if last else wordpress.next_page(url), in_all)
    parsed = parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
    if way == NUMBERS:
        return Page(parsed, _numbered(url, _number_of(url) + 1) if parsed.entries else "")
    following = parsed.prev_archive_url if way == ARCHIVES else parsed.next_url
    # A document of the publisher's may name any address: only the feed's own servers are asked.
    return Page(parsed, following if host_of(following) in hosts else "")


def gentler(way: str, url: str, error: FeedError) -> str:
    """An address for the same posts that asks less of the server; "" when there is none."""
    too_much = isinstance(error, FeedTooLarge) or error.code in {"timeout", "connection"}
    if way == REST and (too_much or (error.http_status or 0) >= 500):
        return wordpress.smaller_pages(url)
    return ""


def _is_the_end(way: str, url: str, error: FeedUnreachable) -> bool:
    if way == NUMBERS:
        return error.http_status == 404  # of WordPress, after the last page
    # "rest_post_invalid_page_number"
    return way == REST and error.http_status == 400 and wordpress.page_of(url) > 1


def _number_of(url: str) -> int:
    found = re.search(r"[?&]paged=(\d{1,6})", url)
    return int(found[1]) if found else 1


def _numbered(url: str, number: int) -> str:
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))])))
