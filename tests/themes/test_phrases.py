from __future__ import annotations

import pytest

from newsletter.themes.documents import read
from newsletter.themes.phrases import phrases
from newsletter.themes.stemming import stem

ALL = ("orario", "lavoro", "ridotto", "salario", "minimo")


def found(text: str, *, title: str = "", telling: tuple[str, ...] = ALL) -> list[str]:
    parts = {stem(word, "it"): 1.0 / place for place, word in enumerate(telling, start=1)}
    return [one.written for one in phrases(read(title, text, "it"), parts)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Un orario di lavoro ridotto", ["orario di lavoro ridotto"]),
        ("L'orario del\nlavoro", []),  # a new line ends a sentence
        ("orario e lavoro", []),
        ("orario, lavoro", []),
        ("orario. Lavoro", []),
        ("orario nuovo lavoro", []),
        ("salario minimo: orario ridotto", ["orario ridotto", "salario minimo"]),
    ],
)
def test_telling_words_side_by_side_are_one_term(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_a_word_that_mostly_stands_elsewhere_is_in_no_phrase() -> None:
    assert found("Orario di lavoro. Il lavoro. Del lavoro!") == []
    assert found("Orario di lavoro. Il lavoro.") == ["Orario di lavoro"]


def test_a_phrase_of_the_title_is_marked_so() -> None:
    telling = {stem("salario", "it"): 1.0, stem("minimo", "it"): 0.5}
    (phrase,) = phrases(read("Salario minimo", "Il salario minimo", "it"), telling)
    assert (phrase.written, phrase.in_title) == ("Salario minimo", True)
