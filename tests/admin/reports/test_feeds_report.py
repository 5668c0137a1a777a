"""How the feeds are doing: polls, answers, posts, and what nobody remembers."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.reports.feeds import Polls, together
from newsletter.feeds.models import Feed, FetchRecord
from tests.builders import make_article, make_feed

pytestmark = pytest.mark.django_db
URL = reverse("newsletter_reports:feeds")


def poll(feed: Feed, *, days_ago: float = 0, **fields: Any) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    FetchRecord.objects.create(feed=feed, at=at, **{"outcome": "unchanged"} | fields)


def rows(client: Client, query: str = "") -> list[list[str]]:
    response = client.get(f"{URL}?form=csv{query}")
    return list(csv.reader(io.StringIO(response.content.decode())))


def test_polls_are_told_week_by_week_with_what_they_brought(editor: Client) -> None:
    feed = make_feed(title="Il blog")
    poll(feed, duration_ms=100)
    poll(feed, duration_ms=400)
    poll(feed, duration_ms=20_000, outcome="failed")
    make_article(feed=feed, arrived_at=timezone.now(), accepted=False)
    make_article(feed=feed, arrived_at=timezone.now() - timedelta(days=70))
    head, *lines = rows(editor)
    assert head[1:3] == ["Polls", "Polls that failed"]
    assert lines[-1][1:] == ["3", "1", "250", "400", "0", "1"]
    assert sum(int(line[-1]) for line in lines) == 2
    page = editor.get(URL).content.decode()
    assert "Il blog" in page
    assert "No feed wants anything at the moment." in page


def test_a_week_that_is_forgotten_is_unknown_and_not_a_quiet_one(editor: Client) -> None:
    feed = make_feed()
    poll(feed)
    assert rows(editor)[1][1:] == ["0", "0", "", "", "0", "0"]  # before the site was there
    Feed.objects.update(created_at=timezone.now() - timedelta(days=400))
    assert rows(editor)[1][1:] == ["", "", "", "", "", "0"]


def test_feeds_in_trouble_come_first_and_are_counted(editor: Client) -> None:
    make_feed(title="A posto", last_polled_at=timezone.now())
    make_feed(title="Sparito", state=Feed.State.GONE)
    page = editor.get(URL).content.decode()
    assert "1 feed wants somebody to look at it." in page
    assert page.index("Sparito") < page.index("A posto")


def test_a_feed_that_never_answered_is_counted_and_one_bad_poll_is_not(editor: Client) -> None:
    for polls in (1, 3, 3):
        feed = make_feed()
        for _ in range(polls):
            poll(feed, outcome="failed")
    poll(feed)  # the last one answered once
    head, *lines = rows(editor)
    assert head[5] == "Feeds that never answered"
    assert lines[-1][5] == "1"


def test_times_are_averaged_over_answers_not_over_averages() -> None:
    both = together([Polls(asked=1, time=100, slowest=100), Polls(3, 0, 900, 500)])
    assert (both.mean, both.slowest) == (250, 500)
    assert Polls(asked=2, failed=2).mean is None


def test_the_number_of_queries_does_not_grow_with_the_feeds(
    editor: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        feed = make_feed()
        poll(feed, days_ago=20)
        poll(feed)
    editor.get(URL)
    with django_assert_max_num_queries(14):
        editor.get(URL)


def test_no_feed_yet_says_what_to_do(editor: Client) -> None:
    page = editor.get(URL).content.decode()
    assert "There is no feed yet" in page
    assert reverse("newsletter_feeds:index") in page
