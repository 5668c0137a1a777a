"""When a newsletter goes out: instants in UTC from a local time of day. Pure.

Clocks change. A local time that a day does not have becomes the next valid instant (02:30 when
02:00–03:00 is left out: 03:00); one that a day has twice means the first.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from newsletter.digests.models import Newsletter

# From one slot to the next is at most a month and a few days.
_HORIZON_DAYS = 70


class Schedule(Protocol):
    """What is read of a newsletter."""

    frequency: str
    weekdays: list[int]
    month_day: int
    send_at: time
    time_zone: str


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which clocks in `zone` show `at` on `day`."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # Read with the offset from before the gap (fold 0) the time lies after it, read with the
    # one from behind it (fold 1) before (PEP 495): the change is between the two.
    before, after = local.replace(fold=1).astimezone(UTC), moment
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after


def next_slot(newsletter: Schedule, after: datetime) -> datetime | None:
    """The first slot later than `after`; None when it only goes out by hand."""
    zone, at = ZoneInfo(newsletter.time_zone), _time_of_day(newsletter.send_at)
    today = after.astimezone(zone).date()
    # From yesterday: a slot moved past midnight by a gap belongs to the day before.
    for offset in range(-1, _HORIZON_DAYS):
        day = today + timedelta(days=offset)
        if _is_day(newsletter, day) and (moment := instant(day, at, zone)) > after:
            return moment
    return None


def previous_slot(newsletter: Schedule, now: datetime) -> datetime | None:
    """The last slot not later than `now`; None when it only goes out by hand."""
    zone, at = ZoneInfo(newsletter.time_zone), _time_of_day(newsletter.send_at)
    today = now.astimezone(zone).date()
    for offset in range(_HORIZON_DAYS):
        day = today - timedelta(days=offset)
        if _is_day(newsletter, day) and (moment := instant(day, at, zone)) <= now:
            return moment
    return None


def _is_day(newsletter: Schedule, day: date) -> bool:
    # No day chosen reads as every day: a newsletter that silently never goes helps nobody.
    weekdays = [int(number) for number in newsletter.weekdays] or list(range(7))
    match newsletter.frequency:
        case Newsletter.Frequency.DAILY:
            return day.weekday() in weekdays
        case Newsletter.Frequency.WEEKLY:
            return day.weekday() == weekdays[0]
        case Newsletter.Frequency.MONTHLY:
            last = calendar.monthrange(day.year, day.month)[1]
            return day.day == min(newsletter.month_day, last)
        case _:
            return False


def _time_of_day(value: time | str) -> time:
    # A model's default that was never read back from the database is still "08:00".
    return time.fromisoformat(value) if isinstance(value, str) else value
