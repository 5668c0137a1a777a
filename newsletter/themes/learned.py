"""A trained model: numbers to suggest by, and the words that made each suggestion.

Kept as arrays and JSON in one .npz, never as a pickle: reading a model runs no code.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from newsletter.themes.calibration import LOWEST_THRESHOLD, signs
from newsletter.themes.documents import Text
from newsletter.themes.features import Vocabulary
from newsletter.themes.logistic import Array, sigmoid
from newsletter.themes.vectors import word_vectors

FORMAT = 1


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
    threshold: float
    # The first theme is named even under the threshold: every reviewed article had one.
    always_one: bool
    acceptance: tuple[Acceptance, ...]
    # Numbers for people: articles learned from, measures out of fold, seconds, …
    facts: dict[str, Any] = field(default_factory=dict)
    _vectors: Array | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        table = word_vectors(self.language) if self.vocabulary.with_vectors else None
        if table:
            weights: Array = table.matrix @ self.coefficients[-1 - table.size : -1]
            object.__setattr__(self, "_vectors", weights)

    @property
    def floor(self) -> float:
        """Below this probability nothing is said at all."""
        return LOWEST_THRESHOLD

    def weigh(self, text: Text) -> Weighed:
        return Weighed(self, text.counts())

    def probabilities(self, learned: Array, keywords: Array) -> Array:
        """Of one article: a probability for each theme."""
        result: Array = sigmoid(signs(learned[None], keywords[None], self.usual)[0] @ self.signs)
        return result

    # --- kept

    def to_bytes(self) -> bytes:
        vocabulary = self.vocabulary
        about = {
            "format": FORMAT,
            "language": self.language,
            "theme_ids": self.theme_ids,
            "with_vectors": vocabulary.with_vectors,
            "threshold": self.threshold,
            "always_one": self.always_one,
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
            if about["format"] != FORMAT:
                raise ValueError(f"A model of format {about['format']}; this is {FORMAT}.")
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
                always_one=about["always_one"],
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

    def __init__(self, model: Model, counts: Counter[str]) -> None:
        self.model = model
        self._terms = list(counts)
        self._amounts = 1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))
        vocabulary = model.vocabulary
        places = np.asarray(vocabulary.term_places(self._terms), np.int64)
        known = np.flatnonzero(places >= 0)
        values = self._amounts[known] * vocabulary.term_weights[places[known]]
        # Each piece of evidence: which term of the text, what it weighs for each theme.
        self._owners: list[Array] = [known]
        self._parts: list[Array] = [
            _scaled(values, values)[:, None] * model.coefficients[places[known]]
        ]
        if vocabulary.grams:
            self._add_grams(vocabulary)
        if model._vectors is not None:
            self._add_vectors(model._vectors)
        total = sum((part.sum(axis=0) for part in self._parts), model.coefficients[-1])
        self.logits: Array = np.asarray(total, np.float32)

    def _add_grams(self, vocabulary: Vocabulary) -> None:
        of_terms = [vocabulary.gram_places(term) for term in self._terms]
        owners = np.repeat(np.arange(len(of_terms)), [len(places) for places in of_terms])
        flat = np.fromiter((one for places in of_terms for one in places), np.int64, len(owners))
        at, back, times = np.unique(flat, return_inverse=True, return_counts=True)
        values = (1 + np.log(times.astype(np.float32))) * vocabulary.gram_weights[at]
        shared = _scaled(values, values) / times  # among the words that have the piece
        first = len(vocabulary.terms)
        self._owners.append(owners)
        self._parts.append(
            (shared[:, None] * self.model.coefficients[first + at])[back.reshape(-1)]
        )

    def _add_vectors(self, weights: Array) -> None:
        table = word_vectors(self.model.language)
        if table is None:  # pragma: no cover — the model has weights for it
            return
        places = [table.rows.get(term, -1) for term in self._terms]
        rows = np.asarray(places, np.int64)
        known = np.flatnonzero(rows >= 0)
        amounts = self._amounts[known]
        length = float(np.linalg.norm(amounts @ table.matrix[rows[known]])) if len(known) else 1.0
        self._owners.append(known)
        self._parts.append((amounts / max(length, 1e-9))[:, None] * weights[rows[known]])

    def parts(self, theme: int) -> dict[str, float]:
        """What each stem of the text gave to the theme's logit; a pair's part goes to both."""
        sums: Array = np.zeros(len(self._terms), np.float32)
        for owners, part in zip(self._owners, self._parts, strict=True):
            np.add.at(sums, owners, part[:, theme])
        given: dict[str, float] = {}
        for term, given_by_it in zip(self._terms, sums.tolist(), strict=True):
            words = term.split(" ")
            for word in words:
                given[word] = given.get(word, 0.0) + given_by_it / len(words)
        return given


def _scaled(values: Array, lengths: Array) -> Array:
    result: Array = values / max(float(np.linalg.norm(lengths)), 1e-9)
    return result
