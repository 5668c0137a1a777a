"""Players and boxes of other sites → the address a reader can open."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from lxml.html import HtmlElement

_PLAYERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"youtube(?:-nocookie)?\.com/embed/?(?:videoseries)?\?(?:.*&)?list=([\w-]+)"),
        "https://www.youtube.com/playlist?list={}",
    ),
    (
        re.compile(r"(?:youtube(?:-nocookie)?\.com/(?:embed|v|shorts)/)([\w-]{6,20})"),
        "https://www.youtube.com/watch?v={}",
    ),
    (re.compile(r"youtu\.be/([\w-]{6,20})"), "https://www.youtube.com/watch?v={}"),
    (re.compile(r"player\.vimeo\.com/video/(\d+)"), "https://vimeo.com/{}"),
    (re.compile(r"dailymotion\.com/embed/video/(\w+)"), "https://www.dailymotion.com/video/{}"),
    (
        re.compile(
            r"open\.spotify\.com/embed(?:-podcast)?/((?:episode|show|track|album|playlist)/\w+)"
        ),
        "https://open.spotify.com/{}",
    ),
    (re.compile(r"platform\.twitter\.com/.*[?&]id=(\d+)"), "https://x.com/i/status/{}"),
    (
        re.compile(r"tiktok\.com/(?:embed(?:/v\d)?|player/v\d)/(\d+)"),
        "https://www.tiktok.com/@/video/{}",
    ),
    (re.compile(r"(https://[\w.-]+/@\w+/\d+)/embed\b"), "{}"),  # Mastodon
    (
        re.compile(r"(?:facebook|fb)\.com/(?:watch/?\?v=|reel/)(\d+)"),
        "https://www.facebook.com/watch/?v={}",
    ),
    (re.compile(r"instagram\.com/((?:p|reel|tv)/[\w-]+)"), "https://www.instagram.com/{}/"),
    (re.compile(r"archive\.org/embed/([\w.-]+)"), "https://archive.org/details/{}"),
)
_NAMES = {
    "youtube.com": "YouTube", "vimeo.com": "Vimeo", "dailymotion.com": "Dailymotion",
    "open.spotify.com": "Spotify", "x.com": "X", "twitter.com": "X", "facebook.com": "Facebook",
    "instagram.com": "Instagram", "archive.org": "Internet Archive",
    "w.soundcloud.com": "SoundCloud", "soundcloud.com": "SoundCloud", "spreaker.com": "Spreaker",
    "widget.spreaker.com": "Spreaker", "google.com": "Google Maps",
    "docs.google.com": "Google Docs", "tiktok.com": "TikTok", "youtu.be": "YouTube",
    "blogger.com": "Video", "t.me": "Telegram", "bsky.app": "Bluesky", "twitch.tv": "Twitch",
    "player.twitch.tv": "Twitch", "ted.com": "TED", "embed.ted.com": "TED", "ivoox.com": "iVoox",
    "podcasts.apple.com": "Apple Podcasts", "embed.podcasts.apple.com": "Apple Podcasts",
    "issuu.com": "Issuu", "e.issuu.com": "Issuu", "slideshare.net": "SlideShare",
    "scribd.com": "Scribd", "peertube.it": "PeerTube", "raiplay.it": "RaiPlay",
    "raiplaysound.it": "RaiPlay Sound", "la7.it": "La7", "flourish.studio": "Flourish",
    "datawrapper.dwcdn.net": "Datawrapper", "openstreetmap.org": "OpenStreetMap",
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
        # The interface's own address shows nothing to a person.
        return source if "api.soundcloud.com" in query["url"][0] else query["url"][0]
    return source if parts.scheme in {"http", "https"} and parts.hostname else ""


def is_known(address: str) -> bool:
    """Whether what is there has a better name than its address."""
    return (urlsplit(address).hostname or "").removeprefix("www.") in _NAMES


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
    if not service and re.search(
        r"\.(?:mp[34]|m4[av]|webm|og[gav]|wav|mov)$", urlsplit(address).path
    ):
        return title or unquote(urlsplit(address).path.rpartition("/")[2])
    return title or service or host


# Boxes that a script fills in, by their class, and where their address stands.
_BOXES = (
    ("instagram-media", "data-instgrm-permalink"), ("tiktok-embed", "cite"),
    ("fb-post", "data-href"), ("fb-video", "data-href"), ("reddit-embed-bq", "cite"),
    ("mastodon-embed", "data-embed-url"), ("bluesky-embed", "data-bluesky-uri"),
)  # fmt: skip
_AMP = {
    "amp-youtube": ("data-videoid", "https://www.youtube.com/watch?v={}"),
    "amp-vimeo": ("data-videoid", "https://vimeo.com/{}"),
    "amp-dailymotion": ("data-videoid", "https://www.dailymotion.com/video/{}"),
    "amp-twitter": ("data-tweetid", "https://x.com/i/status/{}"),
    "amp-instagram": ("data-shortcode", "https://www.instagram.com/p/{}/"),
    "amp-facebook": ("data-href", "{}"),
    "amp-tiktok": ("data-src", "{}"),
    "amp-soundcloud": (
        "data-trackid",
        "https://w.soundcloud.com/player/?url=https://api.soundcloud.com/tracks/{}",
    ),
}
PLAYERS = {
    "iframe",
    "video",
    "audio",
    "embed",
    "object",
    "amp-iframe",
    "amp-video",
    "amp-audio",
    *_AMP,
}


def box_address(marks: str, element: HtmlElement) -> str:
    """The address of a post of another site that a script would draw here; "" when it is none."""
    for mark, attribute in _BOXES:
        if mark in marks:
            address = (element.get(attribute) or "").partition("?")[0]
            return address.removesuffix("/embed") if address.startswith("http") else ""
    return ""


def source_of(element: HtmlElement) -> str:
    """The address of what an iframe, video, audio, embed, object or their AMP form shows."""
    if element.tag in _AMP:
        name, address = _AMP[element.tag]
        value = (element.get(name) or "").strip()
        return address.format(value) if value else ""
    for name in ("src", "data-src", "data-lazy-src", "data-litespeed-src", "data-src-cmplz",
                 "data-cmp-src", "data-cookieblock-src", "suppressedsrc", "data"):  # fmt: skip
        value = (element.get(name) or "").strip()
        if value and not value.startswith(("about:", "data:", "javascript:")):
            return value
    inner = element.find(".//source[@src]")
    if inner is not None:
        return (inner.get("src") or "").strip()
    fallback = element.find(".//embed[@src]")
    if fallback is None:
        fallback = element.find(".//a[@href]")
        return (fallback.get("href") or "").strip() if fallback is not None else ""
    return (fallback.get("src") or "").strip()
