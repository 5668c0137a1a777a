"""A warm-up's days: how many mails may go on each, and how an issue fits into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from newsletter import conf
from newsletter.delivery.pace import limits
from newsletter.delivery.pace.hosts import group_of, groups
from newsletter.delivery.pace.models import Throttle
from newsletter.digests.models import Newsletter


@dataclass(frozen=True)
class Share:
    """An issue's mails, all or those to one domain, in the days of a warm-up."""

    domain: str  # "": all of them
    readers: int
    in_time: int  # of them, that go before the deadline
    days: int  # that those take


def configured_warm_up() -> limits.WarmUp | None:
    """Raises ValueError."""
    plan = limits.parse_warm_up(conf.get("WARM_UP"))
    if plan is None:
        return None
    known = groups()
    return replace(plan, domains={group_of(name, known): n for name, n in plan.domains.items()})


def day_name(day: date, domain: str = "") -> str:
    """Of the bucket that holds what is left of a day, for all mails or for a domain."""
    return f"day {day:%Y-%m-%d} domain {domain}" if domain else f"day {day:%Y-%m-%d}"


def next_day(newsletter: Newsletter, *, now: datetime) -> datetime:
    """When the next day's number begins, on the newsletter's clocks."""
    tomorrow = now.astimezone(newsletter.zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, tzinfo=newsletter.zone)


def left_today(newsletter: Newsletter, *, now: datetime) -> tuple[int, int] | None:
    """Of a warm-up's day: how many may still go, of how many; None: as many as there are."""
    plan = configured_warm_up()
    today = now.astimezone(newsletter.zone).date()
    most = plan.on(today) if plan else None
    return (_left(day_name(today), most), most) if most is not None else None


def left_today_to(newsletter: Newsletter, *, now: datetime) -> dict[str, tuple[int, int]]:
    """The same of each domain that a warm-up names."""
    plan = configured_warm_up()
    today = now.astimezone(newsletter.zone).date()
    found: dict[str, tuple[int, int]] = {}
    for domain in plan.domains if plan else ():
        most = plan.to(domain, today) if plan else None
        if most is not None:
            found[domain] = _left(day_name(today, domain), most), most
    return found


def shares_of_the_days(
    newsletter: Newsletter, readers: int, by_domain: Mapping[str, int], *, first: datetime
) -> list[Share]:
    """How an issue that begins then fits: as a whole, then what goes to each domain of the plan.

    Raises ValueError.
    """
    plan = configured_warm_up()
    if plan is None:
        return []
    day = first.astimezone(newsletter.zone).date()
    days = max(1, int(float(conf.get("DELIVERY_DEADLINE_HOURS")) // 24))
    found: list[Share] = []
    for domain, number in {"": readers, **by_domain}.items():
        in_time, needed = limits.gone_by_day(number, _numbers(plan, domain, day, days))
        found.append(Share(domain, number, in_time, needed))
    return found


def _numbers(plan: limits.WarmUp, domain: str, first: date, days: int) -> Iterator[int | None]:
    """How many may go on each day, without what other issues have had of it; None: all."""
    for day in (first + timedelta(days=number) for number in range(days)):
        most = plan.to(domain, day) if domain else plan.on(day)
        yield _left(day_name(day, domain), most) if most is not None else None


def _left(name: str, most: int) -> int:
    bucket = Throttle.objects.filter(name=name).first()
    return int(bucket.tokens) if bucket else most
