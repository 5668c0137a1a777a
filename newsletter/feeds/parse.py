"""Bytes → entries. Parsed at the border: nothing behind it knows a feed's format."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.exceptions import FeedInvalid
from newsletter.feeds import everyday, jsonfeed
from newsletter.feeds.comments import carries_comments
from newsletter.feeds.dates import parse_date
from newsletter.feeds.wellformed import as_it_is, decode, well_formed

# A category that says only "nobody chose one".
_NO_CATEGORY = {
    "senza categoria", "uncategorized", "uncategorised", "allgemein", "non classé", "non classe",
    "non classificato", "sin categoría", "sin categoria", "sem categoria", "unkategorisiert",
    "geen categorie", "uncategorized @it",
}  # fmt: skip
_REGISTERED = "http://www.iana.org/assignments/relation/"
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
# In a text that is no HTML: "How <b> works" means what it says, "Our <b>strike</b>" does not.
_PAIR = re.compile(
    r"<(b|i|em|strong|span|p|div|u|sup|sub|small|a|font|h[1-6])(?:\s[^<>]*)?>([^<>]*)</\1>",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.IGNORECASE)
# A guid that is no address, but passes for one as nobody said that it isn't.
_GUID_NO_ADDRESS = re.compile(
    r"<guid(?:\s+isPermaLink\s*=\s*[\"']true[\"'])?\s*>(?=\s*(?:<!\[CDATA\[)?\s*(?!https?:|/|<|\s|\]))",
    re.IGNORECASE,
)
# On WordPress.com the first media:content is the author's portrait; others count readers there.
_NO_PICTURE = re.compile(
    r"gravatar\.com|/blavatar/|s\.w\.org/images/core/emoji|/images/smilies/|pixel\.wp\.com|"
    r"stats\.wordpress\.com|feeds\.feedburner\.com/~|feeds\.wordpress\.com/1\.0/|/1x1\.|spacer\.gif"
)
# What feedparser leaves of "anna@blog.example" when it takes it for a name and an address.
_END_OF_HOST = re.compile(r"[a-z]{0,10}$")
_MINUTES = {
    "hourly": 60,
    "daily": 24 * 60,
    "weekly": 7 * 24 * 60,
    "monthly": 30 * 24 * 60,
    "yearly": 365 * 24 * 60,
}


@dataclass(frozen=True)
class ParsedEntry:
    guid: str
    url: str
    title: str  # plain text on one line
    summary_html: str
    content_html: str  # "" when the feed gives only a summary
    author: str
    categories: tuple[str, ...]
    published: datetime | None
    updated: datetime | None
    language: str  # only what the entry itself says
    image_url: str
    image_alt: str
    base_url: str = ""  # what relative addresses in the text are relative to, if the feed says


@dataclass(frozen=True)
class ParsedFeed:
    title: str
    site_url: str
    language: str
    self_url: str
    update_minutes: int | None  # how often the publisher says to come, if it says
    entries: tuple[ParsedEntry, ...]
    problems: tuple[str, ...]
    next_url: str = ""  # older entries of the same feed (RFC 5005, 3)
    prev_archive_url: str = ""  # the archive before this document (RFC 5005, 4)
    hub_urls: tuple[str, ...] = ()  # where news of it can be had at once (W3C WebSub, 4)


def parse(body: bytes, *, url: str, content_type: str = "") -> ParsedFeed:
    """RSS, Atom, RDF or JSON Feed → entries; FeedInvalid when it is none of them.

    A broken entry is left out and named in `problems`; the others come through.
    """
    text = decode(body, content_type)
    if "<guid" in text:
        text = _GUID_NO_ADDRESS.sub('<guid isPermaLink="false">', text)
    limit = int(conf.get("MAX_ENTRIES_PER_FETCH"))
    problems: list[str] = []
    if jsonfeed.looks_like_json(text):
        result: Mapping[str, Any] = jsonfeed.as_feedparser(text, limit)
    else:
        result, problems = _read(text, url, limit)
    if not result.get("version") and not result.get("entries"):
        raise FeedInvalid(*_not_a_feed(text, url))
    feed = result["feed"]
    base = _web_address(feed.get("link", ""), url) or url
    literal = str(result.get("version", "")).startswith("atom")
    entries: list[ParsedEntry] = []
    for number, item in enumerate(result["entries"][:limit], 1):
        try:
            entry = entry_from(item, base, feed_url=url, literal=literal)
        except (ValueError, TypeError, AttributeError, KeyError, LookupError) as error:
            problems.append(f"entry {number}: {type(error).__name__}")
            continue
        if entry.url or entry.guid or entry.title or entry.content_html or entry.summary_html:
            entries.append(entry)
        else:
            problems.append(f"entry {number}: empty")
    parsed = ParsedFeed(
        title=plain(feed.get("title", ""))[:255],
        site_url=_web_address(feed.get("link", ""), url),
        language=_one_line(feed.get("language", ""))[:35],
        self_url=next(_related(feed, "self", url), ""),
        update_minutes=_update_minutes(feed),
        entries=tuple(entries),
        problems=tuple(problems),
        next_url=next(_related(feed, "next", url), ""),
        prev_archive_url=next(_related(feed, "prev-archive", url), ""),
        hub_urls=tuple(dict.fromkeys(_related(feed, "hub", url))),
    )
    posts = [(entry.title, entry.url) for entry in parsed.entries]
    if carries_comments(parsed.title, filter(None, (parsed.self_url, url)), posts):
        raise FeedInvalid(
            "comment_feed",
            _("%(url)s carries comments, not posts. Use the blog's main feed.") % {"url": url},
        )
    return parsed


def _read(text: str, url: str, limit: int) -> tuple[Mapping[str, Any], list[str]]:
    data = as_it_is(text, max_entries=limit)
    quickly_read = everyday.read(data, url) if data is not None else None
    if quickly_read is not None:
        return quickly_read, []
    data, problems = well_formed(text, max_entries=limit)
    try:
        result = feedparser.parse(
            io.BytesIO(data),
            response_headers={
                "content-type": "application/xml; charset=utf-8",
                "content-location": url,
            },
            # nh3 cleans, faster and better (see articles.cleaning).
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        # Python's SAX reader breaks on a namespace with an em space in it, for one.
        return {"version": "", "feed": {}, "entries": []}, [*problems, type(error).__name__]
    return result, problems


def plain(value: object) -> str:
    """HTML or text → plain text on one line."""
    text = value[:10_000] if isinstance(value, str) else ""
    if "<" in text:
        text = _TAG.sub("", text)
    if "&" in text:
        text = html.unescape(text)
        # "&amp;#8217;": escaped twice by careless plugins.
        if _REFERENCE.search(text):
            text = html.unescape(text)
        if "</" in text:
            text = _PAIR.sub(r"\2", text)
    return _one_line(text)


def _literal(value: object) -> str:
    """Text that is said to be no HTML, without what is HTML all the same."""
    text = value[:10_000] if isinstance(value, str) else ""
    if "</" in text:
        text = _PAIR.sub(r"\2", text)
    if "&" in text:
        text = _REFERENCE.sub(lambda found: html.unescape(found[0]), text)
    return _one_line(text)


def entry_from(
    item: Mapping[str, Any], base: str, *, feed_url: str = "", literal: bool = False
) -> ParsedEntry:
    """An item in feedparser's words; `literal`: where a title may be text that is no markup."""
    link = item.get("feedburner_origlink") or item.get("link") or ""
    guid = _one_line(item.get("id") or "")
    url = _web_address(link, base)
    if not url and guid.lower().startswith(("http://", "https://")):
        url = _web_address(guid, base)
    summary, content = _texts(item)
    title_is_text = literal and item.get("title_detail", {}).get("type") == "text/plain"
    image_url, image_alt = _image(item, base)
    return ParsedEntry(
        guid=guid[:2000],
        url=url,
        title=_literal(item.get("title", "")) if title_is_text else plain(item.get("title", "")),
        summary_html=summary,
        content_html=content,
        author=_author(item),
        categories=_categories(item.get("tags") or ()),
        published=_date(item, "published") or _date(item, "created"),
        updated=_date(item, "updated"),
        language=_one_line((item.get("title_detail") or {}).get("language") or "")[:35]
        if literal
        else _one_line(item.get("language") or "")[:35],
        image_url=image_url,
        image_alt=image_alt,
        base_url=_base(item, feed_url),
    )


def _base(item: Mapping[str, Any], feed_url: str) -> str:
    """The xml:base of the text (RFC 4287, 2), when it is not just the feed's own address."""
    details = [*(item.get("content") or ()), item.get("summary_detail") or {}]
    said = next((part["base"] for part in details if part.get("base")), feed_url)
    return "" if said == feed_url else _web_address(said, feed_url)


def _texts(item: Mapping[str, Any]) -> tuple[str, str]:
    """(summary, content) as HTML. The longest content wins: some feeds carry two."""
    contents = [_as_html(part) for part in item.get("content") or ()]
    content = max(contents, key=len, default="")
    detail = item.get("summary_detail") or {"value": item.get("summary", ""), "type": "text/html"}
    summary = _as_html(detail)
    if summary == content:
        summary = ""
    return summary, content


def _as_html(detail: Mapping[str, Any]) -> str:
    value = detail.get("value") or ""
    if not isinstance(value, str):
        return ""
    if detail.get("type") != "text/plain" or _TAG.search(value):
        return value
    paragraphs = re.split(r"\n\s*\n", value.strip())
    return "".join(
        f"<p>{html.escape(html.unescape(paragraph), quote=False)}</p>"
        for paragraph in paragraphs
        if paragraph.strip()
    )


def _author(item: Mapping[str, Any]) -> str:
    """A name fit to print: an e-mail address is never published."""
    # Not feedparser's author_detail: it takes an address apart in the middle of a long domain.
    written = item.get("author") or ""
    several = [
        part.get("name", "")
        for part in item.get("authors") or ()
        if part and not (part.get("email") and _END_OF_HOST.match(part.get("name", "")))
    ]
    names = [_name(one) for one in (several if len(several) > 1 else [written])]
    return ", ".join(dict.fromkeys(filter(None, names)))[:255]


def _name(written: str) -> str:
    name = plain(written)
    if "@" in name:
        found = re.search(r"\(([^()@]+)\)", name) or re.match(r"([^<(@]+?)\s*[<(]", name)
        name = found[1].strip() if found else ""
    return name


def _categories(tags: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    names: dict[str, str] = {}
    for tag in tags:
        name = plain(tag.get("label") or tag.get("term") or "")[:100]
        # Blogger's own bookkeeping ("http://schemas.google.com/blogger/2008/kind#post").
        if name and name.lower() not in _NO_CATEGORY and not name.startswith("http"):
            names.setdefault(name.lower(), name)
    return tuple(names.values())[:50]


def _date(item: Mapping[str, Any], name: str) -> datetime | None:
    # keys(), not `in`: feedparser's dictionaries answer "published" for a missing "updated".
    written = item[name] if name in item.keys() else ""  # noqa: SIM118
    if not written or not isinstance(written, str):
        return None
    if moment := parse_date(written):
        return moment
    # The languages that only feedparser reads (Greek, Hungarian, Korean).
    parsed = item.get(f"{name}_parsed")
    if not parsed or not 1990 <= parsed[0] < 2100:
        return None
    year, month, day, hour, minute, second = parsed[:6]
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)


def _image(item: Mapping[str, Any], base: str) -> tuple[str, str]:
    """The image the feed itself names; those within the text are for articles.cleaning."""
    candidates: list[tuple[str, str]] = []
    for media in item.get("media_content") or ():
        kind = f"{media.get('medium', '')} {media.get('type', '')}"
        address = media.get("url", "")
        if {media.get("width"), media.get("height")} & {"0", "1", "2"}:
            continue  # counts readers
        if "image" in kind or re.search(r"\.(jpe?g|png|webp|gif|avif)(\?|$)", address, re.I):
            candidates.append((address, plain(media.get("alt") or "")))
    candidates += [(thumb.get("url", ""), "") for thumb in item.get("media_thumbnail") or ()]
    candidates += [
        (link.get("href", ""), "")
        for link in item.get("links") or ()
        if link.get("rel") == "enclosure" and str(link.get("type", "")).startswith("image/")
    ]
    image = item.get("image")
    if isinstance(image, Mapping):
        candidates.append((image.get("href", ""), ""))
    for address, alt in candidates:
        resolved = _web_address(address, base)
        if resolved and not _NO_PICTURE.search(resolved):
            return resolved, alt[:500]
    return "", ""


def _web_address(link: object, base: str) -> str:
    """An absolute http(s) address, or ""."""
    if not isinstance(link, str):
        return ""
    link = re.sub(r"[\x00-\x1f\x7f]", "", link).strip().replace(" ", "%20")
    if not link:
        return ""
    try:
        address = urljoin(base, link)
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return address[:2000]


def _related(feed: Mapping[str, Any], relation: str, url: str) -> Iterator[str]:
    """The addresses that stand in this relation to the feed, in its own order."""
    for link in feed.get("links") or ():
        # The long form of a registered relation means the same (RFC 4287, 4.2.7.2).
        said = str(link.get("rel") or "").strip().lower().removeprefix(_REGISTERED)
        if said == relation and (address := _web_address(link.get("href", ""), url)):
            yield address


def _update_minutes(feed: Mapping[str, Any]) -> int | None:
    claims: list[int] = []
    ttl = str(feed.get("ttl") or "").strip()
    if ttl.isdecimal():
        claims.append(int(ttl[:6]))
    if minutes := _MINUTES.get(str(feed.get("sy_updateperiod") or "").strip().lower()):
        frequency = str(feed.get("sy_updatefrequency") or "1").strip()
        times = int(frequency[:6]) if frequency.isdecimal() else 1
        claims.append(minutes // max(times, 1))
    return min(max(claims), 60 * 24 * 365) if any(claims) else None


def _not_a_feed(text: str, url: str) -> tuple[str, str]:
    if re.search(r"<(?:!doctype\s+html|html)\b", text[:5000], re.IGNORECASE):
        return "web_page", _(
            "%(url)s is a web page, not a feed. Look for the blog's RSS address, often /feed/."
        ) % {"url": url}
    if not text.strip():
        return "empty", _("%(url)s answers with nothing at all.") % {"url": url}
    return "not_a_feed", _("%(url)s is not an RSS or Atom feed. Check the address.") % {"url": url}


def _one_line(text: object) -> str:
    if not isinstance(text, str):
        return ""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+", " ", text)
    # Characters that turn the reading direction or hide themselves have no place in a title.
    return re.sub(r"[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u00ad]", "", text).strip()
