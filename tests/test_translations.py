"""What Italian readers get; that no string lacks its Italian is `python -m tests.messages`."""

from __future__ import annotations

import pytest
from django.utils.translation import gettext, ngettext, override


# Django's own Italian catalogue has another rule for plurals: a form for millions, three in all.
@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 articoli accettati."),
        (1, "1 articolo accettato."),
        (2, "2 articoli accettati."),
        (1_000_000, "1000000 articoli accettati."),
    ],
)
def test_counts_are_said_in_the_right_number(count: int, said: str) -> None:
    with override("it"):
        template = ngettext("%(count)d article accepted.", "%(count)d articles accepted.", count)

    assert template % {"count": count} == said


def test_a_word_with_a_plural_is_translated_alone_too() -> None:
    with override("it"):
        assert gettext("article") == "articolo"


def test_english_readers_get_english_on_an_italian_site(settings) -> None:
    settings.LANGUAGE_CODE = "it"

    with override("en"):
        assert gettext("Front page") == "Front page"
