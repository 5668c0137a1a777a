"""What Italian readers get; that no string lacks its Italian is `python -m tests.messages`."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from django.utils.translation import gettext, ngettext, override

from newsletter.desk.sentences import moment_in_words, schedule_sentence
from newsletter.digests.models import Newsletter


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


# Django's Italian names of days and months begin with a capital.
def test_days_and_months_are_small_in_italian() -> None:
    weekly = Newsletter(frequency=Newsletter.Frequency.WEEKLY, weekdays=[3], send_at=time(8))

    with override("it"):
        assert schedule_sentence(weekly) == "Ogni giovedì alle 08:00"
        at = moment_in_words(datetime(2026, 7, 16, 6, tzinfo=UTC), weekly)
        assert at == "giovedì 16 luglio 2026, 08:00"

    with override("en"):
        assert schedule_sentence(weekly) == "Every Thursday at 08:00"
