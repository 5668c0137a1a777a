"""What the learner is given, and how much of it is enough or too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from newsletter.themes.documents import Stems, read

# Fewer articles say too little about which words go together; keywords speak alone until then.
ENOUGH_ARTICLES = 30
# What a stored model means: its arrays, and the table of word vectors that they go with. A model of
# another format is not read, and its language is learned again.
MODEL_FORMAT = 7
# Training on 100,000 articles takes minutes and gigabytes, and is no better: the newest reviewed
# articles, older ones of themes that have few, and the newest that nobody reviewed.
NEWEST = 20_000
FEW = 1_000
# Suggestions at or above a probability, before they may be accepted unseen from there on.
ENOUGH_TAGS = 10
FEWEST_OWN_TAGS = 3  # of a theme for which those of all themes speak as well
MOST_UNREVIEWED = 3_000
MOST_CONFIDENT = 0.99  # nothing learned is certain


class Source(NamedTuple):
    """An article; `themes` None when nobody reviewed it."""

    title: str
    text: str
    themes: frozenset[int] | None
    packed: bytes | None = None  # the stems of both, when they are at hand

    def stems(self, language: str) -> Stems:
        if self.packed is not None:
            return Stems.unpacked(self.packed)
        return read(self.title, self.text, language).stems()


class WorthLearning:
    """Asked of reviewed articles one by one, newest first."""

    def __init__(self) -> None:
        self._asked = 0
        self._so_far: Counter[int] = Counter()

    def __call__(self, themes: Collection[int]) -> bool:
        self._asked += 1
        if self._asked > NEWEST and all(self._so_far[theme] >= FEW for theme in themes):
            return False
        self._so_far.update(themes)
        return True
