"""A feed's month as a drawing, and as a sentence."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from newsletter.desk.plots import DAYS, Day, answer_times, in_words, last_days, sparkline
from newsletter.feeds.models import Feed, FetchRecord
from tests.builders import NOW, make_feed

DAY = date(2026, 7, 15)


def record(feed: Feed, days_ago: float, **fields: Any) -> FetchRecord:
    defaults = {"outcome": FetchRecord.Outcome.UNCHANGED}
    return FetchRecord.objects.create(
        feed=feed, at=NOW - timedelta(days=days_ago), **defaults | fields
    )


@pytest.mark.django_db
def test_each_feeds_days_are_counted_with_one_query(django_assert_num_queries: Any) -> None:
    first, second = make_feed(), make_feed()
    record(first, 0, articles_new=2, outcome="new")
    record(first, 0.1, articles_new=1, outcome="new")
    record(first, 3, outcome="failed")
    record(first, 40, articles_new=9, outcome="new")
    record(second, 1)
    with django_assert_num_queries(1):
        found = last_days([first.pk, second.pk], now=NOW)
    days = found[first.pk]
    assert len(days) == DAYS
    assert (days[-1].articles, days[-4].failures) == (3, 1)
    assert sum(day.articles for day in days) == 3
    assert in_words(found[second.pk]) == "0 new articles in 30 days"


def test_the_drawing_says_the_same_in_words() -> None:
    days = [Day(DAY, articles=2), Day(DAY, failures=3), Day(DAY, articles=1)]
    assert 'aria-label="3 new articles in 3 days; fetches failed on 1 day"' in sparkline(days)
    assert 'role="img"' in sparkline(days)


def test_a_bar_stands_for_articles_and_a_cross_for_failures() -> None:
    def shapes(*days: Day) -> tuple[int, int]:
        drawn = sparkline(days)
        bars = drawn.partition('__bars" d="')[2].partition('"')[0]
        crosses = drawn.partition('__crosses" d="')[2].partition('"')[0]
        return bars.count("z"), crosses.count("l4 4")

    assert shapes(Day(DAY)) == (0, 0)
    assert shapes(Day(DAY, articles=5), Day(DAY, articles=1), Day(DAY)) == (2, 0)
    assert shapes(Day(DAY, failures=5), Day(DAY, articles=1, failures=1)) == (1, 2)
    assert shapes() == (0, 0)


@pytest.mark.django_db
def test_times_to_answer_are_drawn_with_the_longest_in_words() -> None:
    feed = make_feed()
    fetches = [record(feed, 2, duration_ms=120), record(feed, 1, duration_ms=4000)]
    failed = record(feed, 0, outcome="failed", duration_ms=20000)
    assert "at most 4000 ms" in answer_times(fetches)
    assert "l6 6" not in answer_times(fetches)
    assert "l6 6" in answer_times([failed])
    assert "<svg" in answer_times([record(feed, 0)])
