"""When a newsletter goes out: local times, through changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from newsletter.digests.schedule import next_slot, previous_slot

ROME = ZoneInfo("Europe/Rome")


def schedule(**fields: Any) -> Any:
    defaults = {
        "frequency": "daily",
        "weekdays": [0, 1, 2, 3, 4, 5, 6],
        "month_day": 1,
        "send_at": time(8, 0),
        "time_zone": "Europe/Rome",
    }
    return SimpleNamespace(**defaults | fields)


def rome(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ROME)  # type: ignore[misc, arg-type]


def slots(newsletter: Any, after: datetime, number: int) -> list[str]:
    """The next slots as a clock on the wall in Rome shows them, with their offset."""
    found = []
    for _ in range(number):
        moment = next_slot(newsletter, after)
        assert moment is not None
        found.append(moment.astimezone(ROME).isoformat(timespec="minutes"))
        after = moment
    return found


def test_a_daily_newsletter_keeps_its_local_time_when_summer_time_begins():
    assert slots(schedule(), rome(2026, 3, 28, 7), 3) == [
        "2026-03-28T08:00+01:00",
        "2026-03-29T08:00+02:00",
        "2026-03-30T08:00+02:00",
    ]


def test_a_time_the_clock_skips_becomes_the_next_valid_instant():
    at_night = schedule(send_at=time(2, 30))
    assert slots(at_night, rome(2026, 3, 28, 12), 2) == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_a_time_the_clock_shows_twice_is_used_the_first_time_only():
    at_night = schedule(send_at=time(2, 30))
    assert slots(at_night, rome(2026, 10, 24, 12), 2) == [
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]


def test_a_gap_that_swallows_midnight_moves_the_slot_into_the_new_day():
    # Cairo, 2026-04-24: 00:00 becomes 01:00.
    cairo = schedule(send_at=time(0, 15), time_zone="Africa/Cairo", weekdays=[4])
    moment = next_slot(cairo, datetime(2026, 4, 23, 12, tzinfo=UTC))
    assert moment == datetime(2026, 4, 23, 22, tzinfo=UTC)


def test_an_ordinary_day_after_a_gap_is_not_shifted():
    assert slots(schedule(send_at=time(3, 0)), rome(2026, 3, 28, 12), 1) == [
        "2026-03-29T03:00+02:00"
    ]


def test_a_day_that_a_zone_left_out_wholly_goes_out_when_the_next_begins():
    # Samoa crossed the date line: 2011-12-30 never was.
    samoa = schedule(time_zone="Pacific/Apia", weekdays=[4], send_at=time(8, 0))
    moment = next_slot(samoa, datetime(2011, 12, 29, 12, tzinfo=UTC))
    assert moment == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_a_weekly_newsletter_goes_on_its_day():
    thursdays = schedule(frequency="weekly", weekdays=[3])
    assert slots(thursdays, rome(2026, 7, 16, 8), 2) == [
        "2026-07-23T08:00+02:00",
        "2026-07-30T08:00+02:00",
    ]


def test_a_daily_newsletter_goes_on_the_chosen_days_only():
    working_days = schedule(weekdays=[0, 1, 2, 3, 4])
    assert slots(working_days, rome(2026, 7, 17, 9), 2) == [
        "2026-07-20T08:00+02:00",
        "2026-07-21T08:00+02:00",
    ]


def test_no_day_chosen_means_every_day():
    assert slots(schedule(weekdays=[]), rome(2026, 7, 18, 9), 1) == ["2026-07-19T08:00+02:00"]


def test_the_31st_is_the_last_day_of_a_shorter_month():
    month_ends = schedule(frequency="monthly", month_day=31)
    assert slots(month_ends, rome(2028, 1, 31, 9), 4) == [
        "2028-02-29T08:00+01:00",
        "2028-03-31T08:00+02:00",
        "2028-04-30T08:00+02:00",
        "2028-05-31T08:00+02:00",
    ]


def test_a_newsletter_sent_by_hand_has_no_slot():
    by_hand = schedule(frequency="manual")
    assert next_slot(by_hand, rome(2026, 7, 16)) is None
    assert previous_slot(by_hand, rome(2026, 7, 16)) is None


def test_a_change_of_time_zone_moves_the_next_slot():
    before, after = schedule(), schedule(time_zone="Europe/London")
    now = rome(2026, 7, 16, 7)
    assert next_slot(before, now) == rome(2026, 7, 16, 8)
    assert next_slot(after, now) == rome(2026, 7, 16, 9)


def test_the_slot_itself_is_the_previous_one_and_not_the_next():
    moment = rome(2026, 7, 16, 8)
    assert previous_slot(schedule(), moment) == moment
    assert next_slot(schedule(), moment) == rome(2026, 7, 17, 8)


@pytest.mark.parametrize("send_at", [time(0, 0), time(2, 30), time(23, 59)])
@pytest.mark.parametrize(
    "zone", ["Europe/Rome", "Africa/Cairo", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"]
)
def test_every_day_of_a_year_has_exactly_one_slot(zone: str, send_at: time):
    newsletter = schedule(send_at=send_at, time_zone=zone)
    after = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)) - timedelta(minutes=1)
    days = []
    while True:
        moment = next_slot(newsletter, after)
        assert moment is not None
        assert moment > after
        assert previous_slot(newsletter, moment) == moment
        if moment.astimezone(ZoneInfo(zone)).year > 2026:
            break
        days.append(moment.astimezone(ZoneInfo(zone)).date())
        after = moment
    assert len(days) == len(set(days)) == 365
