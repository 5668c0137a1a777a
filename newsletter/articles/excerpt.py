"""A short text that ends where a sentence ends."""

from __future__ import annotations

import re

_ELLIPSIS = re.compile(
    r"\s*(?:\[\s*(?:…|\.{3}|&hellip;|&#8230;)\s*\]|…|\.{3,})\s*"
    r"(?:(?:continua|leggi|read|continue|weiterlesen|mehr|seguir|sigue|leer|leia|lire|lees|verder|czytaj)\b.{0,60})?$",
    re.IGNORECASE,
)
# Not an end: "art. 18", "dott. Rossi", "U.S. Steel", "3.5".
_ABBREVIATIONS = (
    "art", "artt", "dott", "dr", "prof", "sig", "sigg", "ing", "avv", "on", "sen", "ecc", "es",
    "cfr", "pag", "pagg", "n", "nr", "vol", "cap", "co", "tel", "mr", "mrs", "ms", "st", "vs",
    "no", "inc", "ltd", "lett", "comma", "p", "pp", "min", "max", "geom", "rag", "arch", "cav",
    "gen", "col", "cost", "cod", "civ", "pen", "proc", "sez", "sent", "cass", "reg", "ord", "dir",
    "ca", "cit", "ss", "segg", "op", "jr", "sr", "bzw", "usw", "vgl", "str", "av", "mme", "mlle",
    "ed", "fig", "tab", "rif", "prot", "leg", "dlgs", "dl", "dpr", "dpcm", "ccnl", "don", "mons",
    "dott.ssa", "prof.ssa", "sig.ra", "sig.na", "d.lgs", "d.ssa",
)  # fmt: skip
_INITIALS = re.compile(r"(?:\w\.)+\w$")  # "S.p.A.", "U.S.", "d.l."
_GERMAN_MONTH = re.compile(r"\s+(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)")
_END = re.compile(r"[.!?…]+[”\"»’')\]]*(?=\s+[“\"«(‘']?[A-ZÀ-ÖØ-Þ0-9“\"«(]|\s*$)")


def is_truncated(text: str) -> bool:
    """Whether the text ends in "[…]" or the like: somebody else's cut."""
    return bool(_ELLIPSIS.search(text.rstrip()[-120:]))


def is_only_excerpt(content_html: str, text: str) -> bool:
    """Whether an entry gives but the beginning of its post.

    `content_html`: what it gives beside its summary; `text`: what there is to read of it.
    """
    cut = is_truncated(text) and len(text) < 1_500  # a long text may end in "…" of its own
    return cut or (not content_html.strip() and len(text) < 1_000)


def is_excerpt_of(text: str, whole: str) -> bool:
    """Whether `text` is the beginning of the longer `whole`."""
    beginning = " ".join(without_ellipsis(text).split()).rstrip(" ,;:…")
    return len(whole) > len(text) and " ".join(whole.split()).startswith(beginning)


def without_ellipsis(text: str) -> str:
    text = text.strip()
    return text[:-120] + _ELLIPSIS.sub("", text[-120:])


def excerpt(text: str, limit: int = 300) -> str:
    """The first sentences of `text`, at most `limit` characters, never cut within a word.

    Whole sentences where at least one fits; else words and a "…".
    """
    text = " ".join(text.split())
    cut_by_others = is_truncated(text)
    text = without_ellipsis(text)
    if len(text) <= limit and not cut_by_others:
        return text
    best = 0
    for found in _END.finditer(text[: limit + 1]):
        word = re.split(r"[\s(“\"«’']", text[: found.start()])[-1].lower()
        if found[0].startswith(".") and (
            word in _ABBREVIATIONS or len(word) == 1 or _INITIALS.match(word)
        ):
            continue
        if word.isdigit() and len(word) < 3 and _GERMAN_MONTH.match(text, found.end()):
            continue  # "Am 13. August"
        if found.end() <= limit and (found.end() < len(text) or not cut_by_others):
            best = found.end()
    if best >= 40:
        return text[:best]
    if len(text) > limit - 1:
        text = text[: limit - 1].rsplit(" ", 1)[0]
    return text.rstrip(' ,;:–—-(“"«.') + "…"
