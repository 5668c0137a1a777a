"""A site's address is enough: its feed is found."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HTMLParser

from newsletter.exceptions import FeedError, FeedInvalid
from newsletter.feeds.fetch import Fetched, fetch
from newsletter.feeds.parse import ParsedFeed, parse
from newsletter.feeds.wellformed import decode

_TYPES = {
    "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml",
    "application/json", "text/xml", "application/xml",
}  # fmt: skip
# Where WordPress, Jekyll, Hugo, Blogger, Drupal and others put theirs.
_WELL_KNOWN = (
    "feed/", "?feed=rss2", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss", "rss/",
    "feeds/posts/default", "feed.json",
)  # fmt: skip
_MOST_LINKS = 6
_SECONDS_FOR_ALL = 20.0
# In the address or the title of a feed of comments, in the languages of the blogs we know.
_COMMENTS = re.compile(
    r"(?<![^\W_])(comments|commenti|commentaires|comentarios|comentários|kommentare?|reacties|replies)"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_LONGEST_PAGE = 500_000  # characters; links to feeds stand in the head


@dataclass(frozen=True)
class Found:
    url: str
    fetched: Fetched
    parsed: ParsedFeed


def discover(address: str) -> Found:
    """The feed at `address`, or the one that the page there announces, or at a usual place.

    A comment feed is never taken. Raises the FeedError of `address` itself when there is none.
    """
    fetched = fetch(address)
    try:
        return _read(address, fetched)
    except FeedInvalid as error:
        if error.code == "comment_feed":
            raise
        for candidate in _candidates(fetched):
            try:
                return _read(candidate, fetch(candidate))
            except FeedError:
                continue
        raise


def discover_all(address: str, *, seconds: float = 0) -> tuple[Found, ...]:
    """Every feed that `address` offers, the main one first; just one when it is a feed itself.

    Feeds of comments are left out, and so is a second format (Atom beside RSS) of one that is
    there. `seconds` bounds all of it for somebody who waits. Raises the FeedError of `address`
    itself when there is none.
    """
    until = time.monotonic() + (seconds or _SECONDS_FOR_ALL)
    fetched = fetch(address, seconds=seconds)
    try:
        return (_read(address, fetched),)
    except FeedInvalid as error:
        if error.code == "comment_feed":
            raise
        announced_here = _links(fetched)
        found: list[Found] = []
        for candidate in _candidates(fetched):
            left = until - time.monotonic()
            # The usual places are for sites that announce nothing.
            if left <= 0 or (found and candidate not in announced_here):
                break
            try:
                one = _read(candidate, fetch(candidate, seconds=left))
            except FeedError:
                continue
            if not any(one.url == other.url or _same_posts(one, other) for other in found):
                found.append(one)
        if not found:
            raise
        return tuple(found)


def _same_posts(one: Found, other: Found) -> bool:
    links = [{entry.url or entry.guid for entry in found.parsed.entries} for found in (one, other)]
    return links[0] == links[1] and any(links[0])


def announced(page: str, url: str) -> list[str]:
    """Addresses of the feeds that a page's `<link rel="alternate">` name, those of comments not."""
    parser = HTMLParser(encoding="utf-8", remove_comments=True)
    document = page[:_LONGEST_PAGE].encode("utf-8", "replace")
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if root is None:
        return []
    base = next(root.iter("base"), None)
    base_url = urljoin(url, (base.get("href") or "") if base is not None else "")
    found: dict[str, None] = {}
    for link in root.iter("link"):
        kind = (link.get("type") or "").split(";")[0].strip().lower()
        relations = (link.get("rel") or "").lower().split()
        href = (link.get("href") or "").strip()
        if "alternate" not in relations or kind not in _TYPES or not href:
            continue
        # WordPress announces its REST interface like a feed.
        if "/wp-json/" in href or "oembed" in href:
            continue
        try:
            address = urljoin(base_url, href)
        except ValueError:
            continue
        if not is_comments(address, link.get("title") or ""):
            found[address] = None
    return list(found)


def is_comments(address: str, title: str = "") -> bool:
    """Whether a feed's address or title says that it carries comments, not posts."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(_COMMENTS.search(f"{parts.path}?{parts.query} {title}"))


def _links(page: Fetched) -> list[str]:
    return announced(decode(page.body, page.content_type), page.url)[:_MOST_LINKS]


def _candidates(page: Fetched) -> Iterator[str]:
    given = _links(page)
    yield from given
    parts = urlsplit(page.url)
    root = f"{parts.scheme}://{parts.netloc}/"
    folder = urljoin(page.url, parts.path if parts.path.endswith("/") else f"{parts.path}/")
    for place in dict.fromkeys((folder, root)):
        for name in _WELL_KNOWN if place == root else _WELL_KNOWN[:1]:
            if (candidate := urljoin(place, name)) not in given:
                yield candidate


def _read(asked: str, fetched: Fetched) -> Found:
    parsed = parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
    # A temporary redirect says nothing about where the feed lives.
    return Found(fetched.permanent_url or asked, fetched, parsed)
