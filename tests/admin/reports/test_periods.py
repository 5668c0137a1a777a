"""Which weeks and months a report tells of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.desk.reports.periods import MOST_MONTHS, Preset, Step, asked, place_of

ROME = ZoneInfo("Europe/Rome")
TODAY = date(2026, 7, 15)  # a Wednesday


def test_half_a_year_of_whole_weeks_is_told_unless_asked_otherwise() -> None:
    period = asked({}, today=TODAY)
    assert (period.preset, period.step) == (Preset.HALF, Step.WEEK)
    assert (period.first_day, period.last_day) == (date(2026, 1, 19), date(2026, 7, 19))
    assert len(period.buckets(ROME)) == 26
    assert period.first_day.weekday() == 0


@pytest.mark.parametrize(
    ("query", "step", "buckets"),
    [
        ({"period": "4w"}, Step.WEEK, 4),
        ({"period": "1y"}, Step.MONTH, 12),
        ({"period": "1y", "by": "week"}, Step.WEEK, 52),
        ({"period": "6m", "by": "month"}, Step.MONTH, 6),
        ({"period": "for ever", "by": "day"}, Step.WEEK, 26),
        ({"from": "2026-01", "to": "2026-06"}, Step.WEEK, 27),
        ({"from": "2025-01", "to": "2025-12"}, Step.MONTH, 12),
        ({"from": "2026-03-09", "to": "2026-03", "by": "month"}, Step.MONTH, 1),
    ],
)
def test_the_address_says_which(query: dict[str, str], step: Step, buckets: int) -> None:
    period = asked(query, today=TODAY)
    assert period.step == step
    assert len(period.buckets(ROME)) == buckets


def test_months_the_wrong_way_round_are_turned_and_none_is_to_come() -> None:
    period = asked({"from": "2030-01", "to": "2025-11"}, today=TODAY)
    assert (period.first_day, period.last_day) == (date(2025, 11, 1), date(2026, 7, 31))


def test_months_stay_as_they_were_asked_for_where_whole_weeks_reach_further() -> None:
    period = asked({"from": "2026-01", "to": "2026-02"}, today=TODAY)
    assert (period.first_day, period.last_day) == (date(2025, 12, 29), date(2026, 3, 1))
    assert (period.first_month, period.last_month) == (date(2026, 1, 1), date(2026, 2, 1))


def test_nonsense_counts_as_not_said() -> None:
    for said in ("2026-13", "0000-01", "9999-12", "june", "2026", "١٢٣٤-٠١-٠١"):
        assert asked({"from": said}, today=TODAY).last_day >= TODAY


def test_a_very_long_period_loses_its_beginning() -> None:
    assert len(asked({"from": "1950-01"}, today=TODAY).buckets(ROME)) == MOST_MONTHS


def test_a_week_in_which_the_clocks_change_is_an_hour_shorter_or_longer() -> None:
    weeks = asked({"from": "2026-03", "to": "2026-03"}, today=TODAY).buckets(ROME)
    hours = {one.first_day: (one.ends - one.begins.astimezone(UTC)) for one in weeks}
    spring = next(one for one in weeks if one.first_day == date(2026, 3, 23))
    length = spring.ends.astimezone(UTC) - spring.begins.astimezone(UTC)
    assert length == timedelta(days=7) - timedelta(hours=1)
    assert len(hours) == 6
    # Half past midnight on Monday in Rome is still Sunday in Greenwich.
    monday = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)
    place = place_of(monday, weeks)
    assert place is not None
    assert weeks[place].first_day == date(2026, 3, 30)
    assert place_of(monday - timedelta(hours=1), weeks) == place - 1
    assert place_of(weeks[-1].ends, weeks) is None
    assert place_of(weeks[0].begins - timedelta(seconds=1), weeks) is None


def test_the_autumn_month_has_its_hour_more() -> None:
    (october,) = asked({"from": "2025-10", "to": "2025-10", "by": "month"}, today=TODAY).buckets(
        ROME
    )
    length = october.ends.astimezone(UTC) - october.begins.astimezone(UTC)
    assert length == timedelta(days=31, hours=1)
