"""What the reviewed articles nearest to a text were given.

A linear model weighs each word once, for all texts. Posts of one series or on one event share
words and turns of phrase that hardly occur elsewhere: there the nearest few tell more (Cover and
Hart, 1967), each by how near it is (Dudani, 1976).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from newsletter.themes.logistic import Array

MOST_NEIGHBOURS = 2_000  # articles that are kept to be asked, the newest
FEWEST_NEIGHBOURS = 30  # the nearest of fewer are not near
NEAREST = 15
SHARPNESS = 3  # the power of an article's likeness that its vote counts
# What is usual has votes too, so many of theirs, and those of one article that is hardly alike.
OF_USUAL, LEAST_USUAL = 1.5, 0.05**SHARPNESS
LEAST_SHARE = 0.001


@dataclass(frozen=True)
class Neighbours:
    rows: sparse.csr_matrix  # one an article, each of length 1
    labels: Array
    _by_term: sparse.csr_matrix = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_term", self.rows.T.tocsr())

    def without(self, articles: np.ndarray) -> Neighbours:
        """As if these had not been reviewed."""
        rest = np.setdiff1d(np.arange(len(self.labels)), articles)
        return Neighbours(self.rows[rest], self.labels[rest])

    def votes(self, rows: sparse.csr_matrix) -> Array:
        """For each theme of each text the log odds that its neighbours give.

        0 while there are few.
        """
        articles, themes = self.labels.shape
        if articles < FEWEST_NEIGHBOURS:
            return np.zeros((rows.shape[0], themes), np.float32)
        nearest, weights = self._nearest(rows)
        usual = OF_USUAL * weights.mean(axis=1, keepdims=True) + LEAST_USUAL
        given = np.einsum("an,ant->at", weights, self.labels[nearest])
        share = given + usual * self.labels.mean(axis=0)
        share /= weights.sum(axis=1, keepdims=True) + usual
        return _log_odds(share)

    def parts(self, row: sparse.csr_matrix, vote: float, theme: int) -> Array:
        """What each term of one text, in the sequence of `row.indices`, has in a theme's vote.

        Together they are what it is beyond the usual one. `vote` is what `votes` gave.
        """
        usual = float(self.labels[:, theme].mean())
        (nearest,), (weights,) = self._nearest(row)
        shared = self.rows[nearest][:, row.indices].toarray() * row.data
        each = weights / np.maximum(shared.sum(axis=1), 1e-9)
        parts: Array = (each * (self.labels[nearest, theme] - usual)) @ shared
        beyond, total = vote - float(_log_odds(usual)), float(parts.sum())
        return parts * (beyond / total if beyond * total > 0 else 0.0)

    def _nearest(self, rows: sparse.csr_matrix) -> tuple[np.ndarray, Array]:
        """Which articles, and what their votes count."""
        likeness = (rows @ self._by_term).toarray()
        last = min(NEAREST, len(self.labels)) - 1
        nearest = np.argpartition(-likeness, last, axis=1)[:, :NEAREST]
        return nearest, np.take_along_axis(likeness, nearest, axis=1) ** SHARPNESS

    def packed(self) -> dict[str, Array]:
        return {
            "near_values": self.rows.data.astype(np.float16),
            "near_terms": self.rows.indices,
            "near_ends": self.rows.indptr,
            "near_labels": self.labels.astype(bool),
        }

    @classmethod
    def unpacked(cls, arrays: Mapping[str, Array], terms: int) -> Neighbours:
        values = arrays["near_values"].astype(np.float32)
        labels = arrays["near_labels"].astype(np.float32)
        kept = (values, arrays["near_terms"], arrays["near_ends"])
        return cls(sparse.csr_matrix(kept, shape=(len(labels), terms)), labels)


def _log_odds(share: Array | float) -> Array:
    share = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
    result: Array = np.log(share / (1 - share)).astype(np.float32)
    return result
