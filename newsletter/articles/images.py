"""Which images of a post are pictures, and where they really are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lxml.html import HtmlElement

_PIXELS = re.compile(
    r"pixel\.wp\.com|stats\.wordpress\.com|/b\.gif\b|feedburner\.com/~(?:r|f|ff)|feedsportal|"
    r"doubleclick\.net|google-analytics|googleadservices|facebook\.com/tr|quantserve|"
    r"scorecardresearch|list-manage\.com/track|/track(?:ing)?[/_-]?(?:open|pixel)|pixel\.(?:gif|png|php)|"
    r"/1x1\.|spacer\.gif|blank\.gif|transparent\.(?:gif|png)|vgwort|piwik|matomo\.php|"
    r"medium\.com/_/stat|feedpress\.(?:me|it)/\d+/\d+\.gif|pheedo\.com/|feedblitz\.com/~|tinypass|"
    r"//(?:hits|analytics|stats|pixel|beacon|track)\.[\w-]+\.|/open\.aspx|shinystat|histats|"
    r"republication-tracker-tool|counter\.theconversation|feeds\.wordpress\.com/1\.0/",
    re.IGNORECASE,
)
_DECORATIONS = re.compile(
    r"s\.w\.org/images/core/emoji|/wp-includes/images/smilies|twemoji|fbcdn\.net/images/emoji|"
    r"abs(?:-0)?\.twimg\.com/emoji|static\.xx\.fbcdn\.net/images/emoji",
    re.IGNORECASE,
)
_ICONS = re.compile(
    r"(?:share|social|facebook|twitter|whatsapp|telegram|linkedin|print|pdf|email|rss)[-_]?"
    r"(?:icon|button|logo|\d\d)?\.(?:png|gif|svg|jpe?g)|/share_save_|addtoany|gravatar\.com/avatar",
    re.IGNORECASE,
)
_STAND_IN = re.compile(r"^data:|placeholder|lazy[-_]?load|/blank\.|/spacer\.", re.IGNORECASE)


_SOURCES = (
    "data-src", "data-lazy-src", "data-original", "data-orig-file", "data-large-file",
    "data-litespeed-src", "data-ezsrc", "data-cfsrc", "data-hi-res-src", "data-image",
)  # fmt: skip
_SETS = ("data-srcset", "data-lazy-srcset", "srcset")


def real_source(image: HtmlElement) -> str:
    """The picture's own address, also when a lazy loader put a stand-in there."""
    source = (image.get("src") or "").strip()
    if source and not _STAND_IN.search(source):
        return source
    for name in _SOURCES:
        value = (image.get(name) or "").strip()
        if value and not value.startswith("data:"):
            return value
    for element in (image, *_alternatives(image)):
        for name in _SETS:
            if value := _best_of(element.get(name) or ""):
                return value
    return "" if source.startswith("data:") else source


def _alternatives(image: HtmlElement) -> Iterator[HtmlElement]:
    """The sources of its <picture>; libxml2, which knows no HTML 5, takes them for its parents."""
    for parent in islice(image.iterancestors(), 8):
        if parent.tag == "source":
            yield parent
        elif parent.tag == "picture":
            yield from parent.iterchildren("source")
            return


def _best_of(candidates: str) -> str:
    """The largest picture of a srcset that still fits a mail."""
    best, width = "", 0
    for found in re.finditer(
        r"(\S+?)(?:\s+(\d{1,5})(?:\.\d+)?[wx])?\s*(?:,\s+|,?$|,(?=https?:|/))", candidates[:4_000]
    ):
        address, size = found[1], int(found[2] or 1)
        if not address.startswith("data:") and (not best or width < size <= 1_600):
            best, width = address, size
    return best


def is_pixel(image: HtmlElement, source: str) -> bool:
    """Whether it is there to count readers, or is a button's icon."""
    sizes = [image.get("width") or "", image.get("height") or ""]
    style = image.get("style") or ""
    sizes += re.findall(r"(?:^|[;\s])(?:width|height)\s*:\s*(\d+)(?:px)?\s*(?:;|$)", style)
    numbers = [int(size) for size in (text.removesuffix("px").strip() for text in sizes)
               if size.isdecimal() and len(size) < 6]  # fmt: skip
    if any(number <= 3 for number in numbers):
        return True
    if len(numbers) >= 2 and max(numbers) <= 32 and _ICONS.search(source):
        return True
    return bool(_PIXELS.search(source)) or "gravatar.com/avatar" in source


def is_decoration(image: HtmlElement, source: str) -> bool:
    """An emoji drawn as an image: its letter says the same."""
    marks = image.get("class") or ""
    return "wp-smiley" in marks or "emoji" in marks.split() or bool(_DECORATIONS.search(source))
