"""What an editor says of one word: "never this one" or "always this one". Pure.

The words stay in the theme's own lists, where everybody sees them and can take them away again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from newsletter.themes.stemming import stem_phrase

MOST_LETTERS = 80


class Verdict(StrEnum):
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Words:
    """A theme's lists, one word or phrase a line."""

    keywords: str
    exclusions: str


@dataclass(frozen=True)
class Lesson:
    """What was changed in the lists, so that it can be taken back."""

    word: str
    verdict: Verdict
    added: bool
    removed: tuple[str, ...]  # lines of the other list that said the opposite


def teach(words: Words, word: str, verdict: Verdict, language: str) -> tuple[Words, Lesson]:
    """Adds the word to the list it belongs to, unless it is there, and takes it off the other."""
    word = " ".join(word.split())[:MOST_LETTERS]
    to, other = _lists(words, verdict)
    stems = stem_phrase(word, language)
    added = bool(stems) and not any(_same(line, stems, language) for line in to)
    removed = tuple(line for line in other if stems and _same(line, stems, language))
    lesson = Lesson(word, verdict, added, removed)
    return _with(
        words,
        verdict,
        [*to, word] if added else to,
        [line for line in other if line not in removed],
    ), lesson


def unteach(words: Words, lesson: Lesson) -> Words:
    """The lists as if nothing had been taught; what others changed since stays."""
    to, other = _lists(words, lesson.verdict)
    if lesson.added and lesson.word in to:
        to.remove(lesson.word)
    back = [line for line in lesson.removed if line not in other]
    return _with(words, lesson.verdict, to, other + back)


def _lists(words: Words, verdict: Verdict) -> tuple[list[str], list[str]]:
    keywords, exclusions = _lines(words.keywords), _lines(words.exclusions)
    return (keywords, exclusions) if verdict == Verdict.ALWAYS else (exclusions, keywords)


def _with(words: Words, verdict: Verdict, to: Iterable[str], other: Iterable[str]) -> Words:
    first, second = "\n".join(to), "\n".join(other)
    return Words(first, second) if verdict == Verdict.ALWAYS else Words(second, first)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _same(line: str, stems: tuple[str, ...], language: str) -> bool:
    return stem_phrase(line, language) == stems
