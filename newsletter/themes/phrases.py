"""Telling words that stand side by side, as one term: "orario di lavoro". Pure.

An editor reads it as one thing, and it is taken away as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from newsletter.themes.documents import Text
from newsletter.themes.stemming import Token

LONGEST = 3  # words that carry a subject
# A comma, a bracket, an "and": what stands on both sides of it is no phrase.
_APART = re.compile(r"[^\w\s'’‘-]|\b(?:ed?|od?|che|and|or|that)\b", re.IGNORECASE)


class Phrase(NamedTuple):
    stems: tuple[str, ...]
    written: str
    in_title: bool


def phrases(text: Text, telling: Mapping[str, float]) -> list[Phrase]:
    """Of stems by what they tell; none is in two phrases.

    Where a word mostly stands elsewhere in the text, it is no part of a phrase.
    """
    found: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], Phrase] = {}
    alone: Counter[str] = Counter()
    for source, words, in_title in (
        (text.title, text.title_tokens, True),
        (text.body, text.body_tokens, False),
    ):
        alone.update(word.stem for word in words if word.stem in telling)
        for run in _runs(source, words, telling):
            stems = tuple(word.stem for word in run)
            written = " ".join(source[run[0].start : run[-1].end].split())
            found[stems] += 1
            first.setdefault(stems, Phrase(stems, written, in_title))
    taken: set[str] = set()
    chosen = []
    for stems in sorted(found, key=lambda one: -sum(telling[stem] for stem in one)):
        if taken.isdisjoint(stems) and all(2 * found[stems] >= alone[stem] for stem in stems):
            taken.update(stems)
            chosen.append(first[stems])
    return chosen


def _runs(source: str, words: list[Token], telling: Mapping[str, float]) -> Iterator[list[Token]]:
    run: list[Token] = []
    for word in words:
        fits = word.stem in telling and word.stem not in {one.stem for one in run}
        if run and (
            not fits or len(run) == LONGEST or _APART.search(source, run[-1].end, word.start)
        ):
            if len(run) > 1:
                yield run
            run = []
        if word.stem in telling:
            run.append(word)
    if len(run) > 1:
        yield run
