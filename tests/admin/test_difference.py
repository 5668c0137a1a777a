"""What an edit changed: nothing lost, nothing made up, in a text of any size."""

from __future__ import annotations

import random

import pytest

from newsletter.desk import difference as module
from newsletter.desk.difference import Kind, Piece, difference, text_of


def said(pieces: list[Piece]) -> list[tuple[str, str]]:
    return [(piece.kind.value, piece.text.strip()) for piece in pieces]


def test_a_changed_word_is_shown_alone_between_what_stayed() -> None:
    before = "Il corteo parte alle 9 da piazza Dante.\nSi torna alle 12."
    after = "Il corteo parte alle 10 da piazza Dante.\nSi torna alle 12."
    assert said(difference(before, after)) == [
        ("same", "Il corteo parte alle"),
        ("gone", "9"),
        ("new", "10"),
        ("same", "da piazza Dante.\nSi torna alle 12."),
    ]


def test_a_paragraph_taken_away_and_one_added_are_shown_whole() -> None:
    assert said(difference("Uno.\nDue.\nTre.", "Uno.\nTre.\nQuattro.")) == [
        ("same", "Uno."),
        ("gone", "Due."),
        ("same", "Tre."),
        ("new", "Quattro."),
    ]


def test_equal_texts_differ_in_nothing() -> None:
    assert {piece.kind for piece in difference("Uno due.", "Uno due.")} == {Kind.SAME}


def test_a_long_stretch_without_changes_is_counted_instead_of_shown() -> None:
    middle = " ".join(f"parola{n}" for n in range(500))
    pieces = difference(f"Prima. {middle} fine.", f"Dopo. {middle} fine!")
    (skipped,) = [piece for piece in pieces if piece.kind is Kind.SKIPPED]
    assert skipped.words == 500 - 2 * module.CONTEXT
    assert "parola250" not in "".join(piece.text for piece in pieces)


def test_both_texts_can_be_put_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTEXT", 10**9)
    chance = random.Random(7)
    for _round in range(500):
        before, after = (
            "\n".join(
                " ".join(chance.choices("abc", k=chance.randint(1, 5)))
                for _line in range(chance.randint(1, 4))
            )
            for _text in range(2)
        )
        pieces = difference(before, after)
        old = "".join(one.text for one in pieces if one.kind in (Kind.SAME, Kind.GONE))
        new = "".join(one.text for one in pieces if one.kind in (Kind.SAME, Kind.NEW))
        assert (old.rstrip("\n"), new.rstrip("\n")) == (before, after)


def test_a_search_that_would_take_too_long_is_given_up_and_its_output_bounded() -> None:
    chance = random.Random(7)
    before, after = (" ".join(chance.choices("ab", k=250_000)) for _text in range(2))
    changed = [one for one in difference(before, after) if one.kind in (Kind.GONE, Kind.NEW)]
    assert [piece.kind for piece in changed] == [Kind.GONE, Kind.NEW]
    assert all(len(piece.text) < module.LONGEST_PIECE + 10 for piece in changed)


def test_all_searches_of_one_comparison_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 200)
    before = "\n".join(f"uno due tre {n}\nresta {n}" for n in range(60))
    after = before.replace("due", "DUE")
    kinds = [piece.kind for piece in difference(before, after)]
    assert kinds.count(Kind.GONE) < 60


def test_the_words_of_a_text_are_read_without_its_tags() -> None:
    items = "<ul><li>quattro</li><li>cinque</li></ul>"
    html = f"<h2>Titolo</h2><p>Uno <b>due</b>&nbsp;&amp; tre</p>{items}"
    assert text_of(html) == "Titolo\nUno due & tre\nquattro\ncinque"
    assert text_of("") == ""
    assert text_of("senza <em>blocchi</em>") == "senza blocchi"
