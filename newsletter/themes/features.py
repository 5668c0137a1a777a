"""Texts as rows of numbers: tf-idf of stemmed words and pairs, letters of words, word vectors.

Every number of a row comes from words of the text, and the model is linear: so the share that each
word had in a suggestion can be told exactly (see `learned`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from newsletter.themes.corpus import Array, Corpus
from newsletter.themes.vectors import word_vectors

MOST_TERMS = 30_000
MOST_GRAMS = 40_000
# Over so many articles vectors of words tell nothing more.
WORDS_ALONE_FROM = 10_000
# Different words and pairs, summed over the articles. In more text than this (500 long posts) words
# come often enough to be known whole: pieces of them gain nothing, and take most of the time.
MUCH_TEXT = 300_000
GRAM_LENGTHS = (3, 4, 5)
RARE = 0.1
VECTORS_WEIGH = 1.0  # beside words and pieces, which have length 1


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

    @property
    def term_places(self) -> Mapping[str, int]:
        return self._term_places

    def gram_places(self, stem: str) -> list[int]:
        places = self._gram_places
        return [places[gram] for gram in grams(stem) if gram in places]


def learn_vocabulary(corpus: Corpus, language: str) -> Vocabulary:
    """What occurs in several of the texts; of words, while there is little text, also once."""
    terms = list(corpus.numbers)
    seen = np.bincount(corpus.places, minlength=len(terms))
    is_little = len(corpus.places) < MUCH_TEXT
    least = 1 if is_little else 2 if corpus.texts < 5_000 else 4
    ranked = np.argsort(-seen, kind="stable")[: int((seen >= least).sum())].tolist()
    kept = [at for at in ranked if seen[at] > 1 or " " not in terms[at]][:MOST_TERMS]
    pieces: tuple[str, ...] = ()
    having = np.zeros(0, np.int64)
    if is_little:
        names, of_terms = _pieces(terms)
        once = corpus.by_text(np.ones_like(corpus.counts), corpus.places, len(terms))
        having = np.diff((once @ of_terms).tocsc().indptr)
        often = np.flatnonzero(having >= 2)
        often = often[np.argsort(-having[often], kind="stable")][:MOST_GRAMS]
        pieces, having = tuple(names[at] for at in often), having[often]
    return Vocabulary(
        language=language,
        terms=tuple(terms[at] for at in kept),
        term_weights=_rarity(seen[kept], corpus.texts),
        grams=pieces,
        gram_weights=_rarity(having, corpus.texts),
        with_vectors=corpus.texts < WORDS_ALONE_FROM,
    )


def _rarity(counts: npt.NDArray[Any], texts: int) -> Array:
    """Inverse document frequency, smoothed."""
    result: Array = (np.log((1 + texts) / (1 + counts.astype(np.float64))) + 1).astype(np.float32)
    return result


def _pieces(terms: Sequence[str]) -> tuple[list[str], sparse.csr_matrix]:
    """The pieces of all terms, and one row a term that says which are its own."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    found = [[numbers[piece] for piece in grams(term)] for term in terms]
    columns = np.fromiter(chain.from_iterable(found), np.int32)
    ends = np.cumsum([0, *map(len, found)])
    shape = (len(terms), len(numbers))
    return list(numbers), sparse.csr_matrix(
        (np.ones(len(columns), np.float32), columns, ends), shape=shape
    )


@dataclass(frozen=True)
class Known:
    """What a vocabulary knows of a corpus's terms, by their numbers."""

    columns: npt.NDArray[np.int32]  # -1: not among the vocabulary's terms
    pieces: sparse.csr_matrix  # one row a term, one column a piece
    table_rows: npt.NDArray[np.int32]  # of the word vectors; -1: it has none


def known_terms(numbers: Mapping[str, int], vocabulary: Vocabulary) -> Known:
    table = word_vectors(vocabulary.language) if vocabulary.with_vectors else None
    found = [vocabulary.gram_places(term) for term in numbers] if vocabulary.grams else []
    columns = np.fromiter(chain.from_iterable(found), np.int32)
    ends = np.cumsum([0, *map(len, found)]) if found else np.zeros(len(numbers) + 1, np.int64)
    return Known(
        _joined(numbers, vocabulary.term_places),
        sparse.csr_matrix(
            (np.ones(len(columns), np.float32), columns, ends),
            shape=(len(numbers), len(vocabulary.grams)),
        ),
        _joined(numbers, table.rows if table else {}),
    )


def _joined(numbers: Mapping[str, int], places: Mapping[str, int]) -> npt.NDArray[np.int32]:
    """Of each numbered term its place, or -1; asked from the side that has fewer."""
    if len(numbers) <= len(places):
        return np.array([places.get(term, -1) for term in numbers], np.int32)
    result = np.full(len(numbers), -1, np.int32)
    both = [(numbers[term], place) for term, place in places.items() if term in numbers]
    here, there = np.array(both, np.int32).reshape(-1, 2).T
    result[here] = there
    return result


def rows(corpus: Corpus, vocabulary: Vocabulary, known: Known) -> sparse.csr_matrix:
    """One row a text: each group of features has length 1 by itself."""
    groups = [term_rows(corpus, vocabulary, known)]
    if vocabulary.grams:
        groups.append(_gram_rows(corpus, vocabulary, known))
    if vocabulary.vector_size:
        groups.append(_vector_rows(corpus, vocabulary, known))
    # Of many articles there is one group, and it is large: not copied.
    return groups[0] if len(groups) == 1 else sparse.hstack(groups, "csr", np.float32)


def term_rows(corpus: Corpus, vocabulary: Vocabulary, known: Known) -> sparse.csr_matrix:
    """The words and pairs alone."""
    return _of_length_one(_term_values(corpus, vocabulary, known))


def rare_rows(corpus: Corpus, vocabulary: Vocabulary, known: Known) -> sparse.csr_matrix:
    """The words and pairs that hardly more than the share RARE of all texts have."""
    matrix = _term_values(corpus, vocabulary, known)
    matrix.data *= (vocabulary.term_weights >= 1 - np.log(RARE))[matrix.indices]
    matrix.eliminate_zeros()
    return _of_length_one(matrix)


def _term_values(corpus: Corpus, vocabulary: Vocabulary, known: Known) -> sparse.csr_matrix:
    columns = known.columns[corpus.places]
    is_known = columns >= 0
    ends = np.zeros(len(columns) + 1, np.int32)
    np.cumsum(is_known, out=ends[1:])
    ends, columns = ends[corpus.ends], columns[is_known]
    values = corpus.counts[is_known]
    np.log(values, out=values)
    values += 1
    values *= vocabulary.term_weights[columns]
    shape = (corpus.texts, len(vocabulary.terms))
    return sparse.csr_matrix((values, columns, ends), shape=shape)


def _gram_rows(corpus: Corpus, vocabulary: Vocabulary, known: Known) -> sparse.csr_matrix:
    once = corpus.by_text(np.ones_like(corpus.counts), corpus.places, len(corpus.numbers))
    matrix = once @ known.pieces
    matrix.data = (1 + np.log(matrix.data)) * vocabulary.gram_weights[matrix.indices]
    return _of_length_one(matrix)


def _vector_rows(corpus: Corpus, vocabulary: Vocabulary, known: Known) -> sparse.csr_matrix:
    table = word_vectors(vocabulary.language)
    if table is None:  # pragma: no cover — the caller has looked
        raise LookupError(vocabulary.language)
    here = np.flatnonzero(known.table_rows >= 0)
    amounts = corpus.by_text(1 + np.log(corpus.counts), corpus.places, len(corpus.numbers))
    result = amounts[:, here] @ table.matrix[known.table_rows[here]]
    lengths = np.linalg.norm(result, axis=1, keepdims=True)
    return sparse.csr_matrix(result * (VECTORS_WEIGH / np.maximum(lengths, 1e-9)))


def _of_length_one(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    squares = sparse.csr_matrix((matrix.data**2, matrix.indices, matrix.indptr), matrix.shape)
    lengths = np.sqrt(np.asarray(squares.sum(axis=1), np.float32)).ravel()
    matrix.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(matrix.indptr))
    return matrix
