"""What became of each issue's mails: also of those whose rows are forgotten by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.delivery.models import Delivery, Exclusion
from newsletter.delivery.progress import Progress, outcomes
from newsletter.desk.charts import Chart, Look, Place, Series
from newsletter.desk.delivery_words import GIVEN_UP, counted
from newsletter.desk.digest_mail import MAY_SEE, MAY_SEE_MEMBERS
from newsletter.desk.reports.periods import Bucket, day, place_of
from newsletter.desk.reports.report import (
    Cell,
    Empty,
    Question,
    Report,
    ReportView,
    Row,
    Table,
    total_of,
)
from newsletter.digests.models import Digest, Newsletter
from newsletter.members.growth import left_within

# More issues than these stand week by week or month by month.
MOST_ISSUES = 120
# Who leaves later than this, or after the next issue, is not put down to this one.
SPAN = timedelta(days=7)

_State = Delivery.State


def has_begun(path: str = "") -> Q:
    """Issues of which mails have gone out, also where somebody stopped them half-way."""
    going = [Digest.Status.SENDING, Digest.Status.SENT]
    stopped = {f"{path}status": Digest.Status.CANCELLED, f"{path}sending_at__isnull": False}
    return Q(**{f"{path}status__in": going}) | Q(**stopped)


@dataclass(frozen=True)
class Sum:
    """What became of the mails of an issue, or of all issues of a while."""

    states: Counter[str]  # as they are told: what was given up is not among the refused
    skipped: Counter[str]  # by Delivery.Reason
    excluded: Counter[str]  # by Exclusion.Reason
    issues: int = 0

    @property
    def to_go(self) -> int:
        over = (_State.SENT, _State.FAILED, GIVEN_UP, _State.UNCERTAIN, _State.SKIPPED)
        return sum(self.states.values()) - sum(self.states[state] for state in over)


def sum_of(progresses: Iterable[Progress]) -> Sum:
    states: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    issues = 0
    for one in progresses:
        issues += 1
        states.update(counted(one))
        excluded.update(one.exclusions)
        for (state, reason), number in one.reasons.items():
            if state == _State.SKIPPED:
                skipped[reason] += number
    return Sum(states, skipped, excluded, issues)


def issues_of(question: Question) -> list[Any]:
    """The issues of the period with `began`, the first that went out first."""
    digests = Digest.objects.filter(has_begun()).annotate(began=Coalesce("sending_at", "slot"))
    if question.newsletter:
        digests = digests.filter(newsletter=question.newsletter)
    buckets = question.buckets
    found = digests.filter(began__gte=buckets[0].begins, began__lt=buckets[-1].ends)
    return list(
        found.select_related("newsletter")
        .only("number", "slot", "newsletter__name", "newsletter__slug")
        .order_by("began", "pk")
    )


def spans_of(moments: Sequence[datetime], *, last: datetime) -> list[tuple[datetime, datetime]]:
    """From each moment to the next one, SPAN at most; the last ends at `last`."""
    return [
        (begin, max(begin, min(end, begin + SPAN))) for begin, end in pairwise([*moments, last])
    ]


def left_after(issues: Sequence[Any], *, now: datetime) -> dict[int, int]:
    """How many left each issue's newsletter soon after it; one query for each newsletter."""
    left: dict[int, int] = {}
    by_newsletter: dict[Newsletter, list[Any]] = {}
    for issue in issues:
        by_newsletter.setdefault(issue.newsletter, []).append(issue)
    for newsletter, ones in by_newsletter.items():
        spans = spans_of([one.began for one in ones], last=now)
        left.update(zip((one.pk for one in ones), left_within(newsletter, spans), strict=True))
    return left


@dataclass(frozen=True)
class Line:
    """A row of the table and a place of the drawings."""

    place: Place
    key: str
    sum: Sum
    left: int
    url: str = ""


class DeliveriesView(ReportView):
    permissions = MAY_SEE
    page_title = gettext_lazy("Deliveries")
    header_icon = "mail"
    introduction = gettext_lazy(
        "Nobody’s reading is watched: mails carry no trackers, so there are no rates of opening or "
        "clicking."
    )

    def report(self, question: Question) -> Report:
        issues = issues_of(question)
        told = outcomes([issue.pk for issue in issues])
        sees_members = self.request.user.has_perm(MAY_SEE_MEMBERS)
        left = left_after(issues, now=question.now) if sees_members else {}
        one_each = len(issues) <= MOST_ISSUES and not self.request.GET.get("by")
        if one_each:
            lines = [
                _issue_line(question, one, told[one.pk], left.get(one.pk, 0)) for one in issues
            ]
        else:
            lines = _bucket_lines(question, issues, told, left)
        table = _table(question, lines, by_issue=one_each, with_left=sees_members)
        return Report(
            table=table,
            charts=_charts(lines),
            notes=_notes(issues, one_each=one_each, with_left=sees_members),
            empty=None if issues else self._empty(),
        )

    def _empty(self) -> Empty:
        if Digest.objects.filter(has_begun()).exists():
            return Empty(
                _("No issue went out in this time"),
                _("Choose a longer period, or another newsletter."),
            )
        return Empty(
            _("No issue has gone out yet"),
            _("Approve one, and what becomes of its mails stands here while it goes out."),
            reverse("newsletter_digests:list"),
            _("To the digests"),
        )


def _issue_line(question: Question, issue: Any, progress: Progress, left: int) -> Line:
    on = timezone.localdate(issue.began, question.zone)
    number = _("N. %(number)s") % {"number": issue.number} if issue.number else "–"
    name = number if question.newsletter and issue.number else str(issue)
    url = reverse("newsletter_digests:overview", args=[issue.pk])
    place = Place(f"{name}, {day(on)}", number, day(on, "j M"))
    return Line(place, f"{issue} ({on})", sum_of([progress]), left, url)


def _bucket_lines(
    question: Question, issues: Sequence[Any], told: dict[int, Progress], left: dict[int, int]
) -> list[Line]:
    buckets = question.buckets
    inside: list[list[int]] = [[] for _bucket in buckets]
    for issue in issues:
        place = place_of(issue.began, buckets)
        if place is not None:
            inside[place].append(issue.pk)

    def line(bucket: Bucket, place: Place, pks: list[int]) -> Line:
        named = Place(question.name(bucket), place.mark, place.year)
        gone = sum(left.get(pk, 0) for pk in pks)
        return Line(named, bucket.key, sum_of(told[pk] for pk in pks), gone)

    return list(map(line, buckets, question.places, inside))


def _charts(lines: Sequence[Line]) -> list[Chart]:
    places = [line.place for line in lines]

    def series(name: str, state: str, look: Look) -> Series:
        return Series(name, [line.sum.states[state] for line in lines], look)

    given_up = any(line.sum.states[GIVEN_UP] for line in lines)
    return [
        Chart(_("Mails sent"), places, [series(_("Mails sent"), _State.SENT, Look.FULL)]),
        Chart(
            _("Not delivered"),
            places,
            [
                series(_("Mails refused"), _State.FAILED, Look.HATCHED),
                *([series(_("Mails given up"), GIVEN_UP, Look.DOTTED)] if given_up else []),
                series(_("Outcome uncertain"), _State.UNCERTAIN, Look.CROSSED),
                series(_("Not sent after all"), _State.SKIPPED, Look.HOLLOW),
            ],
        ),
    ]


def _table(question: Question, lines: Sequence[Line], *, by_issue: bool, with_left: bool) -> Table:
    """Reasons have a column where anybody was skipped or left out for them."""
    everything = [line.sum for line in lines]
    skipped = [one for one in Delivery.Reason if any(sum.skipped[one] for sum in everything)]
    excluded = [one for one in Exclusion.Reason if any(sum.excluded[one] for sum in everything)]
    to_go = any(sum.to_go for sum in everything)
    head = [_("Issue") if by_issue else question.step_name]
    head += [] if by_issue else [_("Issues")]
    told: dict[str, str] = {_State.SENT: _("Mails sent"), _State.FAILED: _("Mails refused")}
    if any(sum.states[GIVEN_UP] for sum in everything):
        told[GIVEN_UP] = _("Mails given up")
    told[_State.UNCERTAIN] = _("Outcome uncertain")
    head += told.values()
    head += [_("Still to go")] if to_go else []
    head += [_("Not sent: %(reason)s") % {"reason": one.label} for one in skipped]
    head += [_("Left out: %(reason)s") % {"reason": one.label} for one in excluded]
    head += [_("Unsubscribed afterwards")] if with_left else []

    def cells(line: Line) -> list[Cell]:
        found: list[Cell] = [] if by_issue else [line.sum.issues]
        found += [line.sum.states[one] for one in told]
        found += [line.sum.to_go] if to_go else []
        found += [line.sum.skipped[one] for one in skipped]
        found += [line.sum.excluded[one] for one in excluded]
        return found + ([line.left] if with_left else [])

    rows = [Row(line.place.name, cells(line), line.key, line.url) for line in lines]
    return Table(_("What became of the mails"), head, rows, total_of(rows))


def _notes(issues: Sequence[Any], *, one_each: bool, with_left: bool) -> list[str]:
    notes = [
        _(
            "Refused: a mail server turned the mail away for good. Given up: it said “not now” "
            "until the time for trying again had passed, or a retry was called off. Uncertain: "
            "nobody knows whether it arrived. Not sent: somebody left, paused or was suppressed "
            "after the approval. Left out: it was not for them when it was approved."
        )
    ]
    if with_left:
        notes.append(
            _(
                "Unsubscribed afterwards: left that newsletter within 7 days and before its next "
                "issue. Nothing says that the issue was the reason."
            )
        )
    if not one_each and len(issues) > MOST_ISSUES:
        notes.append(
            _("These are many issues: they are counted together. A shorter period shows each.")
        )
    return notes
