from __future__ import annotations

import numpy as np
import pytest

from newsletter.themes import measures
from newsletter.themes.calibration import (
    FIRST_GUESS,
    FIRST_GUESS_OF_ONE,
    SIGNS,
    acceptances,
    as_usual,
    fit_pooled,
    least_strength,
    own_thresholds,
    signs,
    suggestion_threshold,
    themes_each,
    wilson_lower,
)
from newsletter.themes.logistic import sigmoid


def test_wilson_bound_of_known_values() -> None:
    # 81 of 100, 95 % two-sided: .722 to .875 (Newcombe 1998, table of method 3).
    assert wilson_lower(81, 100, z=1.96) == pytest.approx(0.722, abs=0.001)
    assert wilson_lower(0, 0) == 0


def acceptance(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float | None, int, int]:
    """Of a theme that is alone."""
    return acceptances(probabilities[:, None], labels[:, None])[0]


def test_acceptance_starts_where_the_tags_are_right() -> None:
    probabilities = np.array([0.95] * 40 + [0.86] * 40, np.float32)
    labels = np.array([1] * 40 + [1, 0] * 20, np.float32)
    assert acceptance(probabilities, labels) == (pytest.approx(0.95), 40, 40)


@pytest.mark.parametrize(("right", "of"), [(9, 9), (30, 40)], ids=["too few", "too often wrong"])
def test_acceptance_stays_off_but_tells_the_numbers(right: int, of: int) -> None:
    labels = np.array([1] * right + [0] * (of - right), np.float32)
    assert acceptance(np.full(of, 0.9, np.float32), labels) == (None, of, right)


def test_what_is_only_probable_is_never_accepted_however_often_it_was_right() -> None:
    labels = np.ones(60, np.float32)
    assert acceptance(np.full(60, 0.8, np.float32), labels) == (None, 0, 0)


@pytest.mark.parametrize(
    ("right", "of", "accepted"),
    [(4, 4, True), (2, 2, False), (2, 4, False)],
    ids=["its own agree", "too few of its own", "its own speak against it"],
)
def test_all_themes_together_speak_for_one_with_few_tags(
    right: int, of: int, accepted: bool
) -> None:
    probabilities = np.full((60, 2), 0.1, np.float32)
    labels = np.zeros_like(probabilities)
    probabilities[:, 0], labels[:, 0] = 0.97, 1
    probabilities[:of, 1], labels[:right, 1] = 0.95, 1
    many, few = acceptances(probabilities, labels)
    assert many == (pytest.approx(0.97), 60, 60)
    assert few == ((pytest.approx(0.95) if accepted else None), of, right)


def test_where_all_themes_together_are_often_wrong_none_is_helped_by_them() -> None:
    probabilities = np.full((60, 2), 0.9, np.float32)
    labels = np.zeros_like(probabilities)
    labels[:45, 0] = 1
    probabilities[4:, 1], labels[:4, 1] = 0.1, 1
    assert acceptances(probabilities, labels)[1] == (None, 4, 4)


def test_how_many_themes_an_article_has_is_learned_from_the_reviewed_ones() -> None:
    three_each = np.ones((20, 3), np.float32)
    assert themes_each(three_each[:0], 2.0) == 2.0
    assert themes_each(three_each, 2.0) == pytest.approx(2.5)
    assert themes_each(np.ones((2_000, 3), np.float32), 2.0) == pytest.approx(3.0, abs=0.02)


@pytest.mark.parametrize("guess", [FIRST_GUESS, FIRST_GUESS_OF_ONE], ids=["several", "one"])
def test_what_all_words_say_is_trusted_as_far_as_reviewed_articles_prove_it(
    guess: np.ndarray,
) -> None:
    logits = np.random.default_rng(2).normal(0, 1, (600, 5, 3)).astype(np.float32)
    none = np.zeros((600, 5), np.float32)
    seen = signs(logits, none, none[0], none)
    whole = SIGNS.index("whole")
    assert guess[whole] == 0
    proven = fit_pooled(seen, (logits[..., 1] > 0.5).astype(np.float32), guess)
    by_telling_words = fit_pooled(seen, (logits[..., 0] > 0.5).astype(np.float32), guess)
    assert proven[whole] > 1 > 0.2 > by_telling_words[whole]


def test_few_articles_hardly_move_the_threshold() -> None:
    labels = np.eye(2, dtype=np.float32)[[0, 1] * 6]
    assert suggestion_threshold(labels * 0.2, labels) == pytest.approx(0.32, abs=0.06)


@pytest.mark.parametrize("scale", [0.3, 3.0], ids=["faint scores", "loud scores"])
def test_before_anybody_reviewed_articles_are_given_a_usual_number_of_themes(scale: float) -> None:
    scores = np.random.default_rng(1).normal(0, scale, (200, 12, 3)).astype(np.float32)
    none = np.zeros((200, 12), np.float32)
    asked = signs(scores, none, none[0], none)
    guess = as_usual(FIRST_GUESS, asked, 2.0)
    assert sigmoid(asked @ guess).sum(axis=1).mean() == pytest.approx(2.0, abs=0.05)
    assert guess[1:].tolist() == FIRST_GUESS[1:].tolist()


def test_measures_of_a_small_case() -> None:
    labels = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    said = np.array([[1, 0], [1, 0], [1, 1]], np.float32)
    micro, macro, each = measures.f1_scores(said, labels)
    assert micro == pytest.approx(0.75)
    assert each.tolist() == pytest.approx([0.8, 2 / 3])
    assert macro == pytest.approx((0.8 + 2 / 3) / 2)
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], np.float32)
    assert measures.precision_at_1(scores, labels) == pytest.approx(2 / 3)
    assert measures.ndcg(scores, labels) == pytest.approx((1 + 1 / np.log2(3) + 1) / 3)
    assert measures.calibration_error(labels, labels) == 0


def test_each_themes_hits_and_confusions_are_counted() -> None:
    said = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    labels = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 1, 0]], np.float32)
    assert measures.counts_by_theme(said, labels) == [(1, 2, 1), (1, 1, 3), (0, 1, 1)]
    assert measures.confusions(said, labels) == [(0, 1, 1), (2, 1, 1)]


def test_a_theme_with_articles_enough_has_a_threshold_of_its_own() -> None:
    shy = np.array([0.25] * 60 + [0.1] * 140, np.float32)
    bold = np.array([0.7] * 60 + [0.4] * 140, np.float32)
    right = np.array([1] * 60 + [0] * 140, np.float32)
    rare = np.array([1] + [0] * 199, np.float32)
    found = own_thresholds(np.stack([shy, bold, shy], 1), np.stack([right, right, rare], 1), 0.35)
    assert found[0] < 0.25 < 0.4 < found[1]
    assert found[2] == pytest.approx(0.35, abs=0.02)
    assert own_thresholds(shy[:, None], 0 * right[:, None], 0.35) == [0.35]


def test_the_weakest_of_the_probable_suggestions_set_how_strong_words_must_be() -> None:
    strengths = np.arange(1, 101, dtype=np.float32).reshape(50, 2)
    said = np.ones_like(strengths, bool)
    several, one = (least_strength(strengths, said, one_each) for one_each in (False, True))
    assert (strengths < several).sum() == 5
    assert (strengths < one).sum() == 3
    assert least_strength(strengths, np.zeros_like(said), False) == 0
