"""What somebody meant whose words nothing says: the nearest words of the latest articles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from django.db.models import QuerySet

from newsletter.articles.models import Article
from newsletter.themes.stemming import fold

# The words of so many articles are known: the cost must not grow with the archive.
_READ = 3_000
# A shorter word is near to too many others.
_SHORTEST = 5
_FORGIVES_TWO = 7  # letters or more
_WORD = re.compile(r"[^\W_]+")


def latest_words(articles: QuerySet[Article]) -> Counter[str]:
    """How often titles and excerpts of the latest say each word, without accents and capitals."""
    latest = articles.order_by("-listed_at").values_list("title", "excerpt")[:_READ]
    return Counter(_WORD.findall(fold("\n".join(text for row in latest for text in row))))


def respelled(query: str, known: Counter[str]) -> str:
    """The query with each unknown word replaced by the nearest known one; empty when no word is
    near enough, or none is unknown.
    """
    written = _WORD.findall(fold(query))
    meant = [word if word in known else _nearest(word, known) or word for word in written]
    return " ".join(meant) if meant != written else ""


def _nearest(word: str, known: Counter[str]) -> str:
    most = 0 if len(word) < _SHORTEST else 1 if len(word) < _FORGIVES_TWO else 2
    letters = _letters(word)
    best, best_rank = "", (most, 1)
    for other, times in known.items() if most else ():
        # An error changes at most two letters: most words are ruled out without a closer look.
        if (
            abs(len(other) - len(word)) > most
            or len(other) < _SHORTEST
            or (letters ^ _letters(other)).bit_count() > 2 * most
        ):
            continue
        rank = (errors(word, other, most), -times)
        if rank < best_rank:
            best, best_rank = other, rank
    return best


def _letters(word: str) -> int:
    mask = 0
    for sign in word:
        mask |= 1 << (ord(sign) & 31)
    return mask


def errors(written: str, meant: str, most: int) -> int:
    """How many letters were forgotten, added, confused or swapped with their neighbour; any number
    above `most` when there are more.
    """
    before: Sequence[int] = []
    last: Sequence[int] = range(len(meant) + 1)
    for i, sign in enumerate(written, 1):
        row = [i]
        for j, other in enumerate(meant, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (sign != other))
            if i > 1 and j > 1 and sign == meant[j - 2] and written[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]
