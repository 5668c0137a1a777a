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
    written = item.get("authors") or [item.get("author")]
    names = [_text(author, "name") for author in _dicts(written)]
    content = _text(item, "content_html") or _paragraphs(_text(item, "content_text"))
    tags = item.get("tags")
    return {
        "id": str(item.get("id") or ""),
        "link": _text(item, "url") or _text(item, "external_url"),
        "title": html.escape(_text(item, "title"), quote=False),
        "summary": html.escape(_text(item, "summary"), quote=False),
        "content": [{"type": "text/html", "value": content}],
        "author": names[0] if names else "",
        "authors": [{"name": name} for name in names],
        "tags": [{"term": tag} for tag in tags if isinstance(tag, str)]
        if isinstance(tags, list)
        else [],
        "published": _text(item, "date_published"),
        "updated": _text(item, "date_modified"),
        "language": _text(item, "language"),
        "media_thumbnail": [{"url": _text(item, "image") or _text(item, "banner_image")}],
        "links": [
            {"rel": "enclosure", "type": _text(one, "mime_type"), "href": _text(one, "url")}
            for one in _dicts(item.get("attachments"))
        ],
    }


def _dicts(values: object) -> list[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _paragraphs(text: str) -> str:
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    return "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts if part)


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return _CONTROL.sub("", value) if isinstance(value, str) else ""
