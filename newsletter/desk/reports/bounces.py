"""The mails that came back and the reports of spam, over time; those forgotten by now, too."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.delivery.bounces.models import Bounce, BounceCount
from newsletter.delivery.models import Delivery
from newsletter.delivery.progress import outcomes
from newsletter.desk.charts import Chart, Look, Series
from newsletter.desk.reports.deliveries import issues_of
from newsletter.desk.reports.periods import place_in, place_of
from newsletter.desk.reports.report import (
    Empty,
    Question,
    Report,
    ReportView,
    Row,
    Table,
    total_of,
)

Kind = Bounce.Kind
_LOOKS = {Kind.GONE: Look.FULL, Kind.PASSING: Look.HOLLOW, Kind.ABOUT_US: Look.DOTTED}


def came_back(question: Question) -> Counter[tuple[int, str]]:
    """How many, by place and kind: what is kept one by one, and the counts of what is not."""
    buckets = question.buckets
    whole: QuerySet[Any] = Bounce.objects.filter(
        received_at__gte=buckets[0].begins, received_at__lt=buckets[-1].ends
    ).annotate(place=place_in("received_at", buckets))
    counted: QuerySet[Any] = BounceCount.objects.filter(
        day__gte=question.period.first_day, day__lt=question.period.end_day
    ).annotate(place=place_in("day", buckets, days=True))
    if question.newsletter:
        whole = whole.filter(digest__newsletter=question.newsletter)
        counted = counted.filter(newsletter=question.newsletter)
    found: Counter[tuple[int, str]] = Counter()
    for rows, number in ((whole, Count("pk")), (counted, Sum("number"))):
        for place, kind, sum_of_them in (
            rows.order_by().values_list("place", "kind").annotate(sum=number)
        ):
            found[place, kind] += sum_of_them
    return found


def mails_sent(question: Question) -> list[int]:
    """By place: the number that those which came back are to be seen beside."""
    issues, sent = issues_of(question), [0] * len(question.buckets)
    told = outcomes([issue.pk for issue in issues])
    for issue in issues:
        place = place_of(issue.began, question.buckets)
        if place is not None:
            sent[place] += told[issue.pk].states[Delivery.State.SENT]
    return sent


class BouncesView(ReportView):
    permissions = ("newsletter.view_bounce",)
    page_title = gettext_lazy("Bounces and complaints")
    header_icon = "warning"

    def report(self, question: Question) -> Report:
        found, sent = came_back(question), mails_sent(question)
        places = range(len(question.buckets))
        by_kind = {kind: [found[place, kind] for place in places] for kind in Kind}
        head = [question.step_name, _("Mails sent"), *(str(kind.label) for kind in Kind)]
        rows = [
            Row(
                question.name(bucket),
                [sent[place], *(by_kind[kind][place] for kind in Kind)],
                bucket.key,
            )
            for place, bucket in enumerate(question.buckets)
        ]
        return Report(
            table=Table(_("What came back"), head, rows, total_of(rows)),
            charts=[
                Chart(
                    _("Mails that came back"),
                    question.places,
                    [Series(str(kind.label), by_kind[kind], look) for kind, look in _LOOKS.items()],
                ),
                Chart(
                    str(Kind.COMPLAINT.label),
                    question.places,
                    [Series(str(Kind.COMPLAINT.label), by_kind[Kind.COMPLAINT], Look.HATCHED)],
                ),
            ],
            notes=[
                _(
                    "Counted when the report came, which may be days after the mail. Mailboxes "
                    "that do not exist are suppressed at once, full ones only when it goes on. "
                    "Who is erased is not counted any more."
                )
            ],
            empty=None if found or self.has_any() else _empty(),
        )

    def has_any(self) -> bool:
        return Bounce.objects.exists() or BounceCount.objects.exists()


def _empty() -> Empty:
    return Empty(
        _("No mail has come back so far"),
        _(
            "Good news, as long as mails that come back reach this site: ask whoever runs it "
            "whether they are taken in."
        ),
    )
