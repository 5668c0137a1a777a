"""How text is cut and cleaned for a mail."""

from __future__ import annotations

import pytest

from newsletter.digests.wording import default_subject, one_line, shorten


@pytest.mark.parametrize(
    "title",
    [
        "Sciopero\r\nBcc: tutti@posta.example",
        "Sciopero\nBcc: tutti@posta.example",
        "Sciopero\u2028Bcc: tutti@posta.example",
        "Sciopero\x0b\x85Bcc: tutti@posta.example",
        "  Sciopero \x00 Bcc:\ttutti@posta.example ",
    ],
)
def test_a_title_is_one_line_whatever_ends_its_lines(title: str):
    assert one_line(title) == "Sciopero Bcc: tutti@posta.example"


def test_marks_that_turn_the_reading_direction_are_dropped():
    assert one_line("busta\u202egpj.paga") == "bustagpj.paga"


def test_signs_that_belong_to_a_word_stay():
    assert one_line("Pari opportunità 👩‍🏭 l’8 marzo") == "Pari opportunità 👩‍🏭 l’8 marzo"


def test_a_short_text_is_left_alone():
    assert shorten("Breve.", 240) == "Breve."


def test_a_long_text_ends_with_a_whole_sentence():
    text = "La prima frase dice tutto quello che serve. La seconda aggiunge poco."
    assert shorten(text, 60) == "La prima frase dice tutto quello che serve."


def test_a_single_long_sentence_ends_with_a_whole_word():
    cut = shorten("Una frase che continua senza mai fermarsi " * 10, 50)
    assert cut == "Una frase che continua senza mai fermarsi Una…"


def test_one_endless_word_is_cut_all_the_same():
    assert len(shorten("a" * 500, 50)) == 50


def test_the_proposed_subject_fits_a_header():
    subject = default_subject("Ogni settimana", 42, "Un titolo lunghissimo " * 30, "it")
    assert len(subject) <= 150
    assert subject.startswith("Ogni settimana N. 42: Un titolo")
