"""From reviewed articles, the editors' keyword lists and articles nobody looked at, a model.

Three teachers, blended by how much each has to say:

- Reviewed articles weigh 1 each, and only they say that a theme does *not* apply.
- Each theme's keyword list is one small article of that theme.
- Articles nobody reviewed, where the keywords speak clearly, stand for a label each. Together they
  teach which other words go with a theme before any editor has said anything. Their weight falls
  as 1 / (1 + reviewed / 50), so that editors dominate as soon as they speak.

How sure a score is, is learned from reviewed articles that the scoring model had not seen
(`calibration`); while they are few, a first guess holds.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from newsletter.themes import calibration, measures
from newsletter.themes.corpus import Corpus, Counts, Gathering
from newsletter.themes.features import (
    Known,
    Vocabulary,
    known_terms,
    learn_vocabulary,
    rare_rows,
    rows,
)
from newsletter.themes.learned import Acceptance, Model
from newsletter.themes.logistic import Array, Regression, balanced, sigmoid
from newsletter.themes.neighbours import MOST_NEIGHBOURS, Neighbours
from newsletter.themes.sources import MODEL_FORMAT, MOST_CONFIDENT
from newsletter.themes.weighing import (
    LOGITS,
    logits_of,
    strongest_of,
    vector_weights,
    word_parts,
)

# Of the articles against the wish for small coefficients: of texts on several themes, and on one.
STRENGTH, STRENGTH_OF_ONE = 2.0, 0.7
HALF_TRUST = 50  # reviewed articles that halve what the unreviewed ones weigh
CLEAR_KEYWORDS = 0.5  # a confidence of `rules` that may stand for a label
SHORT_TEXT = 60  # words: a sentence has one subject, a post may have several
WHOLE_LIST, ONE_KEYWORD = 1.0, 0.5  # what a list weighs, and each of its terms beside it
# What each word counts of the next more telling one: of texts on several themes, and on one.
FADING, FADING_OF_ONE = 0.97, 0.85
# Of the optimiser; fewer from where it came to with most of the articles.
STEPS, FEWER_STEPS = 20, 10
FOLDS, FEWER_FOLDS_FROM = 5, 500
HOLD_OUT_FROM, MOST_TESTED = 1_000, 1_000  # above: one part of the articles is held out
ONE_THEME = 1.25  # themes an article: no more than so many means that themes exclude each other
# Before editors have said it: how many themes an article has; so many articles set the level of
# all probabilities by it.
THEMES_OF_SHORT, THEMES_OF_LONG = 1.0, 2.0
MOST_ASKED, GUESSED_UNTIL = 300, 200


class Lessons:
    """Articles to learn from, taken in one by one: the reviewed ones first, each newest first."""

    def __init__(self, theme_ids: Sequence[int]) -> None:
        self.theme_ids = tuple(theme_ids)
        self._texts = Gathering()
        self._keywords: list[Array] = []
        self._labels: list[Array] = []
        self._lengths: list[int] = []

    def __len__(self) -> int:
        return len(self._keywords)

    def add(
        self,
        counts: Counts,
        keywords: Mapping[int, float],
        themes: Collection[int] | None,
        *,
        length: int,
    ) -> None:
        """`keywords` are the confidences of `rules`; `themes` None: nobody reviewed it."""
        self._texts.add(counts)
        self._lengths.append(length)
        self._keywords.append(
            np.array([keywords.get(theme, 0.0) for theme in self.theme_ids], np.float32)
        )
        if themes is not None:
            if len(self._labels) < len(self) - 1:
                raise ValueError("Reviewed articles come before all others.")
            self._labels.append(np.array([theme in themes for theme in self.theme_ids], np.float32))

    def corpus(self, keyword_lists: Iterable[Counts]) -> Corpus:
        """All articles, then the lists. They are handed over: nothing more may be added."""
        for words in keyword_lists:
            self._texts.add(words)
        handed_over, self._texts = self._texts, Gathering()
        return handed_over.corpus()

    @property
    def keywords(self) -> Array:
        return np.array(self._keywords, np.float32).reshape(-1, len(self.theme_ids))

    @property
    def labels(self) -> Array:
        """Of the reviewed articles."""
        return np.array(self._labels, np.float32).reshape(-1, len(self.theme_ids))

    @property
    def usual_length(self) -> float:
        return float(np.median(self._lengths)) if self._lengths else 0.0


def train(
    lessons: Lessons,
    keyword_lists: Mapping[int, Sequence[Counts]],
    language: str,
    *,
    seed: int = 0,
) -> Model:
    """`keyword_lists` are of the lessons' themes, in their sequence."""
    began = time.perf_counter()
    theme_ids = lessons.theme_ids
    keywords, labels = lessons.keywords, lessons.labels
    corpus = lessons.corpus(words for parts in keyword_lists.values() for words in parts)
    of_list = np.repeat(np.arange(len(theme_ids)), [len(p) for p in keyword_lists.values()])
    vocabulary = learn_vocabulary(corpus, language)
    known_of = known_terms(corpus.numbers, vocabulary)

    known, unknown = len(labels), len(keywords)
    one_each = _themes_exclude_each_other(labels, lessons.usual_length)
    weak = _weak_labels(keywords, one_each) / (1 + known / HALF_TRUST)
    teaching = _Teaching(
        Regression(rows(corpus, vocabulary, known_of)),
        STRENGTH_OF_ONE if one_each else STRENGTH,
        labels,
        (weak > 0).astype(np.float32) * (keywords >= CLEAR_KEYWORDS),
        weak,
        np.eye(len(theme_ids), dtype=np.float32)[of_list],
        _list_weights(keyword_lists.values()),
    )
    fading = FADING_OF_ONE if one_each else FADING
    parts = _held_out(known, seed)
    unseen = np.arange(known, min(unknown, known + MOST_ASKED) if known < GUESSED_UNTIL else known)
    scoring = _Scoring.of(np.concatenate([*parts, unseen]), corpus, vocabulary, known_of, fading)
    # A sentence shares too few words with others to have neighbours.
    nearby = min(known, MOST_NEIGHBOURS) if lessons.usual_length >= SHORT_TEXT else 0
    newest = corpus.only(np.arange(nearby))
    neighbours = Neighbours(rare_rows(newest, vocabulary, known_of), labels[:nearby])
    del corpus  # as large as the rows, when there are many articles
    tested, held_out, start = _out_of_fold(teaching, scoring, parts, neighbours)
    coefficients = teaching.fit(np.arange(known), start)

    usual = calibration.usual_themes(labels)
    guess = calibration.FIRST_GUESS_OF_ONE if one_each else calibration.FIRST_GUESS
    others = scoring.weigh(unseen, coefficients, neighbours)
    asked = others.signs(keywords[unseen], usual)
    if len(asked):
        themes = calibration.themes_each(labels, THEMES_OF_SHORT if one_each else THEMES_OF_LONG)
        guess = calibration.as_usual(guess, asked, themes)
    seen = held_out.signs(keywords[tested], usual)
    weights = calibration.fit_pooled(seen, labels[tested], guess)
    probabilities = np.minimum(sigmoid(seen @ weights), MOST_CONFIDENT)
    threshold, others_threshold = calibration.thresholds(probabilities, labels[tested], one_each)
    all_strengths = calibration.strengths(
        np.concatenate([held_out.strongest, others.strongest]),
        keywords[np.concatenate([tested, unseen])],
        weights,
    )
    probable = calibration.are_probable(
        np.concatenate([probabilities, sigmoid(asked @ weights)]), threshold, others_threshold
    )
    least = calibration.least_strength(all_strengths, probable, one_each)
    model = Model(
        language=language,
        theme_ids=theme_ids,
        vocabulary=vocabulary,
        coefficients=coefficients,
        signs=weights,
        usual=usual,
        threshold=threshold,
        others_threshold=others_threshold,
        fading=fading,
        least_strength=least,
        acceptance=tuple(
            Acceptance(*level) for level in calibration.acceptances(probabilities, labels[tested])
        ),
        neighbours=neighbours,
        facts={
            "format": MODEL_FORMAT,
            "reviewed": known,
            "themes": len(theme_ids),
            "unreviewed": int((weak[known:].sum(axis=1) > 0).sum()),
            "features": vocabulary.size,
        },
    )
    said = model.said(probabilities, all_strengths[: len(tested)])
    model.facts.update(_measured(model, probabilities, said, labels[tested]))
    model.facts["seconds"] = round(time.perf_counter() - began, 2)
    return model


def _measured(model: Model, probabilities: Array, said: Array, labels: Array) -> dict[str, Any]:
    """How good a model is on articles it was not scored on while learning, in numbers."""
    return {
        "ndcg": round(measures.ndcg(probabilities, labels), 4),
        "macro_f1": round(measures.f1_scores(said, labels)[1], 4),
        "calibration_error": round(measures.calibration_error(probabilities, labels), 4),
        "by_theme": {
            str(theme_id): {
                "right": right,
                "said": named,
                "given": given,
                "accepted_from": level.threshold,
                "accepted_tags": level.tags,
                "accepted_right": level.right,
            }
            for theme_id, (right, named, given), level in zip(
                model.theme_ids,
                measures.counts_by_theme(said, labels),
                model.acceptance,
                strict=True,
            )
        },
        "confused": [
            [model.theme_ids[one], model.theme_ids[other], count]
            for one, other, count in measures.confusions(said, labels)
        ],
    }


def _list_weights(lists: Iterable[Sequence[Counts]]) -> Array:
    """One column: the first of a theme's texts is the whole list, the others its terms."""
    weights = [
        WHOLE_LIST if place == 0 else ONE_KEYWORD for parts in lists for place in range(len(parts))
    ]
    return np.array(weights, np.float32)[:, None]


def _themes_exclude_each_other(labels: Array, usual_length: float) -> bool:
    """As editors gave them; near what the length of the texts tells while those are few.

    Ten posts that happen to have one theme each do not prove that posts never have two.
    """
    guess = THEMES_OF_SHORT if 0 < usual_length < SHORT_TEXT else THEMES_OF_LONG
    return calibration.themes_each(labels[labels.any(axis=1)], guess) <= ONE_THEME


def _weak_labels(keywords: Array, one_each: bool) -> Array:
    """The weight (0 or 1) of each theme of each unreviewed article; a clear keyword labels it."""
    if not len(keywords):
        return keywords
    most = keywords.max(axis=1, keepdims=True)
    clear = keywords >= CLEAR_KEYWORDS
    if one_each:
        second = np.sort(keywords, axis=1)[:, -2:-1] if keywords.shape[1] > 1 else 0 * most
        usable = (most >= CLEAR_KEYWORDS) & (most - second > 0.05)
        return np.broadcast_to(usable, keywords.shape).astype(np.float32)
    certain = (clear & (keywords >= 0.9 * most)) | (keywords < 0.25 * most)
    result: Array = (certain & clear.any(axis=1, keepdims=True)).astype(np.float32)
    return result


@dataclass(frozen=True)
class _Teaching:
    regression: Regression  # of the articles, the reviewed ones first, then of the lists
    strength: float
    labels: Array  # of the reviewed articles
    weak_labels: Array  # of all articles
    weak_weights: Array
    list_labels: Array
    list_weights: Array

    def fit(self, taught: np.ndarray, start: Array | None = None) -> Array:
        """From the lists, the reviewed articles in `taught`, and all others as if unreviewed."""
        labels = np.vstack([self.weak_labels, self.list_labels])
        weights = np.vstack([self.weak_weights, self.list_weights * np.ones_like(self.list_labels)])
        labels[taught], weights[taught] = self.labels[taught], 1.0
        # Only editors tell how many themes an article has.
        of_many = np.zeros((len(labels), 2), np.float32)
        of_many[taught] = np.column_stack((_many(self.labels[taught]), np.ones(len(taught))))
        labels = np.column_stack((labels, of_many[:, 0]))
        weights = np.column_stack((weights, of_many[:, 1]))
        return self.regression.fit(
            labels,
            self.strength * balanced(labels, weights),
            start=start,
            steps=STEPS if start is None else FEWER_STEPS,
        )


def _many(labels: Array) -> Array:
    """How many themes each article has, from 0 to 1: half is what is usual."""
    given = labels.sum(axis=1)
    usual = max(float(given.mean()), 1e-6) if len(given) else 1.0
    result: Array = given / (given + usual)
    return result


class _Scores(NamedTuple):
    """One row an article, one column a theme."""

    logits: Array  # as in `logits_of`
    strongest: Array  # what its strongest words say
    alike: Array  # what its neighbours say

    @classmethod
    def none(cls, articles: int, themes: int) -> _Scores:
        shape = (articles, themes)
        return cls(*(np.zeros(one, np.float32) for one in ((*shape, len(LOGITS)), shape, shape)))

    def put(self, articles: np.ndarray, scores: _Scores) -> None:
        for here, there in zip(self, scores, strict=True):
            here[articles] = there

    def only(self, articles: np.ndarray) -> _Scores:
        return _Scores(*(one[articles] for one in self))

    def signs(self, keywords: Array, usual: Array) -> Array:
        return calibration.signs(self.logits, keywords, usual, self.alike)


@dataclass(frozen=True)
class _Scoring:
    """Some of the articles, to be weighed by models that had not seen them."""

    texts: Corpus
    places: dict[int, int]  # among `texts`, of each article
    vocabulary: Vocabulary
    known: Known
    fading: float

    @classmethod
    def of(
        cls,
        articles: np.ndarray,
        corpus: Corpus,
        vocabulary: Vocabulary,
        known: Known,
        fading: float,
    ) -> _Scoring:
        places = {article: place for place, article in enumerate(articles.tolist())}
        return cls(corpus.only(articles), places, vocabulary, known, fading)

    def weigh(self, articles: np.ndarray, coefficients: Array, neighbours: Neighbours) -> _Scores:
        vectors = vector_weights(self.vocabulary, coefficients)
        texts = self.texts.only(np.array([self.places[one] for one in articles.tolist()], np.int64))
        found = word_parts(texts, self.vocabulary, coefficients, vectors, self.known)
        scores = _Scores.none(len(articles), coefficients.shape[1] - 1)
        scores.alike[:] = neighbours.votes(
            neighbours.nearest(rare_rows(texts, self.vocabulary, self.known))
        )
        for place, (first, end) in enumerate(pairwise(found.ends.tolist())):
            parts = found.parts[first:end]
            scores.logits[place] = logits_of(parts, coefficients[-1], self.fading)
            scores.strongest[place] = strongest_of(parts[:, :-1])
        return scores


def _held_out(known: int, seed: int) -> list[np.ndarray]:
    """Which of the reviewed articles are held out together, in turn."""
    if known < 2:
        return []
    order = np.random.default_rng(seed).permutation(known)
    if known >= HOLD_OUT_FROM:  # some held out tell as much as all of them in turn
        return [order[: min(known // 3, MOST_TESTED)]]
    return list(np.array_split(order, min(FOLDS if known < FEWER_FOLDS_FROM else 3, known)))


def _out_of_fold(
    teaching: _Teaching, scoring: _Scoring, parts: list[np.ndarray], neighbours: Neighbours
) -> tuple[np.ndarray, _Scores, Array | None]:
    """Which reviewed articles were weighed by models that had not seen them, how, and a start."""
    known, themes = teaching.labels.shape
    start: Array | None = None
    scores = _Scores.none(known, themes)
    for part in parts:
        mask = np.ones(known, bool)
        mask[part] = False
        start = teaching.fit(np.flatnonzero(mask))
        scores.put(part, scoring.weigh(part, start, neighbours.without(part)))
    tested = np.sort(np.concatenate([np.zeros(0, np.int64), *parts]))
    return tested, scores.only(tested), start
