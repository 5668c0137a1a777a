"""When the rest of a digest goes: at the speed of the last minutes, and what waits for a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Min

from newsletter.delivery.models import Delivery
from newsletter.delivery.pace.hosts import at_host, groups
from newsletter.delivery.pace.limits import quiet_until
from newsletter.delivery.pace.pace import (
    SERVER,
    check_limits,
    next_of,
    quiet_hours,
    rates_of,
    resting,
)
from newsletter.delivery.pace.warm_up import left_today, left_today_to, next_day
from newsletter.delivery.progress import RECENT, Progress, sent_per_minute
from newsletter.digests.models import Digest

_TO_SEND = (Delivery.State.PENDING, Delivery.State.DEFERRED)


class Why(StrEnum):
    """What those wait for that cannot go at this moment."""

    QUIET = "quiet_hours"
    REST = "server_rests"  # it asked for that
    DAY = "warm_up"  # the next day of it
    LIMIT = "limit"
    RETRY = "retry"


@dataclass(frozen=True)
class Forecast:
    per_minute: int | None  # None: nothing went out in the last two minutes
    going: int  # mails that may go at this moment, or one after the other from now on
    minutes_left: int | None  # that those take, rounded up; None: unknown
    waiting: int = 0  # mails that may not, until `goes_on_at`
    goes_on_at: datetime | None = None
    why: Why | None = None

    @property
    def stands_still(self) -> bool:
        return bool(self.waiting and not self.going)

    @property
    def hours_left(self) -> int:
        return -(-(self.minutes_left or 0) // 60)


@dataclass(frozen=True)
class _Waiting:
    number: int
    until: datetime
    why: Why


def forecast(digest: Digest, account: Progress, *, now: datetime) -> Forecast:
    """Of a digest that is going out. `account` is its progress at this moment.

    It promises nothing: a mail server may think otherwise.
    """
    to_send = account.left - account.states[Delivery.State.UNCERTAIN]
    per_minute = sent_per_minute(digest, now=now)
    try:
        check_limits()
    except ImproperlyConfigured:
        return Forecast(per_minute, to_send, _minutes(digest, to_send, per_minute, known=False))
    waiting = _waiting(digest, account, to_send, now) if to_send else None
    if waiting is None:
        return Forecast(per_minute, to_send, _minutes(digest, to_send, per_minute))
    going = to_send - waiting.number
    minutes = _minutes(digest, going, per_minute) if going else None
    return Forecast(per_minute, going, minutes, waiting.number, waiting.until, waiting.why)


def _minutes(
    digest: Digest, number: int, per_minute: int | None, *, known: bool = True
) -> int | None:
    """At that speed, and no faster than the limits of all mails together."""
    if per_minute is None:
        return None
    rates = rates_of(digest).values() if known else ()
    return max([-(-number // per_minute), *(int(number / rate.per_second / 60) for rate in rates)])


def _waiting(digest: Digest, account: Progress, to_send: int, now: datetime) -> _Waiting | None:
    newsletter = digest.newsletter
    hours = quiet_hours(newsletter)
    if until := quiet_until(hours, newsletter.zone, now):
        return _Waiting(to_send, until, Why.QUIET)
    if until := dict(resting(now=now)).get(SERVER):
        return _Waiting(to_send, until, Why.REST)
    if number := _beyond_today(digest, to_send, now):
        tomorrow = next_day(newsletter, now=now)
        return _Waiting(number, quiet_until(hours, newsletter.zone, tomorrow) or tomorrow, Why.DAY)
    # A shorter wait is part of the speed.
    if (next_at := next_of(digest, now=now)) > now + RECENT:
        return _Waiting(to_send, next_at, Why.LIMIT)
    if not account.states[Delivery.State.DEFERRED]:
        return None
    later = Delivery.objects.filter(
        digest=digest, state=Delivery.State.DEFERRED, next_attempt_at__gt=now
    ).aggregate(number=Count("pk"), first=Min("next_attempt_at"))
    return _Waiting(later["number"], later["first"], Why.RETRY) if later["number"] else None


def _beyond_today(digest: Digest, to_send: int, now: datetime) -> int:
    """How many must wait for the next day of a warm-up."""
    today = left_today(digest.newsletter, now=now)
    if today is None:
        return 0
    known, beyond = groups(), 0
    left_to = left_today_to(digest.newsletter, now=now)
    for domain, (left, _most) in left_to.items():
        if left < to_send:
            rest = Delivery.objects.filter(at_host(domain, known), digest=digest)
            beyond += max(0, rest.filter(state__in=_TO_SEND).count() - left)
    return to_send - min(today[0], to_send - beyond)
