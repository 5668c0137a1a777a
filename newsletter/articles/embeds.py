"""Players and boxes of other sites → the address a reader can open."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from lxml.html import HtmlElement

_PLAYERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"(?:youtube(?:-nocookie)?\.com/(?:embed|v|shorts)/)([\w-]{6,20})"),
        "https://www.youtube.com/watch?v={}",
    ),
    (re.compile(r"youtu\.be/([\w-]{6,20})"), "https://www.youtube.com/watch?v={}"),
    (re.compile(r"player\.vimeo\.com/video/(\d+)"), "https://vimeo.com/{}"),
    (re.compile(r"dailymotion\.com/embed/video/(\w+)"), "https://www.dailymotion.com/video/{}"),
    (
        re.compile(r"open\.spotify\.com/embed/((?:episode|show|track|album|playlist)/\w+)"),
        "https://open.spotify.com/{}",
    ),
    (re.compile(r"platform\.twitter\.com/.*[?&]id=(\d+)"), "https://x.com/i/status/{}"),
    (re.compile(r"instagram\.com/((?:p|reel)/[\w-]+)"), "https://www.instagram.com/{}/"),
    (re.compile(r"archive\.org/embed/([\w.-]+)"), "https://archive.org/details/{}"),
)
_NAMES = {
    "youtube.com": "YouTube", "vimeo.com": "Vimeo", "dailymotion.com": "Dailymotion",
    "open.spotify.com": "Spotify", "x.com": "X", "twitter.com": "X", "facebook.com": "Facebook",
    "instagram.com": "Instagram", "archive.org": "Internet Archive",
    "w.soundcloud.com": "SoundCloud", "soundcloud.com": "SoundCloud", "spreaker.com": "Spreaker",
    "widget.spreaker.com": "Spreaker", "google.com": "Google Maps",
    "docs.google.com": "Google Docs",
}  # fmt: skip
# Frames that show nothing worth a link: counters, advertisements, like buttons, comment forms.
_WORTHLESS = re.compile(
    r"facebook\.com/plugins/(?:like|share|page|follow)|doubleclick|googlesyndication|googletagmanager|"
    r"platform\.twitter\.com/widgets/(?:follow|tweet)_button|addtoany|disqus|amazon-adsystem|"
    r"/embed/?#\?secret=|widgets\.wp\.com/(?:likes|sharing)",
    re.IGNORECASE,
)


def readable_address(source: str) -> str:
    """Where a person watches or reads what a player at `source` shows; "" when it is nothing."""
    if not source or _WORTHLESS.search(source):
        return ""
    for pattern, address in _PLAYERS:
        if found := pattern.search(source):
            return address.format(found[1])
    parts = urlsplit(source)
    query = parse_qs(parts.query)
    if "facebook.com/plugins/" in source and query.get("href"):
        return query["href"][0]
    if "soundcloud.com/player" in source and query.get("url"):
        return query["url"][0]
    return source if parts.scheme in {"http", "https"} and parts.hostname else ""


def name_of(address: str, title: str = "") -> str:
    """What to call the link: the player's title, with the service's name, or the host."""
    host = (urlsplit(address).hostname or "").removeprefix("www.")
    service = _NAMES.get(host, "")
    title = re.sub(r"\s+", " ", title).strip()
    if re.fullmatch(
        r"(youtube|vimeo|spotify)?\s*(video|embed|embedded)?\s*(player|content)?", title, re.I
    ):
        title = ""
    if title and service and service.lower() not in title.lower():
        return f"{title} ({service})"
    return title or service or host


def source_of(element: HtmlElement) -> str:
    """The address of what an iframe, video, audio, embed or object shows."""
    for name in ("src", "data-src", "data-lazy-src", "data-litespeed-src", "data"):
        value = (element.get(name) or "").strip()
        if value and not value.startswith(("about:", "data:", "javascript:")):
            return value
    inner = element.find(".//source[@src]")
    return (inner.get("src") or "").strip() if inner is not None else ""
