"""A trained model: numbers to suggest by, and the words that made each suggestion.

Kept as arrays and JSON in one .npz, never as a pickle: reading a model runs no code.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from newsletter.themes import features
from newsletter.themes.calibration import signs
from newsletter.themes.documents import Text
from newsletter.themes.features import Vocabulary
from newsletter.themes.logistic import Array, sigmoid
from newsletter.themes.sources import MODEL_FORMAT
from newsletter.themes.vectors import word_vectors


@dataclass(frozen=True)
class Acceptance:
    """What is known of a theme's suggestions on reviewed articles; `threshold` None: not yet."""

    threshold: float | None
    tags: int
    right: int


@dataclass(frozen=True)
class Model:
    language: str
    theme_ids: tuple[int, ...]
    vocabulary: Vocabulary
    coefficients: Array  # features and, last, the intercept; one column a theme
    signs: Array  # what `calibration.signs` weigh
    usual: Array
    threshold: float  # of the most probable theme …
    others_threshold: float  # … and of all others
    most_words: int  # of a text that count for a theme
    acceptance: tuple[Acceptance, ...]
    # Numbers for people: articles learned from, measures out of fold, seconds, …
    facts: dict[str, Any] = field(default_factory=dict)
    _vectors: Array | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        weights = vector_weights(self.vocabulary, self.coefficients)
        object.__setattr__(self, "_vectors", weights)

    def weigh(self, text: Text, excluded: Mapping[int, frozenset[str]] | None = None) -> Weighed:
        """`excluded`: of some themes, stems that an editor said do not speak for them."""
        return Weighed(self, text.counts(), excluded or {})

    def probabilities(self, learned: Array, keywords: Array) -> Array:
        """Of one article: a probability for each theme."""
        result: Array = sigmoid(signs(learned[None], keywords[None], self.usual)[0] @ self.signs)
        return result

    def said(self, probabilities: Array) -> Array:
        """Which themes of each article are sure enough to be said; one row an article."""
        best = probabilities == probabilities.max(axis=-1, keepdims=True)
        sure: Array = probabilities >= np.where(best, self.threshold, self.others_threshold)
        return sure

    # --- kept

    def to_bytes(self) -> bytes:
        vocabulary = self.vocabulary
        about = {
            "format": MODEL_FORMAT,
            "language": self.language,
            "theme_ids": self.theme_ids,
            "with_vectors": vocabulary.with_vectors,
            "threshold": self.threshold,
            "others_threshold": self.others_threshold,
            "most_words": self.most_words,
            "acceptance": [[one.threshold, one.tags, one.right] for one in self.acceptance],
            "facts": self.facts,
        }
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            about=_packed(json.dumps(about)),
            terms=_packed("\n".join(vocabulary.terms)),
            grams=_packed("\n".join(vocabulary.grams)),
            term_weights=vocabulary.term_weights,
            gram_weights=vocabulary.gram_weights,
            coefficients=self.coefficients.astype(np.float16),
            signs=self.signs,
            usual=self.usual,
        )
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Model:
        with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
            about = json.loads(_unpacked(arrays["about"]))
            if about["format"] != MODEL_FORMAT:
                raise ValueError(f"A model of format {about['format']}; this is {MODEL_FORMAT}.")
            vocabulary = Vocabulary(
                language=about["language"],
                terms=_lines(arrays["terms"]),
                term_weights=arrays["term_weights"],
                grams=_lines(arrays["grams"]),
                gram_weights=arrays["gram_weights"],
                with_vectors=about["with_vectors"],
            )
            return cls(
                language=about["language"],
                theme_ids=tuple(about["theme_ids"]),
                vocabulary=vocabulary,
                coefficients=arrays["coefficients"].astype(np.float32),
                signs=arrays["signs"],
                usual=arrays["usual"],
                threshold=about["threshold"],
                others_threshold=about["others_threshold"],
                most_words=about["most_words"],
                acceptance=tuple(Acceptance(*one) for one in about["acceptance"]),
                facts=about["facts"],
            )


def _packed(text: str) -> Any:
    return np.frombuffer(text.encode("utf-8"), np.uint8)


def _unpacked(array: Any) -> str:
    return bytes(array).decode("utf-8")


def _lines(array: Any) -> tuple[str, ...]:
    text = _unpacked(array)
    return tuple(text.split("\n")) if text else ()


class Weighed:
    """One text under a model: a logit for each theme, and each word's part in it."""

    def __init__(
        self, model: Model, counts: Counter[str], excluded: Mapping[int, frozenset[str]]
    ) -> None:
        self.model = model
        self._words, self._parts = word_parts(
            counts, model.vocabulary, model.coefficients, model._vectors
        )
        for place, theme_id in enumerate(model.theme_ids):
            silent = excluded.get(theme_id)
            if silent:
                at = [row for row, word in enumerate(self._words) if word in silent]
                self._parts[at, place] = 0.0
        self.logits = logits_of(self._parts, model.coefficients[-1], model.most_words)

    def parts(self, theme: int) -> dict[str, float]:
        """What each of the words that count gave to the theme's logit."""
        column = self._parts[:, theme]
        chosen = np.argsort(-column, kind="stable")[: self.model.most_words]
        return {self._words[at]: float(column[at]) for at in chosen if column[at] > 0}


def logits_of(parts: Array, intercept: Array, most_words: int) -> Array:
    """A theme's logit is what its few most telling words say, and no other word.

    So the words that are shown are all that gave a suggestion. It also suggests better than the
    sum over all words while little was learned: a hundred faint hints outweigh no keyword.
    """
    positive = np.maximum(parts, 0.0)
    if len(positive) > most_words:
        positive = np.partition(positive, len(positive) - most_words, axis=0)[-most_words:]
    result: Array = (positive.sum(axis=0) + intercept).astype(np.float32)
    return result


def vector_weights(vocabulary: Vocabulary, coefficients: Array) -> Array | None:
    """What each word of the table of vectors weighs for each theme."""
    table = word_vectors(vocabulary.language) if vocabulary.with_vectors else None
    if table is None:
        return None
    weights: Array = table.matrix @ coefficients[-1 - table.size : -1]
    return weights


def word_parts(
    counts: Counter[str], vocabulary: Vocabulary, coefficients: Array, vectors: Array | None
) -> tuple[list[str], Array]:
    """The words of a text, and the part of each in each theme; a pair's goes to its two words."""
    words = [term for term in counts if " " not in term]
    row_of = {word: row for row, word in enumerate(words)}
    parts: Array = np.zeros((len(words), coefficients.shape[1]), np.float32)
    terms = list(counts)
    amounts = 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
    places = np.asarray(vocabulary.term_places(terms), np.int64)
    known = np.flatnonzero(places >= 0)
    values = amounts[known] * vocabulary.term_weights[places[known]]
    values /= max(float(np.linalg.norm(values)), 1e-9)
    of_terms = values[:, None] * coefficients[places[known]]
    names = [terms[at] for at in known.tolist()]
    single = np.array([" " not in name for name in names], bool)
    parts[[row_of[name] for name in names if " " not in name]] += of_terms[single]
    pairs = [name.split(" ") for name in names if " " in name]
    for side in (0, 1):
        rows = np.array([row_of[pair[side]] for pair in pairs], np.int64)
        np.add.at(parts, rows, of_terms[~single] / 2)
    if vocabulary.grams:
        _add_grams(parts, words, vocabulary, coefficients)
    if vectors is not None:
        _add_vectors(parts, words, counts, vocabulary.language, vectors)
    return words, parts


def _add_grams(parts: Array, words: list[str], vocabulary: Vocabulary, coefficients: Array) -> None:
    of_words = [vocabulary.gram_places(word) for word in words]
    sizes = [len(places) for places in of_words]
    flat = np.fromiter((one for places in of_words for one in places), np.int64, sum(sizes))
    at, back, times = np.unique(flat, return_inverse=True, return_counts=True)
    values = (1 + np.log(times.astype(np.float32))) * vocabulary.gram_weights[at]
    values /= max(float(np.linalg.norm(values)), 1e-9)
    # Among the words that have the piece.
    shared = (values / times)[:, None] * coefficients[len(vocabulary.terms) + at]
    owners = np.repeat(np.arange(len(words)), sizes)
    summed = sparse.csr_matrix(
        (np.ones(len(owners), np.float32), (owners, back.reshape(-1))),
        shape=(len(words), len(at)),
    )
    parts += summed @ shared


def _add_vectors(
    parts: Array, words: list[str], counts: Counter[str], language: str, weights: Array
) -> None:
    table = word_vectors(language)
    if table is None:  # pragma: no cover — the weights are made from it
        return
    rows = np.asarray([table.rows.get(word, -1) for word in words], np.int64)
    known = np.flatnonzero(rows >= 0)
    if not len(known):
        return
    amounts = 1 + np.log(np.asarray([counts[words[at]] for at in known], np.float32))
    length = float(np.linalg.norm(amounts @ table.matrix[rows[known]]))
    shares = amounts * (features.VECTORS_WEIGH / max(length, 1e-9))
    parts[known] += shares[:, None] * weights[rows[known]]
