"""One click says of a word that it never, or always, speaks for a theme."""

from __future__ import annotations

import pytest

from newsletter.themes.teaching import Verdict, Words, teach, unteach

BEFORE = Words("previdenza\npensioni", "pensione di famiglia")


def test_not_this_word_moves_it_to_the_exclusions_whatever_its_ending() -> None:
    after, lesson = teach(BEFORE, "Pensione", Verdict.NEVER, "it")
    assert after == Words("previdenza", "pensione di famiglia\nPensione")
    assert lesson.removed == ("pensioni",)
    assert unteach(after, lesson) == Words("previdenza\npensioni", "pensione di famiglia")


def test_always_this_word_moves_it_to_the_keywords() -> None:
    after, lesson = teach(BEFORE, "pensioni di famiglia", Verdict.ALWAYS, "it")
    assert after == Words("previdenza\npensioni\npensioni di famiglia", "")
    assert unteach(after, lesson) == BEFORE


@pytest.mark.parametrize("word", ["previdenze", "di", "  "])
def test_what_is_there_already_or_carries_no_subject_changes_nothing(word: str) -> None:
    after, lesson = teach(BEFORE, word, Verdict.ALWAYS, "it")
    assert after == BEFORE
    assert not lesson.added
    assert not lesson.removed


def test_taking_back_leaves_what_others_changed_since() -> None:
    after, lesson = teach(BEFORE, "quota cento", Verdict.ALWAYS, "it")
    since = Words(after.keywords + "\nfondi", "privata")
    assert unteach(since, lesson) == Words("previdenza\npensioni\nfondi", "privata")
    gone = Words("fondi", "privata")
    assert unteach(gone, lesson) == gone


def test_a_word_with_line_breaks_stays_one_line() -> None:
    after, _ = teach(Words("", ""), "quota\n cento", Verdict.ALWAYS, "it")
    assert after.keywords == "quota cento"
