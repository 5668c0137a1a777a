"""The votes of the reviewed articles that are nearest to a text."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import sparse

from newsletter.themes.documents import read
from newsletter.themes.learned import Model
from newsletter.themes.learning import model_of
from newsletter.themes.neighbours import FEWEST_NEIGHBOURS, NEAREST, Neighbours
from newsletter.themes.rules import CompiledThemes, ThemeRules
from newsletter.themes.sources import Source
from tests.themes import made
from tests.themes.made import PENSIONS, SCHOOL, STRIKES


def a_row(*terms: int) -> np.ndarray:
    row = np.zeros(10, np.float32)
    row[list(terms)] = 1 / np.sqrt(len(terms))
    return row


def texts(*rows: np.ndarray) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(rows))


@pytest.fixture
def neighbours() -> Neighbours:
    """Half of them have the terms 0 and 1 and the first theme, half 2 and 3 and the second."""
    half = max(FEWEST_NEIGHBOURS, 2 * NEAREST)
    rows = texts(*[a_row(0, 1)] * half, *[a_row(2, 3)] * half)
    return Neighbours(rows, np.repeat(np.eye(2, dtype=np.float32), half, axis=0))


def test_a_text_gets_the_themes_of_the_articles_that_share_its_terms(
    neighbours: Neighbours,
) -> None:
    nearest = neighbours.nearest(texts(a_row(0, 1), a_row(2, 3, 4)))
    first, second = neighbours.votes(nearest)
    assert first[0] > 1 > -1 > first[1]
    assert second[1] > 1 > -1 > second[0]


def test_a_text_like_no_other_gets_what_is_usual(neighbours: Neighbours) -> None:
    fewer = neighbours.without(np.arange(10))
    votes = fewer.votes(fewer.nearest(texts(a_row(8, 9))))
    assert votes[0].tolist() == pytest.approx([np.log(20 / 30), np.log(30 / 20)], abs=1e-4)


def test_a_few_articles_are_not_near(neighbours: Neighbours) -> None:
    few = neighbours.without(np.arange(FEWEST_NEIGHBOURS - 1, len(neighbours.labels)))
    assert not few.votes(few.nearest(texts(a_row(0, 1)))).any()


def test_what_each_term_has_in_a_vote_adds_up_to_it(neighbours: Neighbours) -> None:
    row = texts(a_row(0, 1, 7))
    nearest = neighbours.nearest(row)
    (votes,) = neighbours.votes(nearest)
    parts = neighbours.parts(row, nearest, votes)
    assert parts.sum(axis=0) == pytest.approx(votes, abs=1e-4)  # the usual share is a half: 0
    assert parts[row.indices.tolist().index(7)].tolist() == [0, 0]


SERIES = "poi la lettera da leggere: un numero, una parola, un gruppo"


def a_series(count: int) -> list[Source]:
    """Posts with words of any subject: only all of them together make the series."""
    dice = random.Random(8)
    return [
        Source("", f"{SERIES} {' '.join(dice.choices(made.FILLER, k=60))}", frozenset({SCHOOL}))
        for _ in range(count)
    ]


def long(sources: list[Source]) -> list[Source]:
    dice = random.Random(9)
    return [
        one._replace(text=f"{one.text} {' '.join(dice.choices(made.FILLER, k=60))}")
        for one in sources
    ]


@pytest.fixture(scope="module")
def taught() -> Model:
    model = model_of([*a_series(16), *long(made.sources(150, reviewed=True))], made.themes(), "it")
    assert model is not None
    return model


def test_posts_of_a_series_are_known_by_the_words_they_have_in_common(taught: Model) -> None:
    weighed = taught.weigh(read("", SERIES, "it"))
    votes = dict(zip(taught.theme_ids, weighed.alike.tolist(), strict=True))
    assert votes[SCHOOL] > 1 > max(votes[PENSIONS], votes[STRIKES])
    assert weighed.parts(taught.theme_ids.index(SCHOOL)).keys() >= {"letter", "parol"}


def test_an_excluded_word_makes_no_article_a_neighbour_for_its_theme(taught: Model) -> None:
    text = read("", SERIES, "it")
    school = taught.theme_ids.index(SCHOOL)
    silent = {SCHOOL: [(stem,) for stem in text.counts() if " " not in stem]}
    weighed = taught.weigh(text, silent)
    assert weighed.alike[school] < taught.weigh(text).alike[school] - 1
    assert not weighed.parts(school)
    others = [at for at in range(3) if at != school]
    assert weighed.alike[others].tolist() == taught.weigh(text).alike[others].tolist()


def test_a_kept_model_has_its_neighbours(taught: Model) -> None:
    text = read("", SERIES, "it")
    again = Model.from_bytes(taught.to_bytes())
    assert again.weigh(text).alike == pytest.approx(taught.weigh(text).alike, abs=0.02)
    assert again.neighbours.labels.tolist() == taught.neighbours.labels.tolist()


def test_a_theme_that_no_neighbour_has_is_not_voted_for() -> None:
    themes = CompiledThemes((*made.themes().themes, ThemeRules(9, ("Casa",), ("affitto",))))
    model = model_of(long(made.sources(150, reviewed=True)), themes, "it")
    assert model is not None
    weighed = model.weigh(read("", made.sources(1, reviewed=True)[0].text, "it"))
    assert weighed.alike[model.theme_ids.index(9)] < -4


def test_sentences_have_no_neighbours() -> None:
    model = model_of(made.sources(150, reviewed=True), made.themes(), "it")
    assert model is not None
    assert not model.weigh(read("", "contributi e anzianità", "it")).alike.any()
