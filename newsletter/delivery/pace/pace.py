"""A sender's share of the limits: tokens taken from the common buckets, some at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F

from newsletter import conf
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Row
from newsletter.delivery.pace import limits
from newsletter.delivery.pace.hosts import group_of, groups
from newsletter.delivery.pace.limits import Bucket, Granted, Limit, Rate
from newsletter.delivery.pace.models import Slot, Throttle
from newsletter.delivery.pace.refusals import Refusals
from newsletter.delivery.pace.slots import Slots
from newsletter.delivery.pace.warm_up import configured_warm_up, day_name, next_day
from newsletter.digests.models import Digest, Newsletter

SERVER = "server"
T = TypeVar("T")
# Taken at once: fewer looks at the database, and soon used up.
_AT_ONCE = 20
# So often a sender looks for domains that another sender was told to leave alone.
_LOOK_EVERY = timedelta(seconds=2)
# Then a warm-up's day that was used up is asked again.
_DAY_WAIT = timedelta(minutes=10)
# Then a domain may have a place free: who has one goes on to its next batch meanwhile.
_PLACE_WAIT = timedelta(seconds=3)


@dataclass(frozen=True)
class Wait:
    """Not now. `of_all`: nobody's turn before then; else only this recipient's server rests."""

    until: datetime
    of_all: bool


class Pace:
    """Asked before each mail. Without limits, and with no server at rest, it costs next to nothing.

    Raises ImproperlyConfigured for limits that cannot be understood.
    """

    def __init__(self, digest: Digest, *, in_flight: int) -> None:
        self.newsletter = newsletter = digest.newsletter
        check_limits()
        known = configured_limits()
        self.rates = {name: limit.rate for name, limit in known.items() if limit.rate}
        self.slots = Slots(
            {name: limit.connections for name, limit in known.items() if limit.connections}
        )
        self.warm_up = configured_warm_up()
        self.quiet = quiet_hours(newsletter)
        self.zone = ZoneInfo(newsletter.time_zone)
        self.spread = _spread(digest)
        self.is_unlimited = not (self.rates or self.slots.most or self.spread or self.warm_up)
        self.groups = groups()
        self.digest = _spread_name(digest)
        self._credit: dict[str, int] = {}
        # Those in flight, and the two whose envelopes go out with the messages before them.
        self._granted: deque[int] = deque(maxlen=in_flight + 2)
        self._resting: dict[str, datetime] = {}
        self._spent: dict[str, datetime] = {}  # days' buckets that were empty: not to be asked now
        self._last_in_line: dict[str, tuple[int, datetime]] = {}
        self._looked_at: datetime | None = None

    def wait(self, row: Row, *, now: datetime) -> Wait | None:
        """None: it may go now; asking again about the same delivery costs no second token."""
        if row.delivery_id in self._granted:
            return None
        if quiet := limits.quiet_until(self.quiet, self.zone, now):
            return Wait(quiet, of_all=True)
        self._look(now)
        if self.is_unlimited and not self._resting:
            self._granted.append(row.delivery_id)
            return None
        domain = self._domain(row)
        for name in (SERVER, domain):
            if not self.slots.take(name, now):
                return Wait(now + _PLACE_WAIT, of_all=name == SERVER)
        days = self._days(domain, now)
        asked = [SERVER, self.digest, domain, *days]
        for name in asked:
            if until := self._missing(name, now, most=days.get(name)):
                if name == domain:
                    return Wait(self._place_in_line(row, domain, until), of_all=False)
                return Wait(until, of_all=not name.endswith(f" {domain}"))
        for name in asked:
            if name in self._credit:
                self._credit[name] -= 1
        self._granted.append(row.delivery_id)
        return None

    def too_fast(self, row: Row, *, whole_server: bool, now: datetime) -> None:
        """The server said so: of this recipient's domain, or of us altogether."""
        name = SERVER if whole_server else self._domain(row)

        def slow_down(bucket: Bucket) -> tuple[Bucket, datetime | None]:
            slowed = limits.slow_down(bucket, now)
            return slowed, slowed.slow_until

        self._credit.pop(name, None)
        if until := _change(name, None, slow_down, now):
            self._resting[name] = until

    def end(self) -> None:
        """Give back what was taken and not used."""
        self.slots.give_back()
        for name, number in self._credit.items():
            if number > 0:
                Throttle.objects.filter(name=name).update(tokens=F("tokens") + number)
        self._credit = {}

    def _domain(self, row: Row) -> str:
        """The bucket of a recipient's domain, or of the group that MAIL_HOSTS puts it into."""
        return f"domain {group_of(row.address.rpartition('@')[2], self.groups)}"

    # --- one bucket

    def _missing(self, name: str, now: datetime, *, most: int | None) -> datetime | None:
        """Until when this bucket has nothing for us; None: it has. `most` of a warm-up's day."""
        resting = self._resting.get(name) or self._spent.get(name)
        if resting is not None and now < resting:
            return resting
        rate = self._rate(name)
        if (rate is None and most is None) or self._credit.get(name, 0) > 0:
            return None
        granted = _take(name, rate, now) if most is None else self._take_of_day(name, most, now)
        self._credit[name] = granted.number
        return None if granted.number else granted.until

    def _take_of_day(self, name: str, most: int, now: datetime) -> Granted:
        granted = _take_of_day(name, most, now)
        if not granted.number:
            # Asked again in a while: another sender may give some back. Tomorrow is another bucket.
            self._spent[name] = until = min(next_day(self.newsletter, now=now), granted.until)
            return Granted(0, until)
        return granted

    def _place_in_line(self, row: Row, domain: str, until: datetime) -> datetime:
        """Those of one domain that must wait come back one after the other, not all at once."""
        last_id, last = self._last_in_line.get(domain, (0, None))
        rate = self.rates.get(domain)
        if last_id == row.delivery_id and last is not None:
            return last
        if rate is not None and last is not None:
            until = max(until, last + timedelta(seconds=1 / rate.per_second))
        self._last_in_line[domain] = row.delivery_id, until
        return until

    def _rate(self, name: str) -> Rate | None:
        return self.spread if name == self.digest else self.rates.get(name)

    def _days(self, domain: str, now: datetime) -> dict[str, int]:
        """The buckets of a warm-up's day, with their numbers: for all mails, and for the domain."""
        if self.warm_up is None:
            return {}
        today, alone = now.astimezone(self.zone).date(), domain.removeprefix("domain ")
        numbers = {
            day_name(today): self.warm_up.on(today),
            day_name(today, alone): self.warm_up.to(alone, today),
        }
        return {name: number for name, number in numbers.items() if number is not None}

    def _look(self, now: datetime) -> None:
        """Whom another sender was told to leave alone."""
        if self._looked_at is not None and now - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = now
        found = Throttle.objects.filter(slow_until__gt=now).values_list("name", "slow_until")
        self._resting = {name: until for name, until in found if until is not None}


def check_limits() -> None:
    """Raises ImproperlyConfigured for settings about the pace that cannot be understood."""
    try:
        configured_limits()
        configured_warm_up()
        Refusals(str(conf.get("PAUSE_AT_REFUSALS")))
        if hours := str(conf.get("QUIET_HOURS")):
            limits.parse_hours(hours)
    except ValueError as error:
        raise ImproperlyConfigured(f"How fast to send is not clear: {error}.") from error


def quiet_hours(newsletter: Newsletter) -> str:
    """QUIET_HOURS; an urgent notice knows none."""
    is_urgent = newsletter.kind == Newsletter.Kind.URGENT
    return "" if is_urgent else str(conf.get("QUIET_HOURS"))


def resting(*, now: datetime) -> list[tuple[str, datetime]]:
    """What is being left alone at this moment, "server" or a domain, and until when."""
    found = Throttle.objects.filter(slow_until__gt=now).order_by("slow_until", "name")
    return [(throttle.name.removeprefix("domain "), throttle.slow_until) for throttle in found]  # type: ignore[misc]


def rates_of(digest: Digest) -> dict[str, Rate]:
    """The limits of all its mails together, by their buckets: the site's and its own spread.

    Raises ValueError.
    """
    everybody = configured_limits().get(SERVER)
    rates = {SERVER: everybody.rate if everybody else None, _spread_name(digest): _spread(digest)}
    return {name: rate for name, rate in rates.items() if rate}


def next_of(digest: Digest, *, now: datetime) -> datetime:
    """When these limits let its next mail go; `now`, or earlier: at once. Raises ValueError."""
    rates = rates_of(digest)
    waits = [
        limits.take(throttle.bucket, rates[throttle.name], 1, now)[1].until
        for throttle in Throttle.objects.filter(name__in=rates)
    ]
    return max([now, *waits])


def forget_unused(*, now: datetime) -> int:
    """Buckets that say nothing any more; how many."""
    old = now - timedelta(days=2)
    Slot.objects.filter(until__lt=old).delete()
    unused = Throttle.objects.filter(filled_at__lt=old).exclude(slow_until__gt=old)
    return unused.delete()[0]


def configured_limits() -> dict[str, Limit]:
    """RATE_LIMITS by the names of buckets: "*" is all mails together. Raises ValueError."""
    known = groups()
    return {
        SERVER if name == "*" else f"domain {group_of(name, known)}": limits.parse_limit(limit)
        for name, limit in dict(conf.get("RATE_LIMITS")).items()
    }


def _spread_name(digest: Digest) -> str:
    return f"digest {digest.pk}"


def _spread(digest: Digest) -> Rate | None:
    minutes = digest.newsletter.spread_minutes
    if not minutes:
        return None
    return limits.spread_over(Delivery.objects.filter(digest=digest).count(), minutes)


def _take(name: str, rate: Rate | None, now: datetime) -> Granted:
    return _change(name, rate, lambda bucket: limits.take(bucket, rate, _AT_ONCE, now), now)


def _take_of_day(name: str, cap: int, now: datetime) -> Granted:
    """Of a day's fixed number, which nothing refills: `tokens` is what is left of it."""
    until = now + _DAY_WAIT
    with transaction.atomic():
        throttle, _made = Throttle.objects.select_for_update().get_or_create(
            name=name, defaults={"filled_at": now, "tokens": cap}
        )
        # Of the last ones fewer: none lie idle with a sender who has nobody for them.
        number = min(_AT_ONCE, -(-int(throttle.tokens) // 10))
        if number <= 0:
            return Granted(0, until)
        throttle.tokens -= number
        throttle.save(update_fields=["tokens"])
    return Granted(number, now)


def _change(
    name: str, rate: Rate | None, change: Callable[[Bucket], tuple[Bucket, T]], now: datetime
) -> T:
    """One bucket, changed by one worker at a time; what `change` says besides."""
    with transaction.atomic():
        throttle, _made = Throttle.objects.select_for_update().get_or_create(
            name=name, defaults={"filled_at": now, "tokens": rate.store if rate else 0.0}
        )
        changed, answer = change(throttle.bucket)
        throttle.tokens, throttle.filled_at = changed.tokens, changed.filled_at
        throttle.slow_steps, throttle.slow_until = changed.slow_steps, changed.slow_until
        throttle.save()
    return answer
