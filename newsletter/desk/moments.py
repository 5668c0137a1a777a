"""How far away a moment is, as one says it: "in 2 days and 7 hours", "3 weeks ago"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK = 7 * _DAY
_MONTH, _YEAR = 30.44 * _DAY, 365.25 * _DAY


def ago(moment: datetime, *, now: datetime) -> str:
    """ "3 hours ago"; "just now" within a minute, and of what is yet to come."""
    if now - moment < _MINUTE:
        return _("just now")
    return _("%(length)s ago") % {"length": length(now - moment)}


def until(moment: datetime, *, now: datetime) -> str:
    """ "in 2 days and 7 hours"; "in a moment" within a minute, and of what should have been."""
    left = moment - now
    if left < _MINUTE:
        return _("in a moment")
    if _HOUR <= left < _DAY:
        return _in(_hours(left // _HOUR), left % _HOUR // _MINUTE, _minutes)
    if _DAY <= left < _WEEK:
        return _in(_days(left // _DAY), left % _DAY // _HOUR, _hours)
    return _("in %(length)s") % {"length": length(left)}


def length(time: timedelta) -> str:
    """ "2 days": of its largest unit, rounded down, with days up to two weeks."""
    if time < _MINUTE:
        return _("less than a minute")
    if time < _HOUR:
        return _minutes(time // _MINUTE)
    if time < _DAY:
        return _hours(time // _HOUR)
    if time < 2 * _WEEK:
        return _days(time // _DAY)
    if time < 2 * _MONTH:
        weeks = time // _WEEK
        return ngettext("%(count)d week", "%(count)d weeks", weeks) % {"count": weeks}
    if time < 2 * _YEAR:
        months = time // _MONTH
        return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}
    years = time // _YEAR
    return ngettext("%(count)d year", "%(count)d years", years) % {"count": years}


def _in(larger: str, count: int, smaller: Callable[[int], str]) -> str:
    if not count:
        return _("in %(length)s") % {"length": larger}
    return _("in %(larger)s and %(smaller)s") % {"larger": larger, "smaller": smaller(count)}


def _minutes(count: int) -> str:
    return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}


def _hours(count: int) -> str:
    return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
