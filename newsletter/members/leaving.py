"""When people stopped to receive, counted from the proof that is kept: nobody is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Case, Count, IntegerField, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from newsletter.members.models import Consent

LEFT = (Consent.Event.WITHDRAWN, Consent.Event.ERASED)


def about(newsletter_slug: str) -> QuerySet[Consent]:
    """What was said of one newsletter, by the name its addresses had then."""
    named = Consent.objects.annotate(named=Cast("newsletter_slugs", TextField()))
    return named.filter(named__contains=f'"{newsletter_slug}"').order_by()


def left_within(newsletter_slug: str, spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """How many left it in each span of time (the end is not in it); one query for all of them."""
    if not spans:
        return []
    place = Case(
        *(When(at__gte=begin, at__lt=end, then=Value(n)) for n, (begin, end) in enumerate(spans)),
        default=Value(-1),
        output_field=IntegerField(),
    )
    first, last = min(begin for begin, _end in spans), max(end for _begin, end in spans)
    rows = about(newsletter_slug).filter(event__in=LEFT, at__gte=first, at__lt=last)
    counts = dict(rows.annotate(span=place).values_list("span").annotate(number=Count("pk")))
    return [counts.get(n, 0) for n in range(len(spans))]
