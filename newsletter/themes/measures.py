"""How good suggestions are. One row an article, one column a theme; pure."""

from __future__ import annotations

import numpy as np

from newsletter.themes.logistic import Array


def f1_scores(said: Array, labels: Array) -> tuple[float, float, Array]:
    """Micro, macro (over the themes that occur or were said) and each theme's F1."""
    wanted = labels > 0
    named = said > 0
    hits = (named & wanted).sum(axis=0).astype(float)
    sizes = named.sum(axis=0) + wanted.sum(axis=0)
    each = np.divide(2 * hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
    micro = float(2 * hits.sum() / sizes.sum()) if sizes.sum() else 0.0
    macro = float(each[sizes > 0].mean()) if (sizes > 0).any() else 0.0
    return micro, macro, each.astype(np.float32)


def precision_at_1(scores: Array, labels: Array) -> float:
    """How often the first theme is right, of the articles that have any."""
    some = labels.sum(axis=1) > 0
    if not some.any():
        return 0.0
    first = scores[some].argmax(axis=1)
    return float((labels[some][np.arange(len(first)), first] > 0).mean())


def ndcg(scores: Array, labels: Array) -> float:
    """Normalised discounted cumulative gain of the whole ranking, of articles that have themes."""
    some = labels.sum(axis=1) > 0
    if not some.any():
        return 0.0
    wanted = labels[some]
    order = np.argsort(-scores[some], axis=1, kind="stable")
    discounts = 1 / np.log2(np.arange(labels.shape[1]) + 2)
    gained = (np.take_along_axis(wanted, order, axis=1) * discounts).sum(axis=1)
    possible = (-np.sort(-wanted, axis=1) * discounts).sum(axis=1)
    return float((gained / possible).mean())


def calibration_error(probabilities: Array, labels: Array, bins: int = 10) -> float:
    """Expected calibration error over all pairs of article and theme, in bins of equal width."""
    flat, wanted = probabilities.reshape(-1), labels.reshape(-1)
    if not len(flat):
        return 0.0
    place = np.minimum((flat * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    said = np.bincount(place, weights=flat, minlength=bins)
    right = np.bincount(place, weights=wanted, minlength=bins)
    return float(np.abs(said - right).sum() / counts.sum())
