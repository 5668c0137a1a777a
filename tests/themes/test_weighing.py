from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from newsletter.themes.corpus import corpus_of
from newsletter.themes.documents import read
from newsletter.themes.features import known_terms, rows
from newsletter.themes.learning import model_of
from newsletter.themes.weighing import logits_of, strongest_of, vector_weights, word_parts
from tests.themes import made


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = [one.text for one in made.sources(40, reviewed=True, seed=8)]
    return [*found, "", "ghiacciaio montagna ghiacciaio", "zzzz"]


def test_many_texts_at_once_weigh_what_each_weighs_alone(texts: list[str]) -> None:
    model = model_of(made.sources(120, reviewed=True), made.themes(), "it")
    assert model is not None
    vectors = vector_weights(model.vocabulary, model.coefficients)
    counted = [read("", text, "it").counts() for text in texts]
    together = word_parts(corpus_of(counted), model.vocabulary, model.coefficients, vectors)
    for text, (first, end) in zip(counted, pairwise(together.ends), strict=True):
        alone = word_parts(corpus_of([text]), model.vocabulary, model.coefficients, vectors)
        assert together.parts[first:end] == pytest.approx(alone.parts, abs=1e-5)


def test_the_parts_of_a_texts_words_sum_up_to_what_its_row_says(texts: list[str]) -> None:
    model = model_of(made.sources(120, reviewed=True), made.themes(), "it")
    assert model is not None
    vectors = vector_weights(model.vocabulary, model.coefficients)
    corpus = corpus_of(read("", text, "it").counts() for text in texts)
    whole = rows(corpus, model.vocabulary, known_terms(corpus.numbers, model.vocabulary))
    said = whole @ model.coefficients[:-1]
    found = word_parts(corpus, model.vocabulary, model.coefficients, vectors)
    for text, (first, end) in zip(said, pairwise(found.ends), strict=True):
        assert found.parts[first:end].sum(axis=0) == pytest.approx(text, abs=1e-4)
    assert np.abs(said).max() > 0.5


def test_many_faint_words_are_less_than_three_strong_ones() -> None:
    faint, strong = np.full((40, 1), 0.1), np.array([[0.5], [0.6], [0.7], [-2.0]])
    assert strongest_of(faint).tolist() == pytest.approx([0.3])
    assert strongest_of(strong).tolist() == pytest.approx([1.8])
    assert strongest_of(strong[:1]).tolist() == pytest.approx([0.5])


def test_a_word_against_a_theme_counts_only_where_all_words_do() -> None:
    parts = np.array([[2.0, 0.5, 0.25], [-1.0, 0.5, 0.25]], np.float32)  # two themes, and how many
    intercept = np.array([0.1, 0.0, -1.0], np.float32)
    telling, whole, many = logits_of(parts, intercept, 0.9).T
    assert telling == pytest.approx([2.1, 0.95])
    assert whole == pytest.approx([1.1, 1.0])
    assert many == pytest.approx([-0.5, -0.5])
