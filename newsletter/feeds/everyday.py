"""RSS 2.0 and Atom as nearly every blog writes them, read several times faster than by feedparser.

`read` answers in feedparser's words, and only where it would say the same. Whatever is unusual
(markup inside an element, an element with a meaning of its own in feedparser) it leaves to it:
`None`. tests/feeds/test_everyday.py holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

from lxml import etree

from newsletter.feeds.dates import parse_date

_ATOM = "http://www.w3.org/2005/Atom"
# Namespaces by the prefix under which feedparser knows them, lower case.
_PREFIXES = {
    "": "",
    _ATOM.lower(): "",
    "http://purl.org/rss/1.0/modules/content/": "content_",
    "http://purl.org/dc/elements/1.1/": "dc_",
    "http://search.yahoo.com/mrss/": "media_",
    "http://search.yahoo.com/mrss": "media_",
    "http://purl.org/rss/1.0/modules/syndication/": "sy_",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner_",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes_",
}
# What these say concerns nobody here.
_IGNORED_NAMESPACES = {
    "http://purl.org/rss/1.0/modules/slash/",
    "http://wellformedweb.org/commentapi/",
    "http://purl.org/syndication/thread/1.0",
    "http://purl.org/rss/1.0/modules/threading/",
    "http://webns.net/mvcb/",
    "http://backend.userland.com/creativecommonsrssmodule",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html",
    "http://madskills.com/public/xml/rss/module/trackback/",
    "http://madskills.com/public/xml/rss/module/pingback/",
    "http://a9.com/-/spec/opensearch/1.1/",
    "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "http://www.georss.org/georss",
    "com-wordpress:feed-additions:1",
    "http://www.google.com/schemas/play-podcasts/1.0",
    "http://webfeeds.org/rss/1.0",
    "http://schemas.google.com/g/2005",
    "http://schemas.google.com/blogger/2008",
    "https://podcastindex.org/namespace/1.0",
}
_SAME = {
    "pubdate": "published", "issued": "published", "modified": "updated", "dc_date": "updated",
    "lastbuilddate": "updated", "guid": "id", "dc_creator": "author", "dc_author": "author",
    "itunes_author": "author", "dc_subject": "category", "dc_title": "title",
    "dc_description": "description", "dc_language": "language", "content_encoded": "encoded",
    "feedburner_origlink": "origlink",
}  # fmt: skip
# Elements without a say in what is taken from an item, or from the feed itself.
_IGNORED = {
    "comments", "rights", "copyright", "generator", "contributor", "dc_publisher",
    "dc_rights", "dc_identifier", "dc_format", "dc_type", "dc_source", "itunes_duration",
    "itunes_explicit", "itunes_block", "itunes_subtitle", "itunes_episode", "itunes_season",
    "itunes_episodetype", "media_credit", "media_copyright", "media_rating", "media_text",
    "media_community", "media_statistics", "media_hash", "ignored",
}  # fmt: skip
_IGNORED_OF_FEEDS = _IGNORED | {
    "description", "subtitle", "published", "updated", "docs", "cloud", "image", "managingeditor",
    "webmaster", "category", "id", "author", "logo", "icon", "skiphours", "skipdays", "rating",
    "itunes_image", "itunes_owner", "itunes_category", "itunes_type", "itunes_summary",
    "itunes_keywords", "sy_updatebase", "feedburner_info", "feedburner_feedburnerhostname",
    "feedburner_emailserviceid", "media_thumbnail", "media_category", "media_keywords",
}  # fmt: skip
_HTML = {"text/html", "application/xhtml+xml"}
_TYPES = {"html": "text/html", "text": "text/plain", "text/html": "text/html",
          "text/plain": "text/plain"}  # fmt: skip
# Windows-1252 in disguise, written out or as a reference ("&#146;"): feedparser mends it. Two
# patterns, each with a beginning that is looked for quickly.
_CONTROL_CODES = (
    re.compile(rb"\xc2[\x80-\x9f]"),
    re.compile(rb"&#(?:1[2-5]\d|[xX]0*[89][0-9a-fA-F]);"),
)
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"


class _Unusual(Exception):
    """Better left to feedparser."""


def read(data: bytes, url: str) -> dict[str, Any] | None:
    """The feed in feedparser's words; None when it is unusual or not well-formed.

    `data` is UTF-8 without a document type, and of a size that is known to be harmless.
    """
    if any(codes.search(data) for codes in _CONTROL_CODES):
        return None
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(data, parser)
        if root.tag == "rss" and root.get(_BASE) is None:
            return _rss(root, url)
        if root.tag == f"{{{_ATOM}}}feed":
            return _atom(root, urljoin(url, root.get(_BASE) or ""))
    except (etree.XMLSyntaxError, _Unusual, ValueError):
        pass
    return None


def _rss(root: Any, url: str) -> dict[str, Any]:
    channels = list(root)
    if len(channels) != 1 or channels[0].tag != "channel" or channels[0].attrib:
        raise _Unusual
    version = root.get("version", "")
    feed: dict[str, Any] = {}
    _tongue(root, feed)
    entries = _walk(channels[0], feed, url, "item", "rss", "")
    return {"version": "rss20" if version.startswith("2.") else "rss", "feed": feed,
            "entries": entries}  # fmt: skip


def _atom(root: Any, url: str) -> dict[str, Any]:
    feed: dict[str, Any] = {}
    language = _tongue(root, feed)
    entries = _walk(root, feed, url, f"{{{_ATOM}}}entry", "atom", language)
    return {"version": "atom10", "feed": feed, "entries": entries}


def _tongue(root: Any, feed: dict[str, Any]) -> str:
    language = str(root.get(_LANG) or root.get("lang") or "").replace("_", "-")
    if language:
        feed["language"] = language
    return language


def _walk(
    container: Any, feed: dict[str, Any], base: str, item: str, family: str, language: str
) -> list[dict[str, Any]]:
    entries = []
    for child in container:
        tag = child.tag
        if tag == item:
            entries.append(_entry(child, base, family, child.get(_LANG) or language))
            continue
        name = _name(tag, child.prefix)
        if name == "title":
            if "title" in feed:
                raise _Unusual  # two titles: which one counts is feedparser's affair
            feed["title"] = _text(child)
        elif name == "link":
            _link(child, feed, base)
        elif name == "language" or name.startswith("sy_update") or name == "ttl":
            feed[name] = _text(child)
        elif name not in _IGNORED_OF_FEEDS:
            raise _Unusual
    return entries


@lru_cache(maxsize=1024)
def _name(tag: str, prefix: str | None) -> str:
    """What an element is, in one word; "ignored" for what says nothing to us."""
    namespace, _, local = tag.rpartition("}")
    namespace = namespace[1:].lower()
    known = _PREFIXES.get(namespace)
    if known is None:
        # A namespace nobody knows, under a prefix that feedparser would take for another's.
        if namespace in _IGNORED_NAMESPACES:
            return "ignored"
        raise _Unusual
    name = known + local.lower()
    return _SAME.get(name, name)


def _entry(item: Any, base: str, family: str, language: str) -> dict[str, Any]:
    if item.get(_BASE) is not None or item.get("lastmod") or item.get("href"):
        raise _Unusual
    entry: dict[str, Any] = {"tags": [], "links": [], "content": [], "title": ""}
    for child in item:
        name = _name(child.tag, child.prefix)
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(child, entry, base, family, language)
        elif name not in _IGNORED:
            raise _Unusual
    summary = entry.get("summary")
    if summary is None and entry["content"]:
        entry["summary"] = entry["content"][0]["value"]
    if "media_title" in entry and (not entry["title"] or "source" in entry):
        raise _Unusual  # it may stand in for the title
    return entry


def _text(element: Any) -> str:
    if len(element):
        raise _Unusual  # markup where text should be
    text: str = (element.text or "").strip()
    if text.isascii():
        return text
    with suppress(UnicodeError):
        # UTF-8 that was taken for Latin-1 and encoded once more: mended as feedparser does it.
        text = text.encode("latin-1").decode("utf-8")
    return text


def _title(child: Any, entry: dict[str, Any], base: str, family: str, language: str) -> None:
    kind = "text/plain" if family == "rss" else _kind(child, "text/plain")
    if "title_detail" in entry:
        raise _Unusual
    entry["title"] = _text(child)
    entry["title_detail"] = {"type": kind, "language": child.get(_LANG) or language}


def _kind(child: Any, default: str) -> str:
    written = child.get("type")
    if written is None:
        return default
    kind = _TYPES.get(written.lower())
    if kind is None or child.get("mode"):
        raise _Unusual
    return kind


def _summary(child: Any, entry: dict[str, Any], base: str, family: str, language: str) -> None:
    if "summary" in entry or child.get(_BASE) is not None:
        raise _Unusual  # the second one is the content, says feedparser
    default = "text/html" if _local(child) == "description" else "text/plain"
    entry["summary"] = _text(child)
    kind = _kind(child, default)
    entry["summary_detail"] = {"type": kind, "value": entry["summary"], "base": base}


def _local(child: Any) -> str:
    return str(child.tag).rpartition("}")[2].lower()


def _content(child: Any, entry: dict[str, Any], base: str, family: str, language: str) -> None:
    encoded = _local(child) == "encoded"
    if child.get("src") or (not encoded and family == "rss"):
        raise _Unusual
    kind = _kind(child, "text/html" if encoded else "text/plain")
    if child.get(_BASE) is not None:
        raise _Unusual
    entry["content"].append({"type": kind, "value": _text(child), "base": base})


def _link(child: Any, entry: dict[str, Any], base: str, *_more: Any) -> None:
    if child.get(_BASE) is not None:
        raise _Unusual
    relation = child.get("rel", "alternate").lower()
    kind = child.get("type", "text/html").lower()
    address = child.get("url") or child.get("uri") or child.get("href")
    links = entry.setdefault("links", [])
    if address:
        address = _joined(base, address)
        links.append({"rel": relation, "type": kind, "href": address})
        if relation == "alternate" and (_TYPES.get(kind, kind) in _HTML):
            entry["link"] = address
        return
    address = _text(child)
    if len(child.attrib):
        raise _Unusual
    entry["link"] = re.sub(r"&(\w+);", r"&\1", _joined(base, address).replace("&amp;", "&"))


def _joined(base: str, address: str) -> str:
    if ":///" in address:
        raise _Unusual
    return urljoin(base, address) if address else ""


def _id(child: Any, entry: dict[str, Any], base: str, *_more: Any) -> None:
    is_link = child.get("isPermaLink", child.get("ispermalink", "true")) == "true"
    guid = _text(child)
    entry["id"] = _joined(base, guid) if is_link else guid
    if is_link:
        entry.setdefault("link", entry["id"])


def _author(child: Any, entry: dict[str, Any], base: str, family: str, language: str) -> None:
    if "author" in entry and "@" in f"{entry['author']}{child.text}":
        raise _Unusual  # which address is whose?
    if not len(child):
        entry["author"] = _text(child)
        entry.setdefault("authors", []).append({"name": entry["author"]})
        return
    said = {_local(part): _text(part) for part in child}
    if (
        "author" in entry
        or (child.text or "").strip()
        or not said.keys() <= {"name", "email", "uri", "image"}
    ):
        raise _Unusual
    name, email = said.get("name", ""), said.get("email", "")
    entry["author"] = f"{name} ({email})" if name and email else name or email
    entry.setdefault("authors", []).append({"name": name})


def _category(child: Any, entry: dict[str, Any], *_more: Any) -> None:
    term, label = child.get("term"), child.get("label")
    text = _text(child)
    if not term and label:
        raise _Unusual
    if term:
        entry["tags"].append({"term": term, "label": label})
    if text:
        entry["tags"].append({"term": text, "label": None})


def _dated(name: str) -> Callable[..., None]:
    def date(child: Any, entry: dict[str, Any], *_more: Any) -> None:
        text = _text(child)
        if text and parse_date(text) is None:
            raise _Unusual  # feedparser reads a few more languages
        entry[name] = text

    return date


def _plainly(name: str) -> Callable[..., None]:
    def plainly(child: Any, entry: dict[str, Any], *_more: Any) -> None:
        entry[name] = _text(child)

    return plainly


def _enclosure(child: Any, entry: dict[str, Any], *_more: Any) -> None:
    address = child.get("url") or child.get("uri") or child.get("href")
    kind = child.get("type", "").lower()
    entry["links"].append({"rel": "enclosure", "type": kind, "href": address or ""})


def _media(child: Any, entry: dict[str, Any], base: str, family: str, language: str) -> None:
    """media:content, media:thumbnail, and what stands within media:content and media:group."""
    name = _name(child.tag, child.prefix)
    if name == "media_title":
        entry["media_title"] = True
    elif name in {"media_content", "media_thumbnail"}:
        attributes = {key.lower(): value for key, value in child.attrib.items()}
        if name == "media_thumbnail" and ((child.text or "").strip() or len(child)):
            raise _Unusual
        attributes["type"] = attributes.get("type", "").lower()
        entry.setdefault(name, []).append(attributes)
    elif name == "media_group":
        if (child.text or "").strip():
            raise _Unusual
    elif name not in _IGNORED:
        raise _Unusual
    if name != "media_title":
        for part in child:
            _media(part, entry, base, family, language)


def _itunes_image(child: Any, entry: dict[str, Any], *_more: Any) -> None:
    address = child.get("href") or child.get("url")
    if len(child) or not address:
        raise _Unusual
    entry["image"] = {"href": address}


def _source(child: Any, entry: dict[str, Any], *_more: Any) -> None:
    entry["source"] = True  # where a planet's post comes from: the link says it


_HANDLERS: dict[str, Callable[..., None]] = {
    "title": _title,
    "link": _link,
    "id": _id,
    "description": _summary,
    "summary": _summary,
    "content": _content,
    "encoded": _content,
    "author": _author,
    "category": _category,
    "published": _dated("published"),
    "updated": _dated("updated"),
    "created": _dated("created"),
    "language": _plainly("language"),
    "origlink": _plainly("feedburner_origlink"),
    "enclosure": _enclosure,
    "media_content": _media,
    "media_thumbnail": _media,
    "media_group": _media,
    "media_title": _media,
    "itunes_image": _itunes_image,
    "source": _source,
}
