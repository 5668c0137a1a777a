"""How the list grew and shrank, counted from the proof that is kept: nobody is named.

Counted are subscriptions: who receives two newsletters counts twice, once in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast

from newsletter.digests.models import Newsletter
from newsletter.members.models import Consent, Member, Subscription, Suppression

JOINED = Consent.Event.CONFIRMED
LEFT = (Consent.Event.WITHDRAWN, Consent.Event.ERASED)


class ListLength(Func):
    """How many are in a column's JSON list."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="json_array_length", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_array_length", **extra)


@dataclass
class Change:
    joined: int = 0
    left: int = 0
    suppressed: int = 0

    @property
    def net(self) -> int:
        return self.joined - self.left - self.suppressed


def about(newsletter: Newsletter | None) -> QuerySet[Any]:
    """The proofs about it, by the slug that it had then, or about any, with `number`: of how many
    subscriptions they speak."""
    if newsletter is None:
        return Consent.objects.annotate(number=ListLength("newsletter_slugs")).order_by()
    named = Consent.objects.annotate(
        named=Cast("newsletter_slugs", TextField()), number=Value(1, IntegerField())
    )
    return named.filter(named__contains=f'"{newsletter.slug}"').order_by()


def left_within(newsletter: Newsletter, spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """How many left it in each span of time (the end is not in it); one query for all of them."""
    if not spans:
        return []
    place = Case(
        *(When(at__gte=begin, at__lt=end, then=Value(n)) for n, (begin, end) in enumerate(spans)),
        default=Value(-1),
        output_field=IntegerField(),
    )
    first, last = min(begin for begin, _end in spans), max(end for _begin, end in spans)
    rows = about(newsletter).filter(event__in=LEFT, at__gte=first, at__lt=last)
    counts = dict(rows.annotate(span=place).values_list("span").annotate(of_them=Count("pk")))
    return [counts.get(n, 0) for n in range(len(spans))]


def changes_since(
    moment: datetime, newsletter: Newsletter | None, *, told_at: Any, suppressed_at: Any
) -> dict[int, Change]:
    """What changed since then, by place: those of the two expressions, which tell a proof and a
    suppression where they belong. Two queries.

    Suppressed are active subscriptions to addresses that are suppressed now: a suppression that
    was lifted is as if it had not been, and who left is counted there.
    """
    found: dict[int, Change] = {}
    told = about(newsletter).filter(event__in=[JOINED, *LEFT], at__gte=moment)
    rows = told.annotate(place=told_at).values_list("place", "event")
    for place, event, number in rows.annotate(sum=Sum("number")):
        change = found.setdefault(place, Change())
        if event == JOINED:
            change.joined += number or 0
        else:
            change.left += number or 0
    active = _active(newsletter).filter(member__address_hash=OuterRef("address_hash"))
    counted = active.order_by().values("member__address_hash").annotate(number=Count("pk"))
    stopped = Suppression.objects.filter(created_at__gte=moment).annotate(
        place=suppressed_at, number=counted.values("number")
    )
    for place, number in stopped.values_list("place").annotate(sum=Sum("number")).order_by():
        found.setdefault(place, Change()).suppressed += number or 0
    return found


def size_now(newsletter: Newsletter | None) -> int:
    """The subscriptions that mail may go to; paused ones are among them."""
    return _mailable(newsletter).count()


def people_now() -> int:
    """Who receives at least one newsletter."""
    return _mailable(None).values("member").distinct().count()


def _active(newsletter: Newsletter | None) -> QuerySet[Subscription]:
    active = Subscription.objects.filter(
        state=Subscription.State.ACTIVE, member__confirmed_at__isnull=False
    )
    return active.filter(newsletter=newsletter) if newsletter else active


def _mailable(newsletter: Newsletter | None) -> QuerySet[Subscription]:
    suppressed = Suppression.objects.filter(address_hash=OuterRef("member__address_hash"))
    return _active(newsletter).filter(~Exists(suppressed))


def has_anybody() -> bool:
    return Member.objects.confirmed().exists() or Consent.objects.filter(event=JOINED).exists()


def sizes(now: int, net: Sequence[int], *, after: int = 0) -> list[int]:
    """How many there were at the end of each step, from how many there are now: backwards through
    what each brought, `after` being what came after the last of them."""
    found = []
    size = now - after
    for change in reversed(net):
        found.append(max(size, 0))
        size -= change
    return found[::-1]
