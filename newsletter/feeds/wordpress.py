"""WordPress's REST interface: its answer as a feed's entries, and where it is.

https://developer.wordpress.org/rest-api/reference/posts/
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.exceptions import FeedInvalid
from newsletter.feeds.fetch import Fetched
from newsletter.feeds.parse import ParsedEntry, ParsedFeed, entry_from
from newsletter.feeds.wellformed import decode

PER_PAGE = 100
# For a server that does not manage a hundred at once.
_PER_SMALL_PAGE = 20
_FEED_ENDING = re.compile(r"/feed(/(rss|rss2|atom|rdf))?/?$")
_API_LINK = re.compile(r"<([^<>]+)>\s*;[^,]*rel=[\"']?https://api\.w\.org/")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def is_wordpress(fetched: Fetched) -> bool:
    """By its generator, or by the link to its interface that it sends with every page."""
    return b"//wordpress.org/?v=" in fetched.body[:20_000] or bool(
        _API_LINK.search(fetched.headers.get("Link", ""))
    )


def home_of_main_feed(feed_url: str, site_url: str) -> str:
    """The blog's address when `feed_url` is the feed of all its posts, else "".

    The interface knows nothing of a category's feed: it would bring the posts of the whole blog.
    """
    parts = urlsplit(feed_url)
    query = dict(parse_qsl(parts.query))
    if query.pop("feed", "") or _FEED_ENDING.search(parts.path):
        path = _FEED_ENDING.sub("", parts.path).rstrip("/")
        site = urlsplit(site_url)
        if not query and (not site_url or site.path.rstrip("/") == path):
            return urlunsplit((parts.scheme, parts.netloc, f"{path}/", "", ""))
    return ""


def first_pages(home: str, fetched: Fetched) -> list[str]:
    """Where the posts may be asked for, the likeliest first."""
    roots = [urljoin(home, "wp-json/"), f"{home}?rest_route=/"]
    if announced := _API_LINK.search(fetched.headers.get("Link", "")):
        with suppress(ValueError):  # "http://[::1"
            roots.insert(0, urljoin(home, html.unescape(announced[1])))
    return list(dict.fromkeys(_posts(root) for root in roots))


def page_of(url: str) -> int:
    return int(dict(parse_qsl(urlsplit(url).query)).get("page", "1"))


def next_page(url: str) -> str:
    return _with(url, page=page_of(url) + 1)


def smaller_pages(url: str) -> str:
    """The same place in the list, with fewer posts at once; "" when they are few already."""
    if dict(parse_qsl(urlsplit(url).query)).get("per_page") != str(PER_PAGE):
        return ""
    page = (page_of(url) - 1) * (PER_PAGE // _PER_SMALL_PAGE) + 1
    return _with(url, per_page=_PER_SMALL_PAGE, page=page)


def pages_in_all(fetched: Fetched) -> int | None:
    said = fetched.headers.get("X-WP-TotalPages", "").strip()
    return int(said[:6]) if said.isdecimal() else None


def parse_posts(fetched: Fetched) -> ParsedFeed:
    """The posts of one page. Raises FeedInvalid when it is no list of posts."""
    try:
        posts = json.loads(decode(fetched.body, fetched.content_type))
    except (ValueError, RecursionError):
        posts = None
    if not isinstance(posts, list) or not all(isinstance(post, dict) for post in posts):
        raise FeedInvalid(
            "not_rest", _("%(url)s does not answer as WordPress does.") % {"url": fetched.url}
        )
    entries: list[ParsedEntry] = []
    problems: list[str] = []
    for number, post in enumerate(posts[: int(conf.get("MAX_ENTRIES_PER_FETCH"))], 1):
        try:
            if post.get("type", "post") == "post" and not _is_hidden(post):
                entries.append(entry_from(_as_item(post), fetched.url))
        except (ValueError, TypeError, AttributeError, KeyError, LookupError) as error:
            problems.append(f"entry {number}: {type(error).__name__}")
    return ParsedFeed(
        title="",
        site_url="",
        language="",
        self_url="",
        update_minutes=None,
        entries=tuple(entries),
        problems=tuple(problems),
    )


def _posts(root: str) -> str:
    parts = urlsplit(root)
    query = dict(parse_qsl(parts.query))
    if "rest_route" in query:
        query["rest_route"] = "/wp/v2/posts"
        root = urlunsplit(parts._replace(query=urlencode(query, safe="/")))
    else:
        root = urljoin(f"{root.rstrip('/')}/", "wp/v2/posts")
    # "_embed" brings authors, categories and pictures by name, not only by number.
    return _with(root, per_page=PER_PAGE, page=1, _embed="1")


def _with(url: str, **values: object) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {name: str(value) for name, value in values.items()}
    return urlunsplit(parts._replace(query=urlencode(query, safe="/")))


def _is_hidden(post: dict[str, Any]) -> bool:
    """Behind a password: there is nothing to read, and the feed says so in words."""
    content = post.get("content")
    return isinstance(content, dict) and bool(content.get("protected"))


def _as_item(post: dict[str, Any]) -> dict[str, Any]:
    """In feedparser's words, as its feed would have it."""
    embedded = post.get("_embedded")
    embedded = embedded if isinstance(embedded, dict) else {}
    image = next(_named(embedded.get("wp:featuredmedia"), "source_url"), {})
    author = next(_named(embedded.get("author"), "name"), {})
    return {
        "id": html.unescape(_rendered(post, "guid")),
        "link": _text(post, "link"),
        "title": _rendered(post, "title"),
        "summary": _rendered(post, "excerpt"),
        "content": [{"type": "text/html", "value": _rendered(post, "content")}],
        "author": _text(author, "name"),
        "tags": [{"term": name} for name in _terms(embedded.get("wp:term"))],
        "published": _moment(post, "date"),
        "updated": _moment(post, "modified"),
        "media_content": [
            {
                "url": _text(image, "source_url"),
                "medium": "image",
                "alt": _text(image, "alt_text"),
            }
        ]
        if image
        else [],
    }


def _moment(post: dict[str, Any], name: str) -> str:
    # A time without a zone is taken as UTC, which `date_gmt` is.
    return _text(post, f"{name}_gmt") or _text(post, name)


def _terms(groups: object) -> Iterator[str]:
    for group in groups if isinstance(groups, list) else []:
        for term in _named(group, "name"):
            if term.get("taxonomy") in {"category", "post_tag"}:
                yield _text(term, "name")


def _named(things: object, key: str) -> Iterator[dict[str, Any]]:
    for thing in things if isinstance(things, list) else []:
        if isinstance(thing, dict) and _text(thing, key):
            yield thing


def _rendered(post: dict[str, Any], name: str) -> str:
    value = post.get(name)
    return _text(value, "rendered") if isinstance(value, dict) else ""


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    return _CONTROL.sub("", value) if isinstance(value, str) else ""
