"""What words have in common before any editor has said anything: a small table of word vectors.

Shipped with the package, one file a language, read once by a process that learns or suggests.
docs/decisions/ tells where it comes from. A language without a table is learned without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class WordVectors:
    rows: dict[str, int]  # stem → row
    # The longer a row, the more its word tells of what a text is about.
    matrix: npt.NDArray[np.float32]

    @property
    def size(self) -> int:
        return int(self.matrix.shape[1])


@cache
def word_vectors(language: str) -> WordVectors | None:
    file = resources.files("newsletter.themes") / "vectors_data" / f"{language}.npz"
    return unpacked(file) if file.is_file() else None


def unpacked(file: Traversable) -> WordVectors:
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        stems = bytes(stored["stems"]).decode("utf-8").split("\n")
        packed, scale = stored["vectors"], stored["scale"]
    # Two numbers from -7 to 7 in a byte.
    pairs = np.stack((packed >> 4, packed & 15), axis=-1).reshape(len(packed), -1)
    matrix = (pairs.astype(np.float32) - 8) * scale[:, None]
    return WordVectors({stem: row for row, stem in enumerate(stems)}, matrix)
