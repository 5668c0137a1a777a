"""Is there English left on a screen? By the catalogue's own source strings, and by little words."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
_PLACE = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>")
# Words that no Italian sentence has, and few English sentences lack.
_LITTLE = frozenset(
    re.split(
        r"\s+",
        """the of and to is are was were with this that these those for has have had from not your
        you will be been it its as by on at or if when what who which where there here no any all
        can cannot only more than into out up down new old add edit delete save choose search""",
    )
)
_ITALIAN_TOO = frozenset({"no", "more", "out", "it", "up"})
_ADDRESS = re.compile(r"\S*[/@]\S*")
_WORD = re.compile(r"[a-zA-Zàèéìòù’']+")


@cache
def source_strings() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Whole strings, and patterns of those with values in them, that Italian says otherwise."""
    whole: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for path in ROOT.glob("**/locale/it/LC_MESSAGES/django.po"):
        if ".venv" in path.parts:
            continue
        with path.open("rb") as file:
            catalogue = read_po(file, locale="it")
        for message in catalogue:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            said = message.string if isinstance(message.string, tuple) else (message.string,)
            for one in filter(None, ids):
                text = " ".join(one.split())
                if text in said or len(text) < 3:
                    continue
                if _PLACE.search(text):
                    pieces = [re.escape(piece) for piece in _PLACE.split(text)]
                    if sum(len(_WORD.findall(piece)) for piece in pieces) >= 2:
                        patterns.append(re.compile(".{1,80}?".join(pieces) + r"\Z"))
                else:
                    whole.add(text)
    return frozenset(whole), tuple(patterns)


def is_english(text: str) -> bool:
    text = " ".join(text.split()).strip(" :…")
    whole, patterns = source_strings()
    if text in whole or any(pattern.match(text) for pattern in patterns):
        return True
    words = [word.lower() for word in _WORD.findall(_ADDRESS.sub("", text))]
    little = [word for word in words if word in _LITTLE and word not in _ITALIAN_TOO]
    return len(words) >= 3 and len(little) >= 2 and len(little) / len(words) >= 0.25
