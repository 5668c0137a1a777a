"""How much there is of each theme, in all and month by month."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils import timezone

from newsletter.archive.published import of_theme
from newsletter.articles.models import Article
from newsletter.themes.models import Theme, ThemeAssignment

MONTHS = 24
_DEAR = 0.1  # seconds
_KEPT = 300


def _counted(key: str, count: Callable[[], Any]) -> Any:
    """Counting a small archive is quick and always fresh; a large one's counts are kept."""
    if (kept := cache.get(key)) is not None:
        return kept
    start = time.perf_counter()
    counts = count()
    if time.perf_counter() - start > _DEAR:
        cache.set(key, counts, _KEPT)
    return counts


def _count_by_theme() -> dict[int, int]:
    rows = (
        ThemeAssignment.objects.standing()
        .filter(article__state=Article.State.ACCEPTED)
        .order_by()
        .values_list("theme_id")
        .annotate(articles=Count("pk"))
    )
    return dict(rows)


@dataclass(frozen=True)
class CountedTheme:
    theme: Theme
    articles: int


def counted_themes() -> list[CountedTheme]:
    """Every theme in use with its number of accepted articles, in the editors' order."""
    counts = _counted("newsletter:theme-counts", _count_by_theme)
    return [CountedTheme(theme, counts.get(theme.pk, 0)) for theme in Theme.objects.active()]


@dataclass(frozen=True)
class Month:
    first_day: date
    articles: int
    height: int  # of its bar, 0 to 100; never 0 when there is something to show
    x: int


def _months_back(last: date, count: int) -> list[date]:
    index = last.year * 12 + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(index - count + 1, index + 1)]


def _count_by_month(theme_id: int, since: datetime) -> dict[date, int]:
    rows = (
        of_theme(theme_id)
        .filter(listed_at__gte=since)
        .order_by()
        .annotate(month=TruncMonth("listed_at"))
        .values_list("month")
        .annotate(articles=Count("pk"))
    )
    return {month.date(): count for month, count in rows}


def months_of(theme: Theme, *, now: datetime) -> list[Month]:
    """The last two years of a theme, ready to be drawn, oldest first."""
    days = _months_back(timezone.localtime(now).date(), MONTHS)
    since = timezone.make_aware(datetime(days[0].year, days[0].month, 1))  # noqa: DTZ001
    counts = _counted(
        f"newsletter:theme-months:{theme.pk}:{days[-1]}",
        lambda: _count_by_month(theme.pk, since),
    )
    highest = max(counts.values(), default=0) or 1
    return [
        Month(day, n, max(4, round(100 * n / highest)) if n else 0, position * 12)
        for position, day in enumerate(days)
        for n in [counts.get(day, 0)]
    ]
