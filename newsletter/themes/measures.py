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


def counts_by_theme(said: Array, labels: Array) -> list[tuple[int, int, int]]:
    """Of each theme: how often it was said and right, how often said, how often given."""
    named, wanted = said > 0, labels > 0
    columns = ((named & wanted).sum(axis=0), named.sum(axis=0), wanted.sum(axis=0))
    return [(int(one), int(two), int(three)) for one, two, three in zip(*columns, strict=True)]


def confusions(said: Array, labels: Array, most: int = 30) -> list[tuple[int, int, int]]:
    """Places of two themes, the one said wrongly and the one missed in the same article, and how
    often; the most frequent first.
    """
    named, wanted = said > 0, labels > 0
    pairs = (named & ~wanted).T.astype(np.int64) @ (wanted & ~named).astype(np.int64)
    found = [(int(one), int(two), int(pairs[one, two])) for one, two in np.argwhere(pairs)]
    return sorted(found, key=lambda pair: (-pair[2], pair))[:most]
