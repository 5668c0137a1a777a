from __future__ import annotations

import pytest

from newsletter.themes.stemming import tokens


def stems(text: str, language: str = "it") -> list[str]:
    return [token.stem for token in tokens(text, language)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pensione", "Pensioni"),
        ("pensionato", "pensionate"),
        ("sciopero", "SCIOPERI"),
        ("l’articolo", "dell'articolo"),
        ("un’assemblea", "all‘assemblea"),
        ("perché", "perche"),
        ("attività", "attivita'"),
        ("orario di lavoro", "orario del lavoro"),
        ("open-source", "Open source"),
    ],
)
def test_spellings_of_one_italian_term_are_the_same(one: str, other: str) -> None:
    assert stems(one) == stems(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("licenza", "licenziamento"),
        ("diretta", "direttiva"),
        ("in caso", "da casa"),
        ("profilo", "profilazione"),
    ],
)
def test_words_that_only_share_a_root_stay_apart(one: str, other: str) -> None:
    assert stems(one) != stems(other)


def test_english_is_stemmed_as_english() -> None:
    assert stems("strikes", "en") == stems("strike", "en-GB")


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("health and safety", "health, not safety", "en"),
        ("réduction du temps de travail", "réduction temps travail", "fr"),
        ("horario de trabajo", "horario trabajo", "es"),
        ("Schutz der Gesundheit", "Schutz Gesundheit", "de"),
    ],
)
def test_words_that_carry_no_subject_are_left_out(one: str, other: str, language: str) -> None:
    assert stems(one, language) == stems(other, language)


def test_an_unknown_language_is_matched_word_by_word() -> None:
    assert stems("Lakó lakók", "hu") == ["lako", "lakok"]


def test_acronym_ai_is_not_the_preposition() -> None:
    assert "AI" in stems("La AI al lavoro")
    assert "AI" not in stems("Avviso ai lavoratori")
    assert "AI" not in stems("AVVISO AI LAVORATORI DELLA SEDE")


def test_places_point_at_the_words_as_written() -> None:
    text = "Oggi l’Assemblea: si vota."
    assert [text[t.start : t.end] for t in tokens(text, "it") if t.stem] == [
        "Oggi",
        "Assemblea",
        "vota",
    ]
