from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from newsletter.feeds.dates import find_date, find_month, parse_date

DAY = datetime(2025, 8, 13, tzinfo=UTC)
HALF_PAST_EIGHT = datetime(2025, 8, 13, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["Wed, 13 Aug 2025 08:30:00 +0000", "13 Aug 2025 08:30 GMT", "Wed, 13 Aug 25 08:30:00 GMT",
     "mer, 13 ago 2025 10:30:00 +0200", "mercoledì 13 agosto 2025, ore 10:30 CEST",
     "13 agosto 2025 - 8.30", "Mi, 13 Aug 2025 10:30:00 MESZ", "13. August 2025 08:30 Uhr",
     "mié, 13 ago 2025 08:30:00 +0000", "13 août 2025 08:30", "13 de agosto de 2025 08:30",
     "śr., 13 sie 2025 08:30:00 +0000", "13 sierpnia 2025 08:30", "13 d'agost 2025 08:30",
     "13 augusti 2025 08:30", "13 augustus 2025 08:30", "August 13, 2025 8:30 am",
     "Wed, 13 Aug 2025 01:30:00 PDT", "Wed, 13 Aug 2025 10:30:00 GMT+2",
     "Wed, 13 Aug 2025 10:30:00 UTC+02:00", "2025-08-13T08:30:00Z", "2025-08-13T10:30+02:00",
     "2025-08-13T08:30:00.123456Z", "20250813T083000Z", "2025-08-13 08:30", "2025-8-13 8:30",
     "13/08/2025 08:30", "13/08/25 08:30", "13.08.2025, 08:30", "08/13/2025 08:30",
     "1755073800", "1755073800000", "20250813083000"],
)  # fmt: skip
def test_moment_is_read(text: str) -> None:
    assert parse_date(text) == HALF_PAST_EIGHT


@pytest.mark.parametrize(
    "text",
    ["13 agosto 2025", "13/08/2025", "13-08-2025", "2025-08-13", "Aug 13 2025"],
)
def test_day_without_time_is_its_midnight(text: str) -> None:
    assert parse_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    ["", "ieri", "oggi", "now", "0000-00-00 00:00:00", "Mon, 01 Jan 0001 00:00:00 +0000",
     "31/31/2025", "1.2.10.4", "99 agosto 2025", "4711", "12345678901234567890"],
)  # fmt: skip
def test_what_is_no_date_is_none_and_never_now(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "day", "words"),
    [("da Il Manifesto del 13 agosto 2025, p. 3", date(2025, 8, 13), "13 agosto 2025"),
     ("Il Manifesto, 13/08/2025", date(2025, 8, 13), "13/08/2025"),
     ("Il Manifesto 13.8.25", date(2025, 8, 13), "13.8.25"),
     ("Roma, 1° maggio 2025", date(2025, 5, 1), "1° maggio 2025")],
)  # fmt: skip
def test_day_is_found_in_running_text(text: str, day: date, words: str) -> None:
    found = find_date(text)
    assert found is not None
    start, end = found[1]
    assert (found[0], text[start:end]) == (day, words)


def test_month_is_found_in_running_text() -> None:
    text = "Jacobin Italia, agosto 2025"
    found = find_month(text)
    assert found is not None
    assert (found[0], text[slice(*found[1])]) == (date(2025, 8, 1), "agosto 2025")
    assert find_month("Il 2025 sarà un maggio caldo") is None
