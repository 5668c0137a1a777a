"""How the feeds are doing: polls that failed, how fast they answer, what they bring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.articles.models import Article
from newsletter.desk.charts import Chart, Look, Series
from newsletter.desk.reports.periods import place_in
from newsletter.desk.reports.report import Cell, Empty, Question, Report, ReportView, Row, Table
from newsletter.feeds.health import FAILURES_TO_TELL, PROBLEMS, Health, with_health
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.feeds.polling import HISTORY_DAYS

_FAILED = Q(outcome=FetchRecord.Outcome.FAILED)


@dataclass
class Polls:
    """Of one feed or all, in one step or all."""

    asked: int = 0
    failed: int = 0
    time: int = 0  # milliseconds of all that did not fail
    slowest: int = 0
    silent: int = 0  # feeds that never answered, where these are all feeds' polls of a step

    def add(self, other: Polls) -> None:
        self.asked += other.asked
        self.failed += other.failed
        self.time += other.time
        self.slowest = max(self.slowest, other.slowest)

    @property
    def answered(self) -> int:
        return self.asked - self.failed

    @property
    def mean(self) -> int | None:
        """Milliseconds; None: nothing was answered."""
        return round(self.time / self.answered) if self.answered else None

    @property
    def cells(self) -> list[Cell]:
        return [self.asked, self.failed, self.mean, self.slowest if self.answered else None]


def polls_of(question: Question) -> dict[tuple[int, int], Polls]:
    """By feed and place; one query, a row for each."""
    buckets = question.buckets
    rows = (
        FetchRecord.objects.filter(at__gte=buckets[0].begins, at__lt=buckets[-1].ends)
        .annotate(place=place_in("at", buckets))
        .order_by()
        .values_list("feed", "place")
        .annotate(
            asked=Count("pk"),
            failed=Count("pk", filter=_FAILED),
            time=Sum("duration_ms", filter=~_FAILED),
            slowest=Max("duration_ms", filter=~_FAILED),
        )
    )
    return {
        (feed, place): Polls(asked, failed, time or 0, slowest or 0)
        for feed, place, asked, failed, time, slowest in rows
    }


def posts_of(question: Question) -> dict[tuple[int, int], int]:
    """By the feed that brought them first, and place: when they came to us."""
    buckets = question.buckets
    rows = (
        # Every state: so the index that has the state first is of use.
        Article.objects.filter(
            state__in=Article.State.values,
            feed__isnull=False,
            arrived_at__gte=buckets[0].begins,
            arrived_at__lt=buckets[-1].ends,
        )
        .annotate(place=place_in("arrived_at", buckets))
        .order_by()
        .values_list("feed", "place")
        .annotate(number=Count("pk"))
    )
    return {(feed, place): number for feed, place, number in rows}


def together(polls: Iterable[Polls]) -> Polls:
    found = Polls()
    for one in polls:
        found.add(one)
    return found


def step_of(of_feeds: Sequence[Polls]) -> Polls:
    """All feeds in one step, from each one's polls in it."""
    found = together(of_feeds)
    # One bad poll is no news.
    found.silent = sum(one.asked >= FAILURES_TO_TELL and not one.answered for one in of_feeds)
    return found


class FeedsView(ReportView):
    permissions = ("newsletter.view_feed",)
    by_newsletter = False
    page_title = gettext_lazy("Health of the feeds")
    header_icon = "rotate"

    def report(self, question: Question) -> Report:
        polls, posts = polls_of(question), posts_of(question)
        feeds = list(
            with_health(Feed.objects.all(), now=question.now).order_by("severity", "title", "pk")
        )
        since = question.now - timedelta(days=HISTORY_DAYS)
        is_pruned = any(feed.created_at < since for feed in feeds)
        inside: list[list[Polls]] = [[] for _bucket in question.buckets]
        for (_feed, place), one in polls.items():
            inside[place].append(one)
        # Pruned in part: what is left of it would be taken for all of it.
        steps = [
            None if is_pruned and bucket.begins < since else step_of(of_feeds)
            for bucket, of_feeds in zip(question.buckets, inside, strict=True)
        ]
        came = [0] * len(inside)
        for (_feed, place), number in posts.items():
            came[place] += number
        return Report(
            table=_by_time(question, steps, came),
            charts=_charts(question, steps, came),
            further=[_by_feed(feeds, polls, posts)],
            sentence=_standing(feeds),
            notes=[_note()],
            empty=None if feeds else _empty(),
        )


def _empty() -> Empty:
    return Empty(
        _("There is no feed yet"),
        _("Add the address of a blog: how it is doing stands here from its first poll on."),
        reverse("newsletter_feeds:index"),
        _("To the feeds"),
    )


def _charts(question: Question, steps: list[Polls | None], came: list[int]) -> list[Chart]:
    def series(name: str, value: Callable[[Polls], int | None], look: Look) -> Series:
        return Series(name, [value(one) if one else None for one in steps], look)

    places = question.places
    return [
        Chart(
            _("Polls that failed"),
            places,
            [series(_("Polls that failed"), lambda one: one.failed, Look.HATCHED)],
        ),
        Chart(
            _("Feeds that never answered"),
            places,
            [series(_("Feeds that never answered"), lambda one: one.silent, Look.CROSSED)],
            sums=False,
        ),
        Chart(
            _("Time to answer in milliseconds, on average"),
            places,
            [series(_("Milliseconds"), lambda one: one.mean, Look.SOLID_LINE)],
            sums=False,
        ),
        Chart(_("New posts"), places, [Series(_("New posts"), came)]),
    ]


def _by_time(question: Question, steps: list[Polls | None], came: list[int]) -> Table:
    rows = [
        Row(
            question.name(bucket),
            [*([*polls.cells, polls.silent] if polls else [None] * 5), posts],
            bucket.key,
        )
        for bucket, polls, posts in zip(question.buckets, steps, came, strict=True)
    ]
    head = [question.step_name, *_heads(), _("Feeds that never answered"), _("New posts")]
    total = together(one for one in steps if one)
    return Table(_("All feeds"), head, rows, [*total.cells, None, sum(came)])


def _heads() -> list[str]:
    return [
        _("Polls"),
        _("Polls that failed"),
        _("Time to answer (ms), on average"),
        _("Longest time to answer (ms)"),
    ]


def _by_feed(
    feeds: list[Any], polls: dict[tuple[int, int], Polls], posts: dict[tuple[int, int], int]
) -> Table:
    """The worst first."""
    polls_by_feed: dict[int, list[Polls]] = {}
    for (pk, _place), one in polls.items():
        polls_by_feed.setdefault(pk, []).append(one)
    came: Counter[int] = Counter()
    for (pk, _place), number in posts.items():
        came[pk] += number
    rows = [
        Row(
            str(feed),
            [
                str(Health(feed.health).label),
                *together(polls_by_feed.get(feed.pk, [])).cells,
                came[feed.pk],
            ],
            url=reverse("newsletter_feeds:inspect", args=[feed.pk]),
        )
        for feed in feeds
    ]
    head = [_("Feed"), _("Now"), *_heads(), _("New posts")]
    return Table(_("Feed by feed"), head, rows, as_given=True)


def _standing(feeds: list[Any]) -> str:
    if not feeds:
        return ""
    bad = sum(feed.health in PROBLEMS for feed in feeds)
    wanted = ngettext(
        "%(count)d feed wants somebody to look at it.",
        "%(count)d feeds want somebody to look at them.",
        bad,
    )
    return wanted % {"count": bad} if bad else _("No feed wants anything at the moment.")


def _note() -> str:
    return _(
        "Polls are remembered for %(days)d days; new posts for as long as the articles are kept. A "
        "poll that failed has no time to answer."
    ) % {"days": HISTORY_DAYS}
