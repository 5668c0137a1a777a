"""Which weeks or months a report tells of, read from its address.

Weeks and months begin at midnight on the site's own clocks, whatever the season: a week in which
they change has an hour more or less.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import Any

from django.db.models import Case, IntegerField, Value, When
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.digests.wording import inside_a_sentence

MOST_MONTHS = 60
# Up to so many days a week is one step, beyond them a month is.
_DAYS_IN_WEEKS = 27 * 7
_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-\d{2})?")


class Step(StrEnum):
    WEEK = "week"
    MONTH = "month"


class Preset(StrEnum):
    WEEKS = "4w"
    HALF = "6m"
    YEAR = "1y"


PRESETS = {
    Preset.WEEKS: gettext_lazy("4 weeks"),
    Preset.HALF: gettext_lazy("6 months"),
    Preset.YEAR: gettext_lazy("A year"),
}


def day(one: date, pattern: str = "j M Y") -> str:
    """ "16 Jul 2026", with the month as small as the language writes it."""
    return inside_a_sentence(formatted(one, pattern))


@dataclass(frozen=True)
class Bucket:
    """A week or a month; `ends` is the moment at which the next one begins."""

    first_day: date
    begins: datetime
    ends: datetime
    step: Step

    @property
    def key(self) -> str:
        """As a spreadsheet sorts it."""
        return f"{self.first_day:%Y-%m}" if self.step == Step.MONTH else f"{self.first_day}"

    @property
    def name(self) -> str:
        return formatted(self.first_day, "F Y") if self.step == Step.MONTH else day(self.first_day)

    @property
    def mark(self) -> str:
        """Below the axis, where there is little room."""
        is_month = self.step == Step.MONTH
        return formatted(self.first_day, "M") if is_month else day(self.first_day, "j M")


@dataclass(frozen=True)
class Period:
    first_day: date
    end_day: date  # the first one after it
    step: Step
    preset: Preset | None
    # What was asked for, where it was months: whole weeks may begin earlier and end later.
    first_month: date | None = None
    last_month: date | None = None

    @property
    def last_day(self) -> date:
        return self.end_day - timedelta(days=1)

    @property
    def in_words(self) -> str:
        return _("%(first)s to %(last)s") % {
            "first": day(self.first_day, "j F Y"),
            "last": day(self.last_day, "j F Y"),
        }

    def buckets(self, zone: tzinfo) -> list[Bucket]:
        days = [self.first_day]
        while days[-1] < self.end_day:
            days.append(_next(days[-1], self.step))
        midnights = [datetime.combine(one, time(), zone) for one in days]
        return [
            Bucket(first, *span, self.step)
            for first, span in zip(days, pairwise(midnights), strict=False)
        ]


def asked(query: Mapping[str, str], *, today: date) -> Period:
    """The period of "?period=6m" or "?from=2026-01&to=2026-06", with "&by=week" or "&by=month".

    What makes no sense counts as not said. Weeks and months are whole ones, and none is to come;
    a period longer than MOST_MONTHS loses its beginning.
    """
    first, last = _month(query.get("from", "")), _month(query.get("to", ""))
    if first is None and last is None:
        return _preset(query, today)
    this_month = today.replace(day=1)
    last = min(last or this_month, this_month)
    first = min(first or _months_later(last, -5), this_month)
    first, last = min(first, last), max(first, last)
    first = max(first, _months_later(last, 1 - MOST_MONTHS))
    months, end = (first, last), _months_later(last, 1)
    step = _step(query, Step.WEEK if (end - first).days <= _DAYS_IN_WEEKS else Step.MONTH)
    if step == Step.WEEK:
        first = _monday(first)
        end = min(_monday(end + timedelta(days=6)), _monday(today) + timedelta(days=7))
    return Period(first, end, step, None, *months)


def _preset(query: Mapping[str, str], today: date) -> Period:
    said = query.get("period", "")
    preset = Preset(said) if said in set(Preset) else Preset.HALF
    weeks, months = {Preset.WEEKS: (4, 1), Preset.HALF: (26, 6), Preset.YEAR: (52, 12)}[preset]
    step = _step(query, Step.MONTH if preset == Preset.YEAR else Step.WEEK)
    if step == Step.MONTH:
        end = _months_later(today.replace(day=1), 1)
        return Period(_months_later(end, -months), end, step, preset)
    end = _monday(today) + timedelta(days=7)
    return Period(end - timedelta(weeks=weeks), end, step, preset)


def _step(query: Mapping[str, str], otherwise: Step) -> Step:
    said = query.get("by", "")
    return Step(said) if said in set(Step) else otherwise


def _month(said: str) -> date | None:
    found = _MONTH.fullmatch(said.strip())
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    return date(year, month, 1) if 1900 < year < 9000 and 1 <= month <= 12 else None


def _months_later(one: date, months: int) -> date:
    number = one.year * 12 + one.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _monday(one: date) -> date:
    return one - timedelta(days=one.weekday())


def _next(one: date, step: Step) -> date:
    return _months_later(one, 1) if step == Step.MONTH else one + timedelta(days=7)


def place_of(moment: datetime, buckets: Sequence[Bucket]) -> int | None:
    """Which of them it falls into; None: before or after all of them."""
    if not buckets or moment >= buckets[-1].ends:
        return None
    place = bisect_right([bucket.begins for bucket in buckets], moment) - 1
    return place if place >= 0 else None


def place_in(column: str, buckets: Sequence[Bucket], *, days: bool = False) -> Any:
    """The same in the database: for rows from the first bucket on, -1 beyond the last. `days`: the
    column holds days, not moments.

    The bounds are worked out here, once: a database that cuts every row's moment by itself takes
    seconds for 100,000 of them (SQLite calls Python for each).
    """
    whens = [
        When(**{f"{column}__lt": one.ends.date() if days else one.ends}, then=Value(place))
        for place, one in enumerate(buckets)
    ]
    return Case(*whens, default=Value(-1), output_field=IntegerField())
