"""Text as it is set in a mail: one line, cut where a reader would stop, dates in words."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

# Marks that turn the reading direction: a title with one could show a false address.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_SENTENCE_END = re.compile(r"[.!?…](?=[\s»”\"')\]]|$)[»”\"')\]]*")
_SMALL_MONTHS = {"it", "fr", "es", "pt"}
SUBJECT_LENGTH = 150


def one_line(text: str) -> str:
    """The text with every run of white space a single space, and no control characters.

    Line ends of all kinds go, so a title can never start a header of its own.
    """
    plain = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs") else sign for sign in text
    )
    return " ".join(_BIDI.sub("", plain).split())


def paragraphs(text: str) -> str:
    """The text's paragraphs, each one line, an empty line between them."""
    blocks = text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n")
    return "\n\n".join(line for block in blocks if (line := one_line(block)))


def shorten(text: str, length: int) -> str:
    """At most `length` signs: whole sentences when that keeps half, else whole words and "…"."""
    text = one_line(text)
    if len(text) <= length:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if match.end() <= length]
    if ends and ends[-1] >= length // 2:
        return text[: ends[-1]]
    room = text[: length - 1]
    words = room if text[length - 1] == " " else room.rpartition(" ")[0]
    return (words or room).rstrip(" ,;:–—-.…(«“") + "…"


def date_in_words(day: date, language: str) -> str:
    """16 luglio 2026."""
    with translation.override(language):
        return inside_a_sentence(date_format(day, "j F Y", use_l10n=False))


def weekday_in_words(day: date, language: str) -> str:
    """giovedì."""
    with translation.override(language):
        return inside_a_sentence(date_format(day, "l", use_l10n=False))


def inside_a_sentence(date_words: str) -> str:
    """Days and months as the language in force writes them: Django's all begin with a capital."""
    language = (get_language() or "").split("-")[0]
    return date_words.lower() if language in _SMALL_MONTHS else date_words


def own_subject(subject: str, newsletter: str, number: int, language: str) -> str:
    """The subject without the newsletter's name and number, where a page shows them beside it."""
    said = default_subject(newsletter, number, "", language)
    return subject.removeprefix(said).strip() or subject


def default_subject(newsletter: str, number: int, title: str, language: str) -> str:
    """The subject an issue has until an editor writes a better one."""
    with translation.override(language):
        return shorten(
            _("%(newsletter)s N. %(number)d: %(title)s")
            % {"newsletter": newsletter, "number": number, "title": title},
            SUBJECT_LENGTH,
        )
