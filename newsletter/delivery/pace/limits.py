"""Rates, buckets, quiet hours and plans: how many now, and when the next. Pure.

A bucket holds permissions to send (tokens). It fills at its rate up to a small store, so that a
pause does not end in a burst.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*([smhd])\s*", re.ASCII)
_CONNECTIONS = re.compile(r"(?:(\S+)\s+)?(\d+) connections?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
# So much of its rate a bucket holds at most. Where the next token is far off, nobody waits for it
# in place: then it must keep what gathers from one tick to the next.
_STORE, _SLOW_STORE = timedelta(seconds=10), timedelta(seconds=90)
PATIENCE = timedelta(seconds=5)  # that a sender waits in place
# A server that says "too fast" is left alone for a minute, then for two, four … and gets half,
# a quarter … of its rate afterwards; each ten quiet minutes take one step back.
_FIRST_REST = timedelta(minutes=1)
_MOST_STEPS = 6
_STEP_BACK = timedelta(minutes=10)
# Said of our speed. A 421 alone may mean an idle connection, 4.2.2 is a full mailbox, and a server
# that greylists wants each new pair of addresses to come again, however slowly we go.
_TOO_FAST = re.compile(
    r"\b4\.7\.\d|\brate\b|\bthrottl|too (?:many|fast|much|quickly)|slow down", re.IGNORECASE
)
_NOT_OUR_SPEED = re.compile(r"gr[ae]y[- ]?list|too many recipients", re.IGNORECASE)


@dataclass(frozen=True)
class Rate:
    per_second: float

    @property
    def store(self) -> float:
        is_slow = self.per_second * PATIENCE.total_seconds() < 1
        return max(1.0, self.per_second * (_SLOW_STORE if is_slow else _STORE).total_seconds())

    def slowed(self, steps: int) -> Rate:
        return Rate(self.per_second / 2**steps)


@dataclass(frozen=True)
class Limit:
    """What one domain, or everybody, may get: so fast, and from so many senders at once."""

    rate: Rate | None = None  # None: no limit
    connections: int | None = None


@dataclass(frozen=True)
class Bucket:
    tokens: float
    filled_at: datetime
    slow_steps: int = 0
    slow_until: datetime | None = None

    def filled(self, rate: Rate, now: datetime) -> Bucket:
        rate = rate.slowed(steps_left(self, now))
        seconds = max(0.0, (now - self.filled_at).total_seconds())
        tokens = min(rate.store, self.tokens + seconds * rate.per_second)
        return replace(self, tokens=tokens, filled_at=max(now, self.filled_at))


@dataclass(frozen=True)
class Granted:
    number: int  # may go now; 0: none before `until`
    until: datetime


def parse_rate(text: str) -> Rate:
    """`20/s`, `600/m`, `5000/h` or `20000/d`. Raises ValueError."""
    found = _RATE.fullmatch(text)
    if not found or float(found[1]) <= 0:
        raise ValueError(f"a rate looks like 20/s, 600/m, 5000/h or 20000/d, not {text!r}")
    return Rate(float(found[1]) / _SECONDS[found[2]])


def parse_limit(value: object) -> Limit:
    """`600/m`, `2 connections`, `600/m 2 connections`, or the same as a mapping.

    Raises ValueError.
    """
    if isinstance(value, Mapping):
        if not value or set(value) - {"rate", "connections"}:
            raise ValueError(f'a limit has a "rate", "connections" or both, not {dict(value)!r}')
        rate, connections = value.get("rate"), value.get("connections")
    elif found := _CONNECTIONS.fullmatch(str(value).strip()):
        rate, connections = found.groups()
    else:
        rate, connections = value, None
    number = int(str(connections)) if connections is not None else None
    if number is not None and number < 1:
        raise ValueError("of connections a limit allows 1 or more")
    return Limit(parse_rate(str(rate)) if rate is not None else None, number)


def take(bucket: Bucket, rate: Rate | None, wanted: int, now: datetime) -> tuple[Bucket, Granted]:
    """Up to `wanted` whole tokens, and the bucket without them. No rate: only a rest is obeyed."""
    if bucket.slow_until is not None and now < bucket.slow_until:
        return bucket, Granted(0, bucket.slow_until)
    if rate is None:
        return bucket, Granted(wanted, now)
    full = bucket.filled(rate, now)
    number = min(wanted, int(full.tokens))
    if number:
        return replace(full, tokens=full.tokens - number), Granted(number, now)
    speed = rate.slowed(steps_left(bucket, now)).per_second
    return full, Granted(0, now + timedelta(seconds=(1 - full.tokens) / speed))


def slow_down(bucket: Bucket, now: datetime) -> Bucket:
    """After the server said that we are too fast."""
    if bucket.slow_until is not None and now < bucket.slow_until:
        return bucket  # the same word again, to a mail that was on its way
    steps = min(_MOST_STEPS, steps_left(bucket, now) + 1)
    rest = _FIRST_REST * 2 ** (steps - 1)
    return replace(bucket, tokens=0.0, filled_at=now, slow_steps=steps, slow_until=now + rest)


def steps_left(bucket: Bucket, now: datetime) -> int:
    """How many times its rate is halved at this moment."""
    if bucket.slow_until is None:
        return 0
    recovered = max(timedelta(0), now - bucket.slow_until) // _STEP_BACK
    return max(0, bucket.slow_steps - recovered)


def says_too_fast(code: int, words: str) -> bool:
    if not 400 <= code < 500 or _NOT_OUR_SPEED.search(words):
        return False
    return bool(_TOO_FAST.search(words))


def spread_over(deliveries: int, minutes: int) -> Rate | None:
    """The rate at which so many are out after so long; None: at once."""
    return Rate(max(deliveries, 1) / (minutes * 60)) if minutes else None


def parse_hours(text: str) -> tuple[time, time]:
    """`22:00-07:00`. Raises ValueError."""
    found = _HOURS.fullmatch(text.strip())
    if not found:
        raise ValueError(f"quiet hours look like 22:00-07:00, not {text!r}")
    hour, minute, end_hour, end_minute = map(int, found.groups())
    return time(hour, minute), time(end_hour, end_minute)


def quiet_until(hours: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours, on `zone`'s clocks, end; None: it is not quiet at this moment."""
    if not hours:
        return None
    begin, end = parse_hours(hours)
    local = now.astimezone(zone)
    clock = local.time()
    is_quiet = begin <= clock < end if begin <= end else clock >= begin or clock < end
    if not is_quiet:
        return None
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    until = datetime.combine(day, end, tzinfo=zone).astimezone(now.tzinfo)
    if until <= now:
        # Clocks show the end twice, and this is between the two.
        until = datetime.combine(day, end, tzinfo=zone).replace(fold=1).astimezone(now.tzinfo)
    return until


@dataclass(frozen=True)
class WarmUp:
    """A new server's or domain's first weeks: so many on the first day, then more each day."""

    begins: date
    first_day: int
    growth: float
    until: int  # from so many a day on there is no limit any more
    domains: Mapping[str, int] = field(default_factory=dict)  # of the first day's, at most there

    def on(self, day: date) -> int | None:
        """How many may go on that day; None: as many as there are."""
        number = self._grown(self.first_day, day)
        return int(number) if number < self.until else None

    def to(self, domain: str, day: date) -> int | None:
        """How many of them to that domain; None: there is no limit of its own, or the plan is over.

        It grows as the whole does, and ends with it.
        """
        first_day = self.domains.get(domain)
        if first_day is None or self.on(day) is None:
            return None
        return int(self._grown(first_day, day))

    def _grown(self, first_day: int, day: date) -> float:
        try:
            return first_day * self.growth ** max(0, (day - self.begins).days)
        except OverflowError:  # a plan that was left in the settings for years
            return math.inf


def gone_by_day(number: int, allowed: Iterable[int | None]) -> tuple[int, int]:
    """Of so many mails, how many go by these days' numbers (None: all), and in how many days."""
    gone = days = 0
    for most in allowed:
        if gone == number:
            break
        days += 1
        gone = number if most is None else min(number, gone + most)
    return gone, days


def parse_warm_up(plan: Mapping[str, object]) -> WarmUp | None:
    """`{"begins": "2026-12-01", "first_day": 200, "growth": 1.5, "until": 50000}`.

    A domain among the keys has a first day of its own: `"gmail.com": 50`. Empty: none. Raises
    ValueError.
    """
    if not plan:
        return None
    domains = {name.lower(): int(str(number)) for name, number in plan.items() if "." in name}
    if (
        unknown := set(plan)
        - {"begins", "first_day", "growth", "until"}
        - {name for name in plan if "." in name}
    ):
        raise ValueError(f"a warm-up plan knows no {min(unknown)!r}")
    try:
        found = WarmUp(
            begins=date.fromisoformat(str(plan["begins"])),
            first_day=int(str(plan.get("first_day", 200))),
            growth=float(str(plan.get("growth", 1.5))),
            until=int(str(plan.get("until", 50_000))),
            domains=domains,
        )
    except KeyError as error:
        raise ValueError(f"a warm-up plan needs {error}, the day it begins") from error
    if min([found.first_day, *domains.values()]) < 1 or found.growth <= 1:
        raise ValueError("a warm-up plan begins with 1 mail or more and grows by more than 1")
    return found
