"""Texts as numbered terms in whole arrays, gathered one by one."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[np.float32]
Counts = Counter[str]


@dataclass(frozen=True)
class Corpus:
    """Texts with their terms numbered, so that all counting is done by whole arrays."""

    numbers: dict[str, int]  # of each term, in the sequence of the numbers
    places: npt.NDArray[np.int32]  # of every term of every text, text after text
    counts: Array
    ends: npt.NDArray[np.int64]  # where each text ends; the first is 0

    @property
    def texts(self) -> int:
        return len(self.ends) - 1

    @property
    def of_text(self) -> npt.NDArray[np.int64]:
        """Which text each of `places` stands in."""
        return np.repeat(np.arange(self.texts), np.diff(self.ends))

    def by_text(self, values: Array, columns: npt.NDArray[Any], width: int) -> sparse.csr_matrix:
        return sparse.csr_matrix((values, columns, self.ends), shape=(self.texts, width))

    def only(self, texts: npt.NDArray[np.int64]) -> Corpus:
        """Some of the texts, with the numbers that their terms have here."""
        sizes = np.diff(self.ends)[texts]
        ends = np.append(0, np.cumsum(sizes))
        at = np.arange(ends[-1]) + np.repeat(self.ends[texts] - ends[:-1], sizes)
        return Corpus(self.numbers, self.places[at], self.counts[at], ends)


class Gathering:
    """Takes texts in one after the other and keeps of each but its numbers."""

    def __init__(self) -> None:
        self._numbers = _numbering()
        self._places, self._counts, self._ends = array("i"), array("f"), array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, text: Counts) -> None:
        size = len(text)
        numbers = np.fromiter(map(self._numbers.__getitem__, text), np.int32, size)
        self._places.frombytes(numbers.tobytes())
        self._counts.frombytes(np.fromiter(text.values(), np.float32, size).tobytes())
        self._ends.append(len(self._places))

    def corpus(self) -> Corpus:
        """What was taken in; nothing more may be."""
        return Corpus(
            numbers=self._numbers,
            places=np.frombuffer(self._places, np.int32),
            counts=np.frombuffer(self._counts, np.float32),
            ends=np.frombuffer(self._ends, np.int64),
        )


def corpus_of(texts: Iterable[Counts]) -> Corpus:
    gathering = Gathering()
    for text in texts:
        gathering.add(text)
    return gathering.corpus()


def _numbering() -> defaultdict[str, int]:
    """Gives every new term the next number."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    return numbers
