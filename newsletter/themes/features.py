"""Texts as rows of numbers: tf-idf of stemmed words and pairs, letters of words, word vectors.

Every number of a row comes from words of the text, and the model is linear: so the share that each
word had in a suggestion can be told exactly (see `learned`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from newsletter.themes.vectors import word_vectors

Array = npt.NDArray[np.float32]
Counts = Counter[str]

MOST_TERMS = 30_000
MOST_GRAMS = 40_000
# Over so many articles vectors of words tell nothing more.
WORDS_ALONE_FROM = 10_000
# Different words and pairs, summed over the articles. In more text than this (500 long posts) words
# come often enough to be known whole: pieces of them gain nothing, and take most of the time.
MUCH_TEXT = 300_000
GRAM_LENGTHS = (3, 4, 5)


@lru_cache(maxsize=100_000)
def grams(stem: str) -> tuple[str, ...]:
    """The pieces of 3 to 5 letters of a word with its ends marked; none of a pair."""
    if " " in stem:
        return ()
    marked = f"<{stem}>"
    return tuple(
        {
            marked[first : first + length]
            for length in GRAM_LENGTHS
            for first in range(len(marked) - length + 1)
        }
    )


@dataclass(frozen=True)
class Vocabulary:
    """The terms (and pieces) that are known, with their weights; fixed once a model is trained."""

    language: str
    terms: tuple[str, ...]
    term_weights: Array
    grams: tuple[str, ...]
    gram_weights: Array
    with_vectors: bool
    _term_places: dict[str, int] = field(init=False, repr=False, compare=False)
    _gram_places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_once = object.__setattr__
        set_once(self, "_term_places", {term: at for at, term in enumerate(self.terms)})
        set_once(self, "_gram_places", {gram: at for at, gram in enumerate(self.grams)})

    @property
    def vector_size(self) -> int:
        table = word_vectors(self.language) if self.with_vectors else None
        return table.size if table else 0

    @property
    def size(self) -> int:
        return len(self.terms) + len(self.grams) + self.vector_size

    def term_places(self, stems: Sequence[str]) -> list[int]:
        """-1 for a term that is not known."""
        places = self._term_places
        return [places.get(stem, -1) for stem in stems]

    def gram_places(self, stem: str) -> list[int]:
        places = self._gram_places
        return [places[gram] for gram in grams(stem) if gram in places]


def learn_vocabulary(texts: Sequence[Counts], language: str) -> Vocabulary:
    """What occurs in several of the texts; of words, while there is little text, also once."""
    seen: Counter[str] = Counter(chain.from_iterable(texts))
    is_little = sum(map(len, texts)) < MUCH_TEXT
    least = 1 if is_little else 2 if len(texts) < 5_000 else 4
    kept = [
        (term, count)
        for term, count in seen.most_common(MOST_TERMS)
        if count >= (max(least, 2) if " " in term else least)
    ]
    pieces: list[tuple[str, int]] = []
    if is_little:
        words = [[term for term in text if " " not in term] for text in texts]
        of_text = (set(chain.from_iterable(map(grams, text))) for text in words)
        counted: Counter[str] = Counter(chain.from_iterable(of_text))
        pieces = [one for one in counted.most_common(MOST_GRAMS) if one[1] >= 2]
    return Vocabulary(
        language=language,
        terms=tuple(term for term, _ in kept),
        term_weights=_rarity([count for _, count in kept], len(texts)),
        grams=tuple(piece for piece, _ in pieces),
        gram_weights=_rarity([count for _, count in pieces], len(texts)),
        with_vectors=len(texts) < WORDS_ALONE_FROM,
    )


def _rarity(counts: list[int], texts: int) -> Array:
    """Inverse document frequency, smoothed."""
    frequency = np.asarray(counts, np.float64)
    result: Array = (np.log((1 + texts) / (1 + frequency)) + 1).astype(np.float32)
    return result


def rows(texts: Sequence[Counts], vocabulary: Vocabulary) -> sparse.csr_matrix:
    """One row a text: each group of features has length 1 by itself."""
    groups = [_term_rows(texts, vocabulary)]
    if vocabulary.grams:
        groups.append(_gram_rows(texts, vocabulary))
    if vocabulary.vector_size:
        groups.append(_vector_rows(texts, vocabulary))
    return sparse.hstack(groups, format="csr", dtype=np.float32)


def _term_rows(texts: Sequence[Counts], vocabulary: Vocabulary) -> sparse.csr_matrix:
    places, counts, ends = [], [], [0]
    known = vocabulary._term_places
    for text in texts:
        found = [(known[term], count) for term, count in text.items() if term in known]
        places += [place for place, _ in found]
        counts += [count for _, count in found]
        ends.append(len(places))
    columns = np.asarray(places, np.int32)
    values = (1 + np.log(np.asarray(counts, np.float32))) * vocabulary.term_weights[columns]
    shape = (len(texts), len(vocabulary.terms))
    return _of_length_one(sparse.csr_matrix((values, columns, np.asarray(ends)), shape=shape))


def _gram_rows(texts: Sequence[Counts], vocabulary: Vocabulary) -> sparse.csr_matrix:
    known: dict[str, list[int]] = {}
    columns, values, ends = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)], [0]
    for text in texts:
        places: list[int] = []
        for term in text:
            if " " not in term:
                if term not in known:
                    known[term] = vocabulary.gram_places(term)
                places += known[term]
        at, counts = np.unique(np.asarray(places, np.int32), return_counts=True)
        columns.append(at)
        values.append((1 + np.log(counts.astype(np.float32))) * vocabulary.gram_weights[at])
        ends.append(ends[-1] + len(at))
    matrix = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(columns), np.asarray(ends)),
        shape=(len(texts), len(vocabulary.grams)),
    )
    return _of_length_one(matrix)


def _vector_rows(texts: Sequence[Counts], vocabulary: Vocabulary) -> sparse.csr_matrix:
    table = word_vectors(vocabulary.language)
    if table is None:  # pragma: no cover — the caller has looked
        raise LookupError(vocabulary.language)
    result = np.zeros((len(texts), table.size), np.float32)
    for at, text in enumerate(texts):
        found = [(table.rows[term], count) for term, count in text.items() if term in table.rows]
        if found:
            places, counts = zip(*found, strict=True)
            weights = 1 + np.log(np.asarray(counts, np.float32))
            result[at] = weights @ table.matrix[list(places)]
    lengths = np.linalg.norm(result, axis=1, keepdims=True)
    return sparse.csr_matrix(result / np.maximum(lengths, 1e-9))


def _of_length_one(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    squares: Any = matrix.multiply(matrix).sum(axis=1)
    lengths = np.sqrt(np.asarray(squares, np.float32)).ravel()
    matrix.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(matrix.indptr))
    return matrix
