"""How far away a moment is, as one says it in either language."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.translation import override

from newsletter.desk.moments import ago, length, until
from tests.builders import NOW

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("left", "english", "italian"),
    [
        (2 * DAY + 7 * HOUR, "in 2 days and 7 hours", "tra 2 giorni e 7 ore"),
        (DAY + HOUR, "in 1 day and 1 hour", "tra un giorno e un’ora"),
        (3 * DAY + MINUTE, "in 3 days", "tra 3 giorni"),
        (9 * DAY + 5 * HOUR, "in 9 days", "tra 9 giorni"),
        (3 * HOUR + 20 * MINUTE, "in 3 hours and 20 minutes", "tra 3 ore e 20 minuti"),
        (MINUTE, "in 1 minute", "tra un minuto"),
        (20 * DAY, "in 2 weeks", "tra 2 settimane"),
        (MINUTE / 2, "in a moment", "tra un momento"),
        (-DAY, "in a moment", "tra un momento"),
    ],
)
def test_what_is_to_come(left: timedelta, english: str, italian: str) -> None:
    with override("en"):
        assert until(NOW + left, now=NOW) == english
    with override("it"):
        assert until(NOW + left, now=NOW) == italian


@pytest.mark.parametrize(
    ("past", "english", "italian"),
    [
        (timedelta(seconds=20), "just now", "poco fa"),
        (HOUR, "1 hour ago", "un’ora fa"),
        (3 * HOUR + 59 * MINUTE, "3 hours ago", "3 ore fa"),
        (2 * DAY + 7 * HOUR, "2 days ago", "2 giorni fa"),
        (70 * DAY, "2 months ago", "2 mesi fa"),
        (800 * DAY, "2 years ago", "2 anni fa"),
    ],
)
def test_what_has_been(past: timedelta, english: str, italian: str) -> None:
    with override("en"):
        assert ago(NOW - past, now=NOW) == english
    with override("it"):
        assert ago(NOW - past, now=NOW) == italian


@pytest.mark.parametrize(
    ("time", "english", "italian"),
    [
        (timedelta(seconds=20), "less than a minute", "meno di un minuto"),
        (MINUTE, "1 minute", "un minuto"),
    ],
)
def test_how_long_something_lasts(time: timedelta, english: str, italian: str) -> None:
    with override("en"):
        assert length(time) == english
    with override("it"):
        assert length(time) == italian
