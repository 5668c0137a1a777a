"""What every report has: its period in the address, drawings, one table and the same as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views import generic

from newsletter.desk.charts import Chart, Place, patterns
from newsletter.desk.reports.periods import PRESETS, Bucket, Period, Step, asked
from newsletter.digests.models import Newsletter
from newsletter.members.rights import safe_in_a_sheet

Cell = int | str | None  # None: nobody knows


@dataclass(frozen=True)
class Row:
    name: str
    cells: Sequence[Cell]
    key: str = ""  # in the file, in place of the name
    url: str = ""


@dataclass(frozen=True)
class Table:
    caption: str
    head: Sequence[str]
    rows: Sequence[Row]  # as the drawings have them: the oldest first
    total: Sequence[Cell] = ()
    as_given: bool = False  # what the rows tell has no order in time

    @property
    def shown(self) -> list[Row]:
        return list(self.rows if self.as_given else reversed(self.rows))


@dataclass(frozen=True)
class Empty:
    """There is nothing yet, and what to do about it."""

    title: str
    advice: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True)
class Report:
    table: Table
    charts: Sequence[Chart] = ()
    notes: Sequence[str] = ()
    empty: Empty | None = None
    further: Sequence[Table] = ()
    file: Table | None = None  # where the table shown is none for a spreadsheet
    sentence: str = ""  # how things stand now
    is_many: bool = False  # small drawings side by side, all with the same series


@dataclass(frozen=True)
class Question:
    """What is asked of a report."""

    period: Period
    newsletter: Newsletter | None  # None: of all of them
    zone: tzinfo
    now: datetime

    @cached_property
    def buckets(self) -> list[Bucket]:
        return self.period.buckets(self.zone)

    @property
    def places(self) -> list[Place]:
        return [Place(one.name, one.mark, str(one.first_day.year)) for one in self.buckets]

    @property
    def step_name(self) -> str:
        return _("Month") if self.period.step == Step.MONTH else _("Week from")

    def name(self, bucket: Bucket) -> str:
        if bucket.ends > self.now:
            return _("%(bucket)s, so far") % {"bucket": bucket.name}
        return bucket.name


def total_of(rows: Sequence[Row]) -> list[Cell]:
    """Column by column; unknown where any of it is."""
    columns = zip(*(row.cells for row in rows), strict=True)
    return [
        sum(number for number in column if isinstance(number, int))
        if all(isinstance(number, int) for number in column)
        else None
        for column in map(tuple, columns)
    ]


class ReportView(generic.base.WagtailAdminTemplateMixin, TemplateView):
    template_name = "newsletter/admin/report/report.html"
    permissions: ClassVar[tuple[str, ...]]  # any of them
    by_newsletter: ClassVar[bool] = True
    introduction: ClassVar[Any] = ""

    def report(self, question: Question) -> Report:
        raise NotImplementedError

    @classmethod
    def is_for(cls, user: Any) -> bool:
        return any(user.has_perm(permission) for permission in cls.permissions)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not self.is_for(request.user):
            raise PermissionDenied
        if request.GET.get("form") == "csv":
            return self.as_csv()
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def newsletters(self) -> list[Newsletter]:
        return list(Newsletter.objects.order_by("name")) if self.by_newsletter else []

    @cached_property
    def question(self) -> Question:
        now = timezone.now()
        # The site's own clocks, not those of whoever looks: everybody sees the same numbers.
        zone = timezone.get_default_timezone()
        chosen = self.request.GET.get("newsletter", "")
        return Question(
            period=asked(self.request.GET, today=timezone.localdate(now, zone)),
            newsletter=next((one for one in self.newsletters if one.slug == chosen), None),
            zone=zone,
            now=now,
        )

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        question, report = self.question, self.report(self.question)
        period = question.period
        return context | {
            "report": report,
            "period": period,
            "newsletter": question.newsletter,
            "newsletters": self.newsletters if len(self.newsletters) > 1 else [],
            "presets": [
                (self._address(period=name, by=""), label, name == period.preset)
                for name, label in PRESETS.items()
            ],
            "steps": [(Step.WEEK, _("weeks")), (Step.MONTH, _("months"))],
            "csv_url": self._address(form="csv"),
            "patterns": patterns(),
            "introduction": self.introduction,
        }

    def _address(self, **changes: str) -> str:
        """This report with the same question but for the changes; a preset ends from and to."""
        names = ("period", "from", "to", "by", "newsletter")
        query = {name: self.request.GET.get(name, "") for name in names}
        if "period" in changes:
            query |= {"from": "", "to": ""}
        return "?" + urlencode({name: value for name, value in (query | changes).items() if value})

    def as_csv(self) -> HttpResponse:
        report, period = self.report(self.question), self.question.period
        table = report.file or report.table
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow([safe_in_a_sheet(cell) for cell in table.head])
        for row in table.rows:
            cells = [row.key or row.name, *row.cells]
            writer.writerow(["" if cell is None else safe_in_a_sheet(cell) for cell in cells])
        response = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
        title = slugify(str(self.get_page_title()))
        name = f"{title}-{period.first_day}-{period.last_day}"
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
