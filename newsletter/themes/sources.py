"""What the learner is given, and how much of it is enough or too much."""

from __future__ import annotations

from typing import NamedTuple

# Fewer articles say too little about which words go together; keywords speak alone until then.
ENOUGH_ARTICLES = 30
# Training on 100,000 articles takes minutes and gigabytes, and is no better: all reviewed articles
# with themes, the newest without, and the newest that nobody reviewed.
NEWEST = 20_000
MOST_UNREVIEWED = 3_000


class Source(NamedTuple):
    """An article; `themes` None when nobody reviewed it."""

    title: str
    text: str
    themes: frozenset[int] | None
