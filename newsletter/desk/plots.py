"""A feed's last month as small drawings, made here: no script, and a sentence that says the same.

Shapes carry the meaning, not colours: a bar is what came, a cross below the line a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil, sqrt

from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.feeds.models import FetchRecord

DAYS = 30


@dataclass(frozen=True)
class Day:
    day: date
    articles: int = 0
    failures: int = 0


def last_days(feed_ids: Iterable[int], *, now: datetime) -> dict[int, list[Day]]:
    """The last 30 local days of each feed, the oldest first; one query for all of them.

    Only fetches that tell something are read: most bring nothing new.
    """
    ids = list(feed_ids)
    today = timezone.localdate(now)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    telling = FetchRecord.objects.filter(
        Q(articles_new__gt=0) | Q(outcome=FetchRecord.Outcome.FAILED),
        feed__in=ids,
        at__gt=now - timedelta(days=DAYS + 1),
    ).order_by()
    articles: dict[tuple[int, date], int] = {}
    failures: dict[tuple[int, date], int] = {}
    for feed_id, at, new, outcome in telling.values_list("feed", "at", "articles_new", "outcome"):
        place = (feed_id, timezone.localdate(at))
        articles[place] = articles.get(place, 0) + new
        if outcome == FetchRecord.Outcome.FAILED:
            failures[place] = failures.get(place, 0) + 1
    return {
        pk: [Day(day, articles.get((pk, day), 0), failures.get((pk, day), 0)) for day in days]
        for pk in ids
    }


def in_words(days: Sequence[Day]) -> str:
    """ "12 new articles in 30 days; fetches failed on 2 days"."""
    count = sum(day.articles for day in days)
    said = ngettext(
        "%(count)d new article in %(days)d days", "%(count)d new articles in %(days)d days", count
    ) % {"count": count, "days": len(days)}
    if bad := sum(1 for day in days if day.failures):
        failed = ngettext(
            "fetches failed on %(count)d day", "fetches failed on %(count)d days", bad
        )
        return f"{said}; {failed % {'count': bad}}"
    return said


def sparkline(days: Sequence[Day], *, width: int = 120, height: int = 32) -> SafeString:
    """Bars and crosses; the square root keeps a first fetch of 50 from flattening the rest."""
    step = width / max(len(days), 1)
    line = height - 7.0
    most = max((day.articles for day in days), default=0)
    bars, crosses = [], []
    for place, day in enumerate(days):
        left = place * step
        if day.articles:
            tall = max(ceil(sqrt(day.articles / most) * (line - 1)), 2)
            bars.append(f"M{left:.1f} {line:.0f}v-{tall}h{step - 1:.1f}v{tall}z")
        if day.failures:
            middle = left + step / 2
            crosses.append(f"M{middle - 2:.1f} {line + 2:.0f}l4 4m0-4l-4 4")
    return format_html(
        '<svg class="desk-spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}"'
        ' height="{}"><path class="desk-spark__line" d="M0 {}.5h{}"/>'
        '<path class="desk-spark__bars" d="{}"/><path class="desk-spark__crosses" d="{}"/></svg>',
        in_words(days), width, height, width, height, int(line), width,
        "".join(bars), "".join(crosses),
    )  # fmt: skip


def answer_times(fetches: Sequence[FetchRecord], *, width: int = 480) -> SafeString:
    """How long each of these fetches took, the oldest first: a bar, or a cross that failed."""
    height, line = 80, 66
    times = [fetch.duration_ms for fetch in fetches]
    longest = max(times, default=0) or 1
    step = min(width / max(len(fetches), 1), 16)
    bars, crosses = [], []
    for place, fetch in enumerate(fetches):
        left = place * step
        if fetch.outcome == FetchRecord.Outcome.FAILED:
            middle = left + step / 2
            crosses.append(f"M{middle - 3:.1f} {line + 4}l6 6m0-6l-6 6")
        else:
            tall = max(round(fetch.duration_ms / longest * (line - 4)), 1)
            bars.append(f"M{left:.1f} {line}v-{tall}h{max(step - 2, 1):.1f}v{tall}z")
    said = _("Time to answer of the last %(count)d fetches, at most %(longest)d ms") % {
        "count": len(fetches),
        "longest": longest,
    }
    return format_html(
        '<svg class="desk-spark desk-spark--wide" role="img" aria-label="{}" viewBox="0 0 {} {}">'
        '<path class="desk-spark__line" d="M0 {}.5h{}"/><path class="desk-spark__bars" d="{}"/>'
        '<path class="desk-spark__crosses" d="{}"/></svg>',
        said, width, height, line, width, "".join(bars), "".join(crosses),
    )  # fmt: skip
