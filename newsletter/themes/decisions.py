"""What editors decided about themes, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from newsletter.articles.models import Article
from newsletter.themes.models import Tagging, Theme, ThemeAssignment
from newsletter.themes.quality import Decided, Reviewed, Stems, Worth, worth_adding
from newsletter.themes.rules import ThemeRules
from newsletter.themes.stemming import base_language, stem_phrase
from newsletter.themes.tagging import rules_of

MONTHS = 12
INSIDE, OUTSIDE = 150, 300  # articles read for words worth adding: a second's work
READ = 5_000  # letters of each
LOOKED_BACK = 1_000  # mistakes looked at for what they were taken for
PAIRS = 5

_BY_HAND = Q(source=ThemeAssignment.Source.EDITOR)
_CONFIRMED = Q(decision=ThemeAssignment.Decision.CONFIRMED)
_REJECTED = Q(decision=ThemeAssignment.Decision.REJECTED)
_COUNTS = {
    "confirmed": Count("pk", filter=_CONFIRMED & ~_BY_HAND),
    "rejected": Count("pk", filter=_REJECTED & ~_BY_HAND),
    "added": Count("pk", filter=_CONFIRMED & _BY_HAND),
}


def decided() -> QuerySet[ThemeAssignment]:
    """By a person: what was confirmed by itself bears no moment."""
    return ThemeAssignment.objects.filter(
        _CONFIRMED | _REJECTED, decided_at__isnull=False
    ).order_by()


def decided_of(theme_ids: Iterable[int]) -> dict[int, Decided]:
    rows = decided().filter(theme__in=theme_ids).values("theme_id").annotate(**_COUNTS)
    return {row["theme_id"]: _decided(row) for row in rows}


def _decided(row: Any) -> Decided:
    return Decided(row["confirmed"], row["rejected"], row["added"])


@dataclass(frozen=True)
class Month:
    first_day: date
    decided: Decided


def months_of(theme: Theme, *, now: datetime) -> list[Month]:
    """The last twelve months, the oldest first, by when editors decided."""
    today = timezone.localdate(now)
    last = today.year * 12 + today.month - 1
    days = [date(n // 12, n % 12 + 1, 1) for n in range(last - MONTHS + 1, last + 1)]
    since = timezone.make_aware(datetime(days[0].year, days[0].month, 1))  # noqa: DTZ001
    rows = (
        decided()
        .filter(theme=theme, decided_at__gte=since)
        .annotate(month=TruncMonth("decided_at"))
        .values("month")
        .annotate(**_COUNTS)
    )
    by_month = {row["month"].date(): _decided(row) for row in rows}
    return [Month(day, by_month.get(day, Decided())) for day in days]


@dataclass(frozen=True)
class Taken:
    """Another theme, and how often one was taken for the other."""

    theme: Theme
    articles: int


def given_instead(theme: Theme) -> list[Taken]:
    """Where this theme was suggested wrongly: the themes that editors gave by hand."""
    wrong = decided().filter(_REJECTED, ~_BY_HAND, theme=theme)
    return _pairs(wrong, _CONFIRMED & _BY_HAND, theme)


def suggested_instead(theme: Theme) -> list[Taken]:
    """Where editors gave this theme by hand: the themes that had been suggested wrongly."""
    missed = decided().filter(_CONFIRMED, _BY_HAND, theme=theme)
    return _pairs(missed, _REJECTED & ~_BY_HAND, theme)


def _pairs(mistakes: QuerySet[ThemeAssignment], other: Q, theme: Theme) -> list[Taken]:
    articles = list(mistakes.order_by("-article").values_list("article", flat=True)[:LOOKED_BACK])
    counts = dict(
        decided()
        .filter(other, article__in=articles)
        .exclude(theme=theme)
        .values("theme")
        .annotate(articles=Count("pk"))
        .order_by("-articles", "theme")
        .values_list("theme", "articles")[:PAIRS]
    )
    themes = Theme.objects.in_bulk(counts)
    return [Taken(themes[pk], count) for pk, count in counts.items() if pk in themes]


def words_worth_adding(theme: Theme) -> list[Worth] | None:
    """None: too few articles are reviewed to tell."""
    given = decided().filter(_CONFIRMED, theme=theme)
    inside = list(given.order_by("-article").values_list("article", flat=True)[:INSIDE])
    reviewed = Tagging.objects.filter(reviewed_at__isnull=False).exclude(
        article__in=given.values("article")
    )
    outside = list(reviewed.order_by("-article").values_list("pk", flat=True)[:OUTSIDE])
    others = [rules_of(one) for one in Theme.objects.active().exclude(pk=theme.pk)]
    found = _read(inside)
    languages = {base_language(article.language) for article in found} or {"it"}
    known = _stems(rules_of(theme), languages, with_exclusions=True)
    for other in others:  # a word of two themes tells neither
        known |= _stems(other, languages, with_exclusions=False)
    return worth_adding(found, _read(outside), known)


def _read(ids: list[int]) -> list[Reviewed]:
    rows = Article.objects.filter(pk__in=ids).order_by("-pk")
    return [
        Reviewed(pk, f"{title}\n{(body or excerpt)[:READ]}", language)
        for pk, title, body, excerpt, language in rows.values_list(
            "pk", "title", "body_text", "excerpt", "language"
        )
    ]


def _stems(rules: ThemeRules, languages: Iterable[str], *, with_exclusions: bool) -> set[Stems]:
    words = rules.names + rules.keywords + (rules.exclusions if with_exclusions else ())
    return {stem_phrase(word, language) for word in words for language in languages} - {()}
