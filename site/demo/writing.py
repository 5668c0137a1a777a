"""From the text of a post file to the HTML that WordPress would print."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta

ITALIAN_MONTHS = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
]
ITALIAN_WEEKDAYS = ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"]
ENGLISH_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ENGLISH_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

EXCERPT_WORDS = 55
_PLACEHOLDER = re.compile(r"\{\{(day|workday) ([+-]\d+)\}\}")
_BLOCK = re.compile(
    r"<(?:p|h\d|ul|ol|table|blockquote|figure|div|script|iframe|hr|!--)\b", re.IGNORECASE
)


def long_date(day: datetime, language: str, *, weekday: bool = False) -> str:
    """`13 agosto 2025`, or `mercoledì 13 agosto` with the weekday and without the year."""
    italian = language.startswith("it")
    months = ITALIAN_MONTHS if italian else ENGLISH_MONTHS
    weekdays = ITALIAN_WEEKDAYS if italian else ENGLISH_WEEKDAYS
    if weekday:
        return f"{weekdays[day.weekday()]} {day.day} {months[day.month - 1]}"
    return f"{day.day} {months[day.month - 1]} {day.year}"


def fill_in(text: str, base: datetime, language: str, blog_url: str) -> str:
    """Put dates relative to `base` and the blog's address where the text asks for them."""

    def date(found: re.Match[str]) -> str:
        day = base + timedelta(days=int(found[2]))
        if found[1] == "day":
            return long_date(day, language)
        if day.weekday() > 4:
            day += timedelta(days=7 - day.weekday())
        return long_date(day, language, weekday=True)

    return _PLACEHOLDER.sub(date, text).replace("{{blog}}", blog_url)


def paragraphs(text: str) -> str:
    """Wrap in <p> every block that doesn't begin with a block tag (WordPress calls it wpautop)."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    return "\n".join(block if _BLOCK.match(block) else f"<p>{block}</p>" for block in blocks)


def excerpt(body: str) -> str:
    """The first words without markup, ending in `[&#8230;]` when something was cut."""
    bare = re.sub(r"<script.*?</script>|<!--.*?-->|<[^>]*>", " ", body, flags=re.DOTALL)
    words = html.unescape(bare).split()
    cut = html.escape(" ".join(words[:EXCERPT_WORDS]), quote=False)
    return f"{cut} [&#8230;]" if len(words) > EXCERPT_WORDS else cut


def texturise(text: str) -> str:
    """Typographic marks as numeric entities."""
    return re.sub("[‘’“”«»–…]", lambda mark: f"&#{ord(mark[0])};", text)
