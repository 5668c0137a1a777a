"""What each theme brought: articles accepted, and articles that went out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.articles.models import Article
from newsletter.desk.charts import Chart, Look, Series
from newsletter.desk.reports.deliveries import has_begun
from newsletter.desk.reports.periods import place_in
from newsletter.desk.reports.report import Cell, Empty, Question, Report, ReportView, Row, Table
from newsletter.digests.models import DigestItem
from newsletter.members.groups import SMALLEST, readers_by_theme
from newsletter.themes.models import Theme, ThemeAssignment

_STANDING = (ThemeAssignment.Decision.SUGGESTED, ThemeAssignment.Decision.CONFIRMED)
_LOW = 64  # a theme's drawing, in pixels: there is one for each


@dataclass(frozen=True)
class Told:
    theme: Theme
    accepted: list[int]  # by place
    sent: list[int]

    @property
    def is_any(self) -> bool:
        return any(self.accepted) or any(self.sent)


def accepted_by_theme(question: Question) -> Counter[tuple[int, int]]:
    """By theme and place: when they were accepted. An article counts in each of its themes."""
    buckets = question.buckets
    rows = (
        ThemeAssignment.objects.standing()
        .filter(
            article__state=Article.State.ACCEPTED,
            article__triaged_at__gte=buckets[0].begins,
            article__triaged_at__lt=buckets[-1].ends,
        )
        .annotate(place=place_in("article__triaged_at", buckets))
        .order_by()
        .values_list("theme", "place")
        .annotate(number=Count("pk"))
    )
    return Counter({(theme, place): number for theme, place, number in rows})


def sent_by_theme(question: Question) -> Counter[tuple[int, int]]:
    """By theme and place: in which issue they went out, in each issue once."""
    buckets = question.buckets
    items = DigestItem.objects.filter(
        has_begun("digest__"),
        deferred=False,
        article__assignments__decision__in=_STANDING,
    ).annotate(began=Coalesce("digest__sending_at", "digest__slot"))
    if question.newsletter:
        items = items.filter(digest__newsletter=question.newsletter)
    rows = (
        items.filter(began__gte=buckets[0].begins, began__lt=buckets[-1].ends)
        .annotate(place=place_in("began", buckets))
        .order_by()
        .values_list("article__assignments__theme", "place")
        .annotate(number=Count("pk"))
    )
    return Counter({(theme, place): number for theme, place, number in rows})


def told_of(question: Question) -> list[Told]:
    """Themes in use in the editors' order, and others that brought something then."""
    accepted, sent = accepted_by_theme(question), sent_by_theme(question)
    places = range(len(question.buckets))
    told = [
        Told(
            theme,
            [accepted[theme.pk, place] for place in places],
            [sent[theme.pk, place] for place in places],
        )
        for theme in Theme.objects.all()
    ]
    return [one for one in told if one.theme.is_active or one.is_any]


def readers_shown(number: int) -> Cell:
    return number if number >= SMALLEST else _("fewer than %(count)d") % {"count": SMALLEST}


class ThemesView(ReportView):
    permissions = ("newsletter.view_theme",)
    page_title = gettext_lazy("Themes over time")
    header_icon = "tag"

    def report(self, question: Question) -> Report:
        told = told_of(question)
        drawn = [one for one in told if one.is_any]
        # One newsletter's readers have one choice each; those of several could be counted twice.
        only = self.newsletters[0] if len(self.newsletters) == 1 else None
        newsletter = question.newsletter or only
        chose, everything = readers_by_theme(newsletter) if newsletter else ({}, 0)
        return Report(
            table=_sums(told, chose if newsletter else None),
            charts=_charts(question, drawn),
            is_many=True,
            further=[
                _by_time(question, _("Articles accepted"), drawn, [one.accepted for one in drawn]),
                _by_time(question, _("Articles sent"), drawn, [one.sent for one in drawn]),
            ],
            file=_file(question, drawn),
            notes=_notes(everything if newsletter else None),
            empty=None if drawn else self._empty(),
        )

    def _empty(self) -> Empty:
        if ThemeAssignment.objects.filter(article__state=Article.State.ACCEPTED).exists():
            return Empty(_("No article was accepted in this time"), _("Choose a longer period."))
        return Empty(
            _("No article with a theme has been accepted yet"),
            _("Accept some in the inbox: what each theme brings stands here from then on."),
            reverse("newsletter_articles:index"),
            _("To the inbox"),
        )


def _charts(question: Question, told: Sequence[Told]) -> list[Chart]:
    """One for each theme, all to one scale."""
    highest = max((max(*one.accepted, *one.sent) for one in told if one.accepted), default=0)
    return [
        Chart(
            one.theme.local_name,
            question.places,
            [
                Series(_("Articles accepted"), one.accepted, Look.HOLLOW),
                Series(_("Articles sent"), one.sent, Look.SOLID_LINE),
            ],
            height=_LOW,
            highest=highest,
        )
        for one in told
    ]


def _sums(told: Sequence[Told], chose: dict[int, int] | None) -> Table:
    head = [_("Theme"), _("Articles accepted"), _("Articles sent")]
    head += [_("Readers who chose it")] if chose is not None else []

    def row(one: Told) -> Row:
        cells: list[Cell] = [sum(one.accepted), sum(one.sent)]
        if chose is not None:
            cells.append(readers_shown(chose.get(one.theme.pk, 0)))
        url = reverse("newsletter_themes:inspect", args=[one.theme.pk])
        return Row(one.theme.local_name, cells, url=url)

    return Table(_("Theme by theme"), head, [row(one) for one in told], as_given=True)


def _by_time(
    question: Question, caption: str, told: Sequence[Told], numbers: Sequence[Sequence[int]]
) -> Table:
    rows = [
        Row(question.name(bucket), [of_theme[place] for of_theme in numbers], bucket.key)
        for place, bucket in enumerate(question.buckets)
    ]
    return Table(caption, [question.step_name, *(one.theme.local_name for one in told)], rows)


def _file(question: Question, told: Sequence[Told]) -> Table:
    """One line for each theme in each step, as a spreadsheet wants them."""
    rows = [
        Row(
            bucket.name,
            [one.theme.local_name, one.accepted[place], one.sent[place]],
            bucket.key,
        )
        for place, bucket in enumerate(question.buckets)
        for one in told
    ]
    head = [question.step_name, _("Theme"), _("Articles accepted"), _("Articles sent")]
    return Table("", head, rows)


def _notes(everything: int | None) -> list[str]:
    notes = [
        _(
            "An article counts in each of its themes: accepted, when it was accepted, whoever it "
            "goes to; sent, in every issue that it was in."
        )
    ]
    if everything is None:
        notes.append(_("Choose a newsletter to see how many of its readers chose each theme."))
    else:
        notes.append(
            _(
                "Readers who chose every theme are not among those who chose one: %(number)s. "
                "Numbers below %(smallest)d are not told: a small group tells who is in it."
            )
            % {"number": _in_words(readers_shown(everything)), "smallest": SMALLEST}
        )
    return notes


def _in_words(cell: Cell) -> Any:
    return intcomma(cell) if isinstance(cell, int) else cell
