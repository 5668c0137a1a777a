"""What the learner is given, and how much of it is enough or too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

# Fewer articles say too little about which words go together; keywords speak alone until then.
ENOUGH_ARTICLES = 30
# What a stored model means: its arrays, and the table of word vectors that they go with. A model of
# another format is not read, and its language is learned again.
MODEL_FORMAT = 2
# Training on 100,000 articles takes minutes and gigabytes, and is no better: the newest reviewed
# articles, older ones of themes that have few, and the newest that nobody reviewed.
NEWEST = 20_000
FEW = 1_000
# Suggestions at or above a probability, before they may be accepted unseen from there on.
ENOUGH_TAGS = 10
MOST_UNREVIEWED = 3_000


class Source(NamedTuple):
    """An article; `themes` None when nobody reviewed it."""

    title: str
    text: str
    themes: frozenset[int] | None


def worth_learning(reviewed: Sequence[Collection[int]]) -> list[int]:
    """Which of the reviewed articles to learn from, given the themes of each, newest first."""
    so_far: Counter[int] = Counter()
    kept = []
    for place, themes in enumerate(reviewed):
        if place < NEWEST or any(so_far[theme] < FEW for theme in themes):
            kept.append(place)
            so_far.update(themes)
    return kept
