"""How the list grew and shrank. For those who may see members; nobody is named."""

from __future__ import annotations

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter import conf
from newsletter.desk.charts import Chart, Look, Series
from newsletter.desk.digest_mail import MAY_SEE_MEMBERS
from newsletter.desk.reports.periods import place_in
from newsletter.desk.reports.report import Empty, Question, Report, ReportView, Row, Table
from newsletter.members.growth import (
    Change,
    changes_since,
    has_anybody,
    people_now,
    size_now,
    sizes,
)


class GrowthView(ReportView):
    permissions = (MAY_SEE_MEMBERS,)
    page_title = gettext_lazy("Growth of the list")
    header_icon = "group"

    def report(self, question: Question) -> Report:
        buckets, newsletter = question.buckets, question.newsletter
        changes = changes_since(
            buckets[0].begins,
            newsletter,
            told_at=place_in("at", buckets),
            suppressed_at=place_in("created_at", buckets),
        )
        steps = [changes.get(place, Change()) for place in range(len(buckets))]
        size = sizes(
            size_now(newsletter),
            [one.net for one in steps],
            after=changes.get(-1, Change()).net,
        )
        return Report(
            table=_table(question, steps, size),
            charts=_charts(question, steps, size),
            notes=_notes(question),
            empty=None if has_anybody() else _empty(),
        )


def _empty() -> Empty:
    return Empty(
        _("Nobody has subscribed yet"),
        _("Put this address where people look, on the union’s site or on a poster:")
        + f" {conf.site_url(_sign_up())}",
        _sign_up(),
        _("To the sign-up page"),
    )


def _sign_up() -> str:
    return reverse("newsletter:subscribe")


def _charts(question: Question, steps: list[Change], size: list[int]) -> list[Chart]:
    unit = _("People who receive it") if question.newsletter else _("Subscriptions")
    return [
        Chart(
            _("Size of the list"),
            question.places,
            [Series(unit, size, Look.SOLID_LINE)],
            sums=False,
            from_nought=False,
        ),
        Chart(
            _("Came and went"),
            question.places,
            [
                Series(_("Newly confirmed"), [one.joined for one in steps]),
                Series(_("Unsubscribed"), [one.left for one in steps], Look.HATCHED, hangs=True),
                Series(
                    _("Suppressed"), [one.suppressed for one in steps], Look.CROSSED, hangs=True
                ),
            ],
        ),
    ]


def _table(question: Question, steps: list[Change], size: list[int]) -> Table:
    head = [
        question.step_name,
        _("Newly confirmed"),
        _("Unsubscribed"),
        _("Suppressed"),
        _("Change"),
        _("Size at the end"),
    ]
    rows = [
        Row(
            question.name(bucket),
            [step.joined, step.left, step.suppressed, step.net, at_the_end],
            bucket.key,
        )
        for bucket, step, at_the_end in zip(question.buckets, steps, size, strict=True)
    ]
    columns = list(zip(*(row.cells[:4] for row in rows), strict=True))
    total = [*(sum(int(one or 0) for one in column) for column in columns), size[-1]]
    return Table(_("How the list changed"), head, rows, total)


def _notes(question: Question) -> list[str]:
    notes = [
        _(
            "Unsubscribed: by their own hand, or erased. Suppressed: mail to them came back for "
            "good, or they reported it as spam; an address that may be mailed again does not count."
        )
    ]
    if question.newsletter is None:
        people = people_now()
        said = ngettext(
            "Counted are subscriptions. %(people)s person receives at least one newsletter now.",
            "Counted are subscriptions: who receives two newsletters counts twice. %(people)s "
            "people receive at least one now.",
            people,
        )
        notes.append(said % {"people": intcomma(people)})
    return notes
