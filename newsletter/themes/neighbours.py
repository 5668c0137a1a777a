"""What the reviewed articles nearest to a text were given.

A linear model weighs each word once, for all texts. Posts of one series or on one event share
words and turns of phrase that hardly occur elsewhere: there the nearest few tell more (Cover and
Hart, 1967), each by how near it is (Dudani, 1976).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy import sparse

from newsletter.themes.logistic import Array

MOST_NEIGHBOURS = 2_000  # articles that are kept to be asked, the newest
FEWEST_NEIGHBOURS = 30  # of fewer, at least NEAREST, the nearest are not near
NEAREST = 15
SHARPNESS = 3  # the power of an article's likeness that its vote counts
# What is usual has votes too, so many of theirs, and those of one article that is hardly alike.
OF_USUAL, LEAST_USUAL = 1.5, 0.05**SHARPNESS
LEAST_SHARE = 0.001


class Nearest(NamedTuple):
    """One row a text, one column an article."""

    articles: np.ndarray
    weights: Array  # what their votes count


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

    def nearest(self, rows: sparse.csr_matrix) -> Nearest:
        """To each text; of few articles none is near."""
        if len(self.labels) < FEWEST_NEIGHBOURS:
            none = np.zeros((rows.shape[0], 0))
            return Nearest(none.astype(np.int64), none.astype(np.float32))
        likeness = (rows @ self._by_term).toarray()
        found = np.argpartition(-likeness, NEAREST - 1, axis=1)[:, :NEAREST]
        return Nearest(found, np.take_along_axis(likeness, found, axis=1) ** SHARPNESS)

    def votes(self, nearest: Nearest) -> Array:
        """For each theme of each text the log odds that its neighbours give; 0 without any."""
        articles, weights = nearest
        if not articles.size:
            return np.zeros((len(articles), self.labels.shape[1]), np.float32)
        usual = OF_USUAL * weights.mean(axis=1, keepdims=True) + LEAST_USUAL
        share = np.einsum("an,ant->at", weights, self.labels[articles]) + usual * self._usual
        return _log_odds(share / (weights.sum(axis=1, keepdims=True) + usual))

    def parts(self, row: sparse.csr_matrix, nearest: Nearest, votes: Array) -> Array:
        """What each term of one text has in the votes: one row a term, as in `row.indices`.

        Together they are what a vote is beyond the usual one.
        """
        (articles,), (weights,) = nearest
        shared = self.rows[articles][:, row.indices].toarray() * row.data
        each = weights / np.maximum(shared.sum(axis=1), 1e-9)
        parts: Array = shared.T @ (each[:, None] * (self.labels[articles] - self._usual))
        beyond, total = votes - _log_odds(self._usual), parts.sum(axis=0)
        return parts * np.divide(beyond, total, out=np.zeros_like(total), where=beyond * total > 0)

    @property
    def _usual(self) -> Array:
        result: Array = self.labels.mean(axis=0)
        return result

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


def _log_odds(share: Array) -> Array:
    share = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
    result: Array = np.log(share / (1 - share)).astype(np.float32)
    return result
