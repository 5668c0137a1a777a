"""A trained model: numbers to suggest by, and the words that made each suggestion.

Kept as arrays and JSON in one .npz, never as a pickle: reading a model runs no code.
"""

from __future__ import annotations

import io
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from newsletter.themes.calibration import OF_WORDS, are_probable, signs, strengths, weight_of
from newsletter.themes.corpus import corpus_of
from newsletter.themes.documents import Text
from newsletter.themes.features import Vocabulary, known_terms, rare_rows
from newsletter.themes.logistic import Array, sigmoid
from newsletter.themes.neighbours import Neighbours
from newsletter.themes.sources import MODEL_FORMAT
from newsletter.themes.weighing import (
    MOST_WORDS,
    logits_of,
    strongest_of,
    vector_weights,
    word_parts,
)


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
    # Features and, last, the intercept; one column a theme, and one for how many a text has.
    coefficients: Array
    signs: Array  # what `calibration.signs` weigh
    usual: Array
    threshold: Array  # of each theme, where it is an article's most probable one …
    others_threshold: Array  # … and where another is
    fading: float  # what each word counts of the next more telling one, see `weighing`
    least_strength: float  # of what speaks for a theme, without which it is not said
    acceptance: tuple[Acceptance, ...]
    neighbours: Neighbours
    # Numbers for people: articles learned from, measures out of fold, seconds, …
    facts: dict[str, Any] = field(default_factory=dict)
    _vectors: Array | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        weights = vector_weights(self.vocabulary, self.coefficients)
        object.__setattr__(self, "_vectors", weights)

    def weigh(
        self, text: Text, excluded: Mapping[int, Collection[tuple[str, ...]]] | None = None
    ) -> Weighed:
        """`excluded`: of some themes, words and phrases that an editor said do not speak for them.

        A phrase silences its words where it stands in the text.
        """
        return Weighed(self, text.counts(), excluded or {})

    def probabilities(self, weighed: Weighed, keywords: Array) -> Array:
        """Of one article: a probability for each theme."""
        one = signs(weighed.logits[None], keywords[None], self.usual, weighed.alike[None])
        result: Array = sigmoid(one[0] @ self.signs)
        return result

    def strengths(self, strongest: Array, keywords: Array) -> Array:
        """What speaks for each theme without the many faint words; one row an article."""
        return strengths(strongest, keywords, self.signs)

    def weight_of_keywords(self) -> float:
        """What a keyword's confidence counts beside the parts of words."""
        return weight_of(self.signs, "keywords")

    def said(self, probabilities: Array, strengths: Array) -> Array:
        """Which themes of each article are sure enough, and by words that are strong enough, to
        be said; one row an article.
        """
        probable = are_probable(probabilities, self.threshold, self.others_threshold)
        return probable & (strengths >= self.least_strength)

    # --- kept

    def to_bytes(self) -> bytes:
        vocabulary = self.vocabulary
        about = {
            "format": MODEL_FORMAT,
            "language": self.language,
            "theme_ids": self.theme_ids,
            "with_vectors": vocabulary.with_vectors,
            "threshold": self.threshold.tolist(),
            "others_threshold": self.others_threshold.tolist(),
            "fading": self.fading,
            "least_strength": self.least_strength,
            "acceptance": [[one.threshold, one.tags, one.right] for one in self.acceptance],
            "facts": self.facts,
        }
        stream = io.BytesIO()
        arrays: dict[str, Any] = self.neighbours.packed()
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
            **arrays,
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
                threshold=np.array(about["threshold"]),
                others_threshold=np.array(about["others_threshold"]),
                fading=about["fading"],
                least_strength=about["least_strength"],
                acceptance=tuple(Acceptance(*one) for one in about["acceptance"]),
                neighbours=Neighbours.unpacked(arrays, len(vocabulary.terms)),
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
    """One text under a model: a logit for each theme, each word's part in it, and what the text's
    neighbours say.
    """

    def __init__(
        self,
        model: Model,
        counts: Counter[str],
        excluded: Mapping[int, Collection[tuple[str, ...]]],
    ) -> None:
        self.model = model
        corpus = corpus_of([counts])
        known = known_terms(corpus.numbers, model.vocabulary)
        found = word_parts(corpus, model.vocabulary, model.coefficients, model._vectors, known)
        self._row = rare_rows(corpus, model.vocabulary, known)
        self._nearest = model.neighbours.nearest(self._row)
        self.alike = model.neighbours.votes(self._nearest)[0]
        names = list(corpus.numbers)
        self._words = [names[at] for at in found.words.tolist()]
        self._parts = found.parts
        self._silent: dict[int, set[str]] = {}
        for place, theme_id in enumerate(model.theme_ids):
            silent = {
                stem
                for stems in excluded.get(theme_id, ())
                if all(f"{one} {other}" in counts for one, other in pairwise(stems))
                for stem in stems
            }
            if silent:
                self._silent[place] = silent
                at = [row for row, word in enumerate(self._words) if word in silent]
                self._parts[at, place] = 0.0
                self.alike[place] = self._votes_without(silent, counts)[place]
        self.logits = logits_of(self._parts, model.coefficients[-1], model.fading)
        self.strongest = strongest_of(self._parts[:, :-1])

    @cached_property
    def _parts_of_neighbours(self) -> Array:
        if not self._nearest.articles.size:
            return np.zeros((0, len(self.alike)), np.float32)
        return self.model.neighbours.parts(self._row, self._nearest, self.alike)

    def _votes_without(self, silent: set[str], counts: Counter[str]) -> Array:
        vocabulary = self.model.vocabulary
        corpus = corpus_of(
            [Counter({t: n for t, n in counts.items() if silent.isdisjoint(t.split(" "))})]
        )
        known = known_terms(corpus.numbers, vocabulary)
        neighbours = self.model.neighbours
        nearest = neighbours.nearest(rare_rows(corpus, vocabulary, known))
        votes: Array = neighbours.votes(nearest)[0]
        return votes

    def parts(self, theme: int) -> dict[str, float]:
        """What each of the words that count says for the theme: by what was learned of it, and by
        the neighbours that have it too.
        """
        signs, fading = self.model.signs, self.model.fading
        column = weight_of(signs, *OF_WORDS) * self._parts[:, theme]
        chosen = np.argsort(-column, kind="stable")[:MOST_WORDS]
        parts: defaultdict[str, float] = defaultdict(float)
        for place, at in enumerate(chosen.tolist()):
            parts[self._words[at]] += float(column[at]) * fading**place
        given = weight_of(signs, "alike") * self._parts_of_neighbours[:, theme]
        terms, silent = self.model.vocabulary.terms, self._silent.get(theme, ())
        for at in np.flatnonzero(given).tolist():
            words = terms[self._row.indices[at]].split(" ")
            for word in words:
                if word not in silent:
                    parts[word] += float(given[at]) / len(words)
        return {word: part for word, part in parts.items() if part > 0}
