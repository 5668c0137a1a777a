"""JSON Feed 1.x (https://www.jsonfeed.org/version/1.1/) in feedparser's words."""

from __future__ import annotations

import html
import json
import re
from typing import Any

# What XML cannot hold, and so our own feeds could not pass on.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def looks_like_json(text: str) -> bool:
    return text[:200].lstrip("\ufeff \t\r\n").startswith("{")


def as_feedparser(text: str, limit: int) -> dict[str, Any]:
    """The same shape as feedparser's result; nothing in it when it is not a JSON Feed."""
    nothing: dict[str, Any] = {"version": "", "feed": {}, "entries": []}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return nothing
    if not isinstance(data, dict) or "jsonfeed.org" not in str(data.get("version", "")):
        return nothing
    items = data.get("items")
    items = items if isinstance(items, list) else []
    return {
        "version": "json1",
        "feed": {
            "title": _text(data, "title"),
            "link": _text(data, "home_page_url"),
            "language": _text(data, "language"),
            "links": [
                {"rel": "self", "href": _text(data, "feed_url")},
                {"rel": "next", "href": _text(data, "next_url")},
                *_hubs(data.get("hubs")),
            ],
        },
        "entries": [_entry(item) for item in items[:limit] if isinstance(item, dict)],
    }


def _hubs(hubs: object) -> list[dict[str, str]]:
    return [
        {"rel": "hub", "href": _text(hub, "url")}
        for hub in (hubs if isinstance(hubs, list) else [])
        if isinstance(hub, dict) and _text(hub, "type").lower() == "websub"
    ]


def _entry(item: dict[str, Any]) -> dict[str, Any]:
    authors = item.get("authors") or [item.get("author")]
    author = authors[0] if isinstance(authors, list) and authors else None
    content = _text(item, "content_html") or f"<p>{html.escape(_text(item, 'content_text'))}</p>"
    tags = item.get("tags")
    return {
        "id": str(item.get("id") or ""),
        "link": _text(item, "url") or _text(item, "external_url"),
        "title": html.escape(_text(item, "title"), quote=False),
        "summary": html.escape(_text(item, "summary"), quote=False),
        "content": [{"type": "text/html", "value": content}],
        "author": _text(author, "name") if isinstance(author, dict) else "",
        "tags": [{"term": tag} for tag in tags if isinstance(tag, str)]
        if isinstance(tags, list)
        else [],
        "published": _text(item, "date_published"),
        "updated": _text(item, "date_modified"),
        "language": _text(item, "language"),
        "media_thumbnail": [{"url": _text(item, "image")}],
    }


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return _CONTROL.sub("", value) if isinstance(value, str) else ""
