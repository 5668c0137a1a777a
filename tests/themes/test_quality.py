"""How good suggestions are, and which words would make them better."""

from __future__ import annotations

import pytest

from newsletter.themes.quality import Decided, Reviewed, Share, worth_adding


@pytest.mark.parametrize(
    ("right", "of", "interval"),
    # Wilson's interval at 95 %, to whole percentages outwards.
    [
        (0, 0, (0, 100)),
        (0, 10, (0, 28)),
        (10, 10, (72, 100)),
        (45, 50, (78, 96)),
        (81, 263, (25, 37)),
    ],
)
def test_the_interval_holds_for_few_and_for_none(
    right: int, of: int, interval: tuple[int, int]
) -> None:
    assert Share(right, of).interval == interval


def test_precision_is_of_what_was_said_and_recall_of_what_belongs() -> None:
    decided = Decided(confirmed=30, rejected=10, added=20)
    assert (decided.precision.percent, decided.recall.percent) == (75, 60)
    assert decided.precision.is_enough
    assert not Decided(confirmed=10, rejected=9).precision.is_enough


def texts(*parts: str, times: int = 10, first: int = 1) -> list[Reviewed]:
    return [
        Reviewed(first + n, f"{parts[n % len(parts)]}. Anche oggi il lavoro.", "it")
        for n in range(times)
    ]


INSIDE = texts("Il riscatto della laurea conviene", "Riscatto di laurea e finestra mobile")
OUTSIDE = texts("La mensa aziendale", "Il turno di notte", times=40, first=100)


def test_words_frequent_here_and_rare_elsewhere_are_worth_adding() -> None:
    found = worth_adding(INSIDE, OUTSIDE, known=set())
    assert found
    first = found[0]
    assert (first.term, first.inside, first.outside) == ("riscatto della laurea", 10, 0)
    assert first.article_id in {one.pk for one in INSIDE}
    terms = [one.term for one in found]
    assert "laurea" not in terms  # the phrase says it already
    assert not any(word in term for term in terms for word in ("oggi", "lavoro", "anche"))


def test_what_is_a_keyword_already_is_not_proposed_nor_a_phrase_that_holds_it() -> None:
    found = worth_adding(INSIDE, OUTSIDE, known={("riscatt",), ("laur",), ("laure",)})
    assert found is not None
    assert not any("riscatto" in one.term or "laurea" in one.term.lower() for one in found)


def test_words_on_both_sides_of_a_comma_are_no_phrase() -> None:
    inside = texts("Laurea, riscatto", times=10)
    found = worth_adding(inside, OUTSIDE, known=set())
    assert found is not None
    assert sorted(one.term for one in found) == ["Laurea", "riscatto"]


def test_a_word_that_others_have_as_often_is_not_proposed() -> None:
    everywhere = texts("Il riscatto della laurea", times=40, first=100)
    found = worth_adding(INSIDE, everywhere, known=set())
    assert found is not None
    assert not any("riscatto" in one.term.lower() for one in found)


def test_too_few_articles_say_nothing() -> None:
    assert worth_adding(INSIDE[:7], OUTSIDE, known=set()) is None
    assert worth_adding(INSIDE, OUTSIDE[:19], known=set()) is None
