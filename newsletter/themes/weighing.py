"""What each word of each text says for each theme under a model's coefficients.

Many texts at once, by whole arrays, or one: the same code learns and suggests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from newsletter.themes import features
from newsletter.themes.corpus import Corpus
from newsletter.themes.features import Known, Vocabulary, known_terms
from newsletter.themes.logistic import Array
from newsletter.themes.vectors import word_vectors

Places = npt.NDArray[np.int64]
MOST_WORDS = 20  # of a text that count for a theme
STRONGEST = 3  # words that must say much: what rests on many faint ones is not suggested
LOGITS = ("telling", "whole", "many")


@dataclass(frozen=True)
class WordParts:
    words: Places  # numbers of the corpus's terms, text after text
    ends: Places  # where each text's words end; the first is 0
    parts: Array  # one row a word, one column a theme, and one for how many themes a text has


def vector_weights(vocabulary: Vocabulary, coefficients: Array) -> Array | None:
    """What each word of the table of vectors weighs for each theme."""
    table = word_vectors(vocabulary.language) if vocabulary.with_vectors else None
    if table is None:
        return None
    weights: Array = table.matrix @ coefficients[-1 - table.size : -1]
    return weights


def word_parts(
    corpus: Corpus,
    vocabulary: Vocabulary,
    coefficients: Array,
    vectors: Array | None,
    known: Known | None = None,
) -> WordParts:
    """The words of the texts, and the part of each in each theme; a pair's goes to its two words.

    `known` is what the vocabulary knows of the corpus, when the caller has asked already.
    """
    known = known or known_terms(corpus.numbers, vocabulary)
    is_word = np.array([" " not in term for term in corpus.numbers], bool)[corpus.places]
    words = corpus.places[is_word].astype(np.int64)
    ends = np.append(0, np.cumsum(is_word))[corpus.ends]
    of_text = corpus.of_text
    parts = _of_terms(corpus, is_word, of_text, vocabulary, coefficients, known)
    if vocabulary.grams:
        parts += _of_grams(words, of_text[is_word], vocabulary, coefficients, known)
    if vectors is not None:
        counts = corpus.counts[is_word]
        _add_vectors(parts, words, counts, ends, vocabulary.language, vectors, known)
    return WordParts(words, ends, parts)


def logits_of(parts: Array, intercept: Array, fading: float) -> Array:
    """What the words of one text say for each theme; the last axis is LOGITS.

    - Its most telling words, each a little less than the one before. So the words that are shown
      are what gave a suggestion: without the first three little is left. It also suggests better
      than the plain sum over all words while little was learned: a hundred faint hints outweigh no
      keyword.
    - All words, also those that speak against it: `calibration` learns how far they can be trusted.
    - How many themes such a text has, equal for all of them. It is the last column of the parts.
    """
    whole = parts.sum(axis=0) + intercept
    positive = np.maximum(parts[:, :-1], 0.0)
    if len(positive) > MOST_WORDS:
        positive = np.partition(positive, len(positive) - MOST_WORDS, axis=0)[-MOST_WORDS:]
    faded = fading ** np.arange(len(positive), dtype=np.float32)
    telling = faded @ np.sort(positive, axis=0)[::-1] + intercept[:-1]
    many = np.full_like(telling, whole[-1])
    result: Array = np.stack((telling, whole[:-1], many), axis=-1).astype(np.float32)
    return result


def strongest_of(parts: Array) -> Array:
    """What the most telling words say for each theme by themselves."""
    positive = np.maximum(parts, 0.0)
    if len(positive) > STRONGEST:
        positive = np.partition(positive, len(positive) - STRONGEST, axis=0)[-STRONGEST:]
    result: Array = positive.sum(axis=0)
    return result


def _of_terms(
    corpus: Corpus,
    is_word: npt.NDArray[np.bool_],
    of_text: Places,
    vocabulary: Vocabulary,
    coefficients: Array,
    known: Known,
) -> Array:
    columns = known.columns[corpus.places]
    at = np.flatnonzero(columns >= 0)
    columns = columns[at]
    values = (1 + np.log(corpus.counts[at])) * vocabulary.term_weights[columns]
    lengths = np.sqrt(np.bincount(of_text[at], values * values, corpus.texts))
    values /= np.maximum(lengths, 1e-9)[of_text[at]]
    row = np.cumsum(is_word) - 1
    single = is_word[at]
    parts: Array = np.zeros((int(is_word.sum()), coefficients.shape[1]), np.float32)
    parts[row[at[single]]] = values[single, None] * coefficients[columns[single]]
    if single.all():
        return parts
    at, values, columns = at[~single], values[~single], columns[~single]
    # Where each text has each word, to find both words of a pair.
    width = len(corpus.numbers)
    keys = of_text[is_word] * width + corpus.places[is_word]
    order = np.argsort(keys)
    names = list(corpus.numbers)
    pairs, which = np.unique(corpus.places[at], return_inverse=True)
    both = [[corpus.numbers[word] for word in names[pair].split(" ")] for pair in pairs]
    wanted = of_text[at, None] * width + np.array(both, np.int64)[which]
    owners = order[np.searchsorted(keys, wanted.ravel(), sorter=order)]
    halves = sparse.csr_matrix(
        (np.repeat(values / 2, 2), (owners, np.repeat(columns, 2))),
        shape=(len(parts), len(vocabulary.terms)),
        dtype=np.float32,
    )
    parts += halves @ coefficients[: len(vocabulary.terms)]
    return parts


def _of_grams(
    words: Places, of_text: Places, vocabulary: Vocabulary, coefficients: Array, known: Known
) -> Array:
    """A piece that several words of a text have counts among them."""
    of_words = known.pieces[words]
    text_of_piece = np.repeat(of_text, np.diff(of_words.indptr))
    keys = text_of_piece * len(vocabulary.grams) + of_words.indices
    found, back, times = np.unique(keys, return_inverse=True, return_counts=True)
    texts, columns = np.divmod(found, len(vocabulary.grams))
    values = (1 + np.log(times.astype(np.float32))) * vocabulary.gram_weights[columns]
    lengths = np.sqrt(np.bincount(texts, values * values))
    values /= np.maximum(lengths, 1e-9)[texts] * times
    of_words.data = values.astype(np.float32)[back.reshape(-1)]
    first = len(vocabulary.terms)
    result: Array = of_words @ coefficients[first : first + len(vocabulary.grams)]
    return result


def _add_vectors(
    parts: Array,
    words: Places,
    counts: Array,
    ends: Places,
    language: str,
    weights: Array,
    known: Known,
) -> None:
    table = word_vectors(language)
    if table is None:  # pragma: no cover — the weights are made from it
        return
    rows = known.table_rows[words]
    at = np.flatnonzero(rows >= 0)
    amounts = 1 + np.log(counts[at])
    ends = np.searchsorted(at, ends)
    there, here = np.unique(rows[at], return_inverse=True)
    of_texts = sparse.csr_matrix(
        (amounts, here.reshape(-1), ends), shape=(len(ends) - 1, len(there)), dtype=np.float32
    )
    lengths = np.linalg.norm(of_texts @ table.matrix[there], axis=1)
    shares = features.VECTORS_WEIGH / np.maximum(lengths, 1e-9)
    parts[at] += (amounts * np.repeat(shares, np.diff(ends)))[:, None] * weights[rows[at]]
