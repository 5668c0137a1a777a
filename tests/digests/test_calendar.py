"""An event's file, read by a calendar program's own parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from newsletter.digests.block_content import BlockContent
from newsletter.digests.calendar import calendar_file
from tests.builders import NOW

ROME = ZoneInfo("Europe/Rome")


def event(**fields: Any) -> BlockContent:
    defaults = {
        "kind": "event",
        "id": "6f0f1f0e-7d5e-4c58-9a52-1b1f5e1c0a01",
        "heading": "Assemblea; con voto, e \\ altro",
        "place": "Sala grande, edificio 36",
        "words": "Prima riga.\n\nSeconda: " + "perché così è più lungo " * 8,
        "starts": "2026-07-23T08:00:00+00:00",
        "ends": "2026-07-23T10:30:00+00:00",
    }
    return BlockContent(**defaults | fields)


def parsed(block: BlockContent, time_zone: str = "Europe/Rome") -> Any:
    return Calendar.from_ical(calendar_file(block, time_zone=time_zone, stamped=NOW))


def test_a_calendar_reads_what_when_and_where() -> None:
    found = parsed(event()).walk("VEVENT")[0]
    assert str(found["SUMMARY"]) == "Assemblea; con voto, e \\ altro"
    assert str(found["LOCATION"]) == "Sala grande, edificio 36"
    assert str(found["DESCRIPTION"]).startswith("Prima riga.\n\nSeconda: perché")
    assert found["DTSTART"].dt == datetime(2026, 7, 23, 10, 0, tzinfo=ROME)
    assert found["DTEND"].dt == datetime(2026, 7, 23, 12, 30, tzinfo=ROME)
    assert found["DTSTART"].params["TZID"] == "Europe/Rome"
    assert found["DTSTAMP"].dt == NOW
    assert not found.errors


@pytest.mark.parametrize("time_zone", ["Europe/Rome", "UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "instant", ["2026-01-15T08:00", "2026-07-15T08:00", "2026-03-29T01:30", "2026-10-25T03:30"]
)
def test_the_files_own_time_zone_gives_the_same_instant(time_zone: str, instant: str) -> None:
    """What a program computes that knows no zones but the one in the file."""
    starts = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    calendar = parsed(event(starts=starts.isoformat(), ends=""), time_zone)
    local = calendar.walk("VEVENT")[0]["DTSTART"].dt.replace(tzinfo=None)
    observances = [one for kind in ("STANDARD", "DAYLIGHT") for one in calendar.walk(kind)]
    begun = [one for one in observances if one["DTSTART"].dt <= local]
    current = max(begun, key=lambda one: one["DTSTART"].dt)
    assert local - current["TZOFFSETTO"].td == starts.replace(tzinfo=None)


def test_lines_are_short_and_end_as_the_standard_wants() -> None:
    file = calendar_file(event(), time_zone="Europe/Rome", stamped=NOW)
    assert file.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in file.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    assert all(line.decode() for line in file.split(b"\r\n")[:-1])  # no letter is cut in two


def test_an_event_whose_end_nobody_wrote_lasts_an_hour() -> None:
    found = parsed(event(ends="")).walk("VEVENT")[0]
    assert (found["DTEND"].dt - found["DTSTART"].dt).total_seconds() == 3600
