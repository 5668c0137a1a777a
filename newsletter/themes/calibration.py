"""From scores to probabilities, and from probabilities to what is said and what is accepted.

Pure: arrays in, numbers out. `scores` and `labels` have one row an article, one column a theme;
all are out of fold, that is, of articles that the scoring model had not seen.
"""

from __future__ import annotations

import math

import numpy as np

from newsletter.themes.logistic import Array, sigmoid
from newsletter.themes.measures import f1_scores
from newsletter.themes.sources import ENOUGH_TAGS, FEWEST_OWN_TAGS

# What the columns of `signs` weigh before any article was reviewed: fitted on public Italian
# texts (short sentences on 7 topics, long posts on 13) with no label of theirs in the model.
SIGNS = ("constant", "learned", "keywords", "lead", "usual", "whole", "whole_lead", "many", "alike")
OF_WORDS = ("learned", "lead", "whole", "whole_lead")
FIRST_GUESS = np.array([-0.8, 1.6, 1.6, 0.8, 1.0, 0.0, 0.0, 0.0, 0.0], np.float32)
# Where an article has one theme.
FIRST_GUESS_OF_ONE = np.array([-0.4, 2.2, 0.3, 1.5, 1.0, 0.0, 0.0, 0.0, 0.0], np.float32)
# How many articles' worth of pairs the first guess stands against, and that of neighbours, which
# can only be guessed to say nothing.
GUESS_STRENGTH, NEIGHBOURS_STRENGTH = 100.0, 10.0

LOWEST_THRESHOLD, HIGHEST_THRESHOLD, FIRST_THRESHOLD = 0.15, 0.6, 0.32
# Where themes exclude each other: the most probable one is said unless it is a guess, the more so
# before anybody reviewed anything; another only when it is nearly as good.
ONLY_THRESHOLD, FIRST_ONLY_THRESHOLD, SECOND_THRESHOLD = 0.3, 0.38, 0.47
TRUSTED = 40  # reviewed articles, with which a first guess counts half
# Articles with a theme, with which the threshold of all themes counts half beside the theme's own.
TRUSTED_OWN = 20
# Reviewed articles, with which a guess of how many themes an article has counts half.
TRUSTED_COUNT = 20
# Of the suggestions that are probable enough, so many rest on the faintest words and are left out:
# of texts on several themes, and on one, where a suggestion that goes leaves nothing.
WEAKEST, WEAKEST_OF_ONE = 0.05, 0.03
# Automatic acceptance: of tags at or above a probability so many must be right, by the bound that
# Wilson's score (1927) puts at 80 % certainty, and there must be enough of them to tell.
WANTED_PRECISION = 0.90
WILSON_Z = 0.8416  # one-sided
WORTH_OF_ALL = 20  # tags of a theme, that those of all themes together stand for
LOWEST_ACCEPTED = 0.85  # below, the surer tags above would have to make up for each other one


def signs(logits: Array, keywords: Array, usual: Array, alike: Array) -> Array:
    """What speaks for each theme of each article; the last axis is SIGNS.

    `logits` are those of `weighing`, `alike` the votes of `neighbours`. What all words say, how
    many themes an article has and what its neighbours have weighs nothing before articles were
    reviewed: only they can tell how far to trust it.
    """
    telling, whole, many = np.moveaxis(logits, -1, 0)
    constant, everywhere = np.ones_like(telling), np.broadcast_to(usual, telling.shape)
    stacked: Array = np.stack(
        (constant, telling, keywords, _lead(telling), everywhere, whole, _lead(whole), many, alike),
        axis=-1,
    ).astype(np.float32)
    return stacked


def _lead(scores: Array) -> Array:
    """How far each theme is before the best of the others."""
    ordered = np.sort(scores, axis=1)
    best = ordered[:, -1:]
    second = ordered[:, -2:-1] if scores.shape[1] > 1 else best
    lead: Array = np.clip(scores - np.where(scores == best, second, best), -6.0, 6.0)
    return lead


def strengths(strongest: Array, keywords: Array, weights: Array) -> Array:
    """The most telling words and the keywords, as `weights` of `signs` count them."""
    of_keywords = weight_of(weights, "keywords")
    result: Array = weight_of(weights, *OF_WORDS) * strongest + of_keywords * keywords
    return result


def weight_of(weights: Array, *names: str) -> float:
    """Of some of SIGNS, together."""
    return sum(float(weights[SIGNS.index(name)]) for name in names)


def as_usual(guess: Array, of_all: Array, themes: float) -> Array:
    """The guess with the constant under which an article has `themes` themes on average.

    How large scores are depends on the texts and on the keyword lists; how many themes editors
    give an article hardly does.
    """
    if not len(of_all):
        return guess
    wanted = min(themes, 0.5 * of_all.shape[1])
    apart = of_all[..., 1:] @ guess[1:]
    lowest, highest = -10.0, 10.0
    for _ in range(30):
        constant = (lowest + highest) / 2
        if float(sigmoid(apart + constant).sum(axis=1).mean()) < wanted:
            lowest = constant
        else:
            highest = constant
    shifted: Array = guess.copy()
    shifted[0] = constant
    return shifted


def themes_each(labels: Array, guess: float) -> float:
    """How many themes an article has: as editors gave them, near the guess while those are few."""
    return float((labels.sum() + TRUSTED_COUNT * guess) / (len(labels) + TRUSTED_COUNT))


def fit_pooled(of_all: Array, labels: Array, first_guess: Array) -> Array:
    """Platt's logistic fit, one for all themes, held near the first guess while articles are few.

    Platt 1999; per theme it overfits (expected calibration error .03 to .04 instead of .01).
    """
    if not labels.size:
        return first_guess.copy()
    rows = of_all.reshape(-1, of_all.shape[-1]).astype(np.float64)
    wanted = labels.reshape(-1).astype(np.float64)
    guess = first_guess.astype(np.float64)
    spread = np.maximum(rows.std(axis=0), 0.2)
    spread[0] = 1.0
    strength = np.full(len(guess), GUESS_STRENGTH)
    strength[SIGNS.index("alike")] = NEIGHBOURS_STRENGTH
    hold = np.diag(strength * spread**2 * 0.25)
    coefficients = guess.copy()
    for _ in range(25):
        probability = sigmoid(rows @ coefficients)
        slope = rows.T @ (probability - wanted) + hold @ (coefficients - guess)
        bend = (rows * (probability * (1 - probability))[:, None]).T @ rows + hold
        step = np.linalg.solve(bend + 1e-6 * np.eye(len(guess)), slope)
        coefficients -= np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-5:
            break
    # A word that speaks for a theme must never speak against it.
    coefficients[1:] = np.maximum(coefficients[1:], 0.0)
    # Nor may what is usual drown what this text says.
    coefficients[4] = min(coefficients[4], 1.0)
    result: Array = coefficients.astype(np.float32)
    return result


def usual_themes(labels: Array) -> Array:
    """How much more often than the others each theme was given (log odds); 0 before any was."""
    articles, themes = labels.shape
    if not articles:
        return np.zeros(themes, np.float32)
    counts = labels.sum(axis=0)
    mean = counts.mean()
    share = (counts + 40 * (mean + 0.5) / (articles + 1)) / (articles + 40)
    odds = np.log(share / (1 - np.minimum(share, 0.99)))
    result: Array = (odds - odds.mean()).astype(np.float32)
    return result


def suggestion_threshold(probabilities: Array, labels: Array) -> float:
    """The threshold of the best macro-F1, held near the first guess while articles are few."""
    if len(labels) < 10 or not labels.any():
        return FIRST_THRESHOLD
    found = _best(probabilities, labels, 0.004)
    return _instead_of(FIRST_THRESHOLD, found, len(labels), TRUSTED)


def own_thresholds(probabilities: Array, labels: Array, of_all: float) -> list[float]:
    """Each theme's threshold of the best F1, held near that of all while it has few articles."""
    given = labels.sum(axis=0).astype(int).tolist()
    each = zip(probabilities.T, labels.T, given, strict=True)
    return [
        _instead_of(of_all, _best(column[:, None], wanted[:, None], 0.01), count, TRUSTED_OWN)
        if count
        else of_all
        for column, wanted, count in each
    ]


def _best(probabilities: Array, labels: Array, room: float) -> float:
    """The threshold of the best macro-F1: the middle of its plateau, as the single best is luck."""
    tried = np.arange(LOWEST_THRESHOLD, HIGHEST_THRESHOLD + 0.001, 0.01)
    reached = np.array([f1_scores(probabilities >= one, labels)[1] for one in tried])
    return float(tried[reached >= reached.max() - room].mean())


def _instead_of(guess: float, found: float, articles: int, trusted: int) -> float:
    trust = articles / (articles + trusted)
    return trust * found + (1 - trust) * guess


def thresholds(probabilities: Array, labels: Array, one_each: bool) -> tuple[Array, Array]:
    """From where each theme is said when it is an article's most probable one, and when not."""
    themes = labels.shape[1]
    if one_each:
        only = _instead_of(FIRST_ONLY_THRESHOLD, ONLY_THRESHOLD, len(labels), TRUSTED)
        return np.full(themes, only), np.full(themes, SECOND_THRESHOLD)
    of_all = suggestion_threshold(probabilities, labels)
    own = np.array(own_thresholds(probabilities, labels, of_all))
    return own, own


def are_probable(probabilities: Array, threshold: Array, others_threshold: Array) -> Array:
    """By the thresholds of each article's most probable theme, and of its others."""
    best = probabilities == probabilities.max(axis=-1, keepdims=True)
    result: Array = probabilities >= np.where(best, threshold, others_threshold)
    return result


def least_strength(strengths: Array, said: Array, one_each: bool) -> float:
    """The strength that all but the weakest of such suggestions have; 0 while there are none."""
    of_said = strengths[said]
    weakest = WEAKEST_OF_ONE if one_each else WEAKEST
    return float(np.quantile(of_said, weakest)) if len(of_said) else 0.0


def wilson_lower(right: float, of: int, z: float = WILSON_Z) -> float:
    if not of:
        return 0.0
    share = right / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - spread) / (1 + z * z / of)


def acceptances(probabilities: Array, labels: Array) -> list[tuple[float | None, int, int]]:
    """Of each theme the lowest probability from which its tags may be accepted unseen, or None.

    With it, how many tags of reviewed articles lie there and how many of them are right; without,
    the numbers at LOWEST_ACCEPTED, so that an editor can be told what is missing.
    """
    of_all = _Tags(probabilities, labels)
    return [
        _acceptance(_Tags(own, right), of_all)
        for own, right in zip(probabilities.T, labels.T, strict=True)
    ]


class _Tags:
    """Probabilities and what came of them, to be counted from any of them on."""

    def __init__(self, probabilities: Array, labels: Array) -> None:
        order = np.argsort(probabilities, axis=None)
        self.sorted = probabilities.ravel()[order]
        self.right = np.append(0, np.cumsum(labels.ravel()[order]))

    def above(self, lowest: float) -> tuple[int, int]:
        """How many, and how many of them are right."""
        at = int(np.searchsorted(self.sorted, lowest))
        return len(self.sorted) - at, int(self.right[-1] - self.right[at])


def _acceptance(own: _Tags, of_all: _Tags) -> tuple[float | None, int, int]:
    first = int(np.searchsorted(own.sorted, LOWEST_ACCEPTED))
    for lowest in np.unique(own.sorted[first:]):
        count, right = own.above(lowest)
        if _is_proven(count, right) or _is_proven_among(count, right, *of_all.above(lowest)):
            # Rounded as confidences are, so that what lay there while it was tested does again.
            return round(float(lowest), 4), count, right
    return None, *own.above(LOWEST_ACCEPTED)


def _is_proven(count: int, right: float) -> bool:
    return count >= ENOUGH_TAGS and wilson_lower(right, count) >= WANTED_PRECISION


def _is_proven_among(count: int, right: int, of_all: int, right_of_all: int) -> bool:
    """A theme with few tags of its own, where those of all themes prove it: they stand for so many
    more of its own, and its own can still speak against it.
    """
    if count < FEWEST_OWN_TAGS or of_all < WORTH_OF_ALL or not _is_proven(of_all, right_of_all):
        return False
    return _is_proven(count + WORTH_OF_ALL, right + WORTH_OF_ALL * right_of_all / of_all)
