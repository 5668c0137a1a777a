"""Many small logistic regressions at once: one column of labels a theme, features shared.

L-BFGS (Nocedal & Wright, Numerical Optimization, algorithm 7.4) on all columns side by side. The
themes' problems are independent, but each step needs one product with the sparse matrix for all of
them together, which is where the time goes. Labels may lie between 0 and 1, and every cell has a
weight of its own: what nobody said about an article and a theme weighs nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]  # of np.float32 where nothing else is said

MEMORY = 6  # pairs of steps and gradients kept
HALVINGS = 12


def sigmoid(logits: Array) -> Array:
    result: Array = 1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))
    return result


def balanced(labels: Array, weights: Array) -> Array:
    """Weights under which the labelled and the other articles of each theme weigh the same."""
    positive = (weights * labels).sum(axis=0)
    negative = (weights * (1 - labels)).sum(axis=0)
    half = (positive + negative) / 2
    result: Array = weights * (
        labels * (half / np.maximum(positive, 1e-6))
        + (1 - labels) * (half / np.maximum(negative, 1e-6))
    ).astype(np.float32)
    return result


class Regression:
    """The rows of some texts, ready to be fitted to any labels and weights of theirs."""

    def __init__(self, rows: sparse.csr_matrix) -> None:
        self._rows = rows
        self._transposed = rows.T.tocsr()

    def logits(self, coefficients: Array) -> Array:
        """`coefficients` have one row a theme, and the intercept last."""
        result: Array = self._rows @ coefficients[:, :-1].T + coefficients[:, -1]
        return result

    def slope(self, errors: Array) -> Array:
        """By how much each coefficient is to blame for errors in the logits."""
        result: Array = np.empty((errors.shape[1], self._rows.shape[1] + 1), np.float32)
        result[:, :-1] = (self._transposed @ errors).T
        result[:, -1] = errors.sum(axis=0)
        return result

    def fit(
        self,
        labels: Array,
        weights: Array,
        *,
        start: Array | None = None,
        steps: int = 30,
        tolerance: float = 1e-2,
    ) -> Array:
        """The coefficients (features and, last, the intercept; one column a theme).

        Minimises the weighted logistic loss plus half the squared coefficients; `start` is where
        to begin, such as the coefficients fitted to a part of the articles.
        """
        # Here one row a theme: a sum over what lies side by side is several times faster.
        coefficients: Array = np.zeros((labels.shape[1], self._rows.shape[1] + 1), np.float32)
        if start is not None:
            coefficients[:] = start.T
        logits = self.logits(coefficients)

        def loss(logits: Array, squares: Array) -> Array:
            cells = weights * (np.logaddexp(0.0, logits) - labels * logits)
            total: Array = cells.sum(axis=0) + squares / 2
            return total

        def gradient(logits: Array, coefficients: Array) -> Array:
            return self.slope(weights * (sigmoid(logits) - labels)) + coefficients

        slope = gradient(logits, coefficients)
        at_start = _norms(slope) + 1e-12
        value = loss(logits, _products(coefficients, coefficients))
        history: list[tuple[Array, Array]] = []
        for _ in range(steps):
            if bool((_norms(slope) <= tolerance * at_start).all()):
                break
            direction = _direction(slope, history)
            along = self.logits(direction)
            expected = _products(slope, direction)
            squares = _products(coefficients, coefficients)
            mixed = _products(coefficients, direction)
            longest = _products(direction, direction)
            step = np.ones(labels.shape[1], np.float32)
            for _ in range(HALVINGS):
                tried = loss(logits + step * along, squares + step * (2 * mixed + step * longest))
                # Armijo's condition, with room for the rounding of single precision.
                worse = tried > value + 1e-4 * step * expected + 1e-6 * np.abs(value)
                if not worse.any():
                    break
                step = np.where(worse, step / 2, step).astype(np.float32)
            step = np.where(worse, 0, step).astype(np.float32)
            if not step.any():
                break
            moved: Array = step[:, None] * direction
            coefficients = coefficients + moved
            logits = logits + step * along
            value = np.where(worse, value, tried).astype(np.float32)
            before, slope = slope, gradient(logits, coefficients)
            history = [*history[-(MEMORY - 1) :], (moved, slope - before)]
        return np.ascontiguousarray(coefficients.T)


def _norms(rows: Array) -> Array:
    result: Array = np.sqrt(_products(rows, rows))
    return result


def _products(one: Array, other: Array) -> Array:
    """Of each row with its counterpart; einsum is many times faster here than multiply, sum."""
    result: Array = np.einsum("ij,ij->i", one, other)
    return result


def _direction(slope: Array, history: list[tuple[Array, Array]]) -> Array:
    """The two loops of L-BFGS, one row a theme."""
    if not history:
        return -slope / np.maximum(1.0, _norms(slope))[:, None]
    direction: Array = -slope
    done: list[tuple[Array, Array]] = []
    for step, change in reversed(history):
        curvature: Array = 1.0 / np.maximum(_products(step, change), 1e-12)
        share: Array = curvature * _products(step, direction)
        direction -= share[:, None] * change
        done.append((curvature, share))
    step, change = history[-1]
    scale: Any = _products(step, change) / np.maximum(_products(change, change), 1e-12)
    direction *= scale[:, None]
    for (step, change), (curvature, share) in zip(history, reversed(done), strict=True):
        direction += step * (share - curvature * _products(change, direction))[:, None]
    return direction
