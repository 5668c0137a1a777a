"""How a feed is doing: alarm is given for what lasts, not for one bad fetch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from newsletter.feeds.health import Health, troubled, what_to_do, with_health
from newsletter.feeds.models import Feed
from tests.builders import NOW, make_feed

pytestmark = pytest.mark.django_db
YESTERDAY = NOW - timedelta(hours=25)
JUST_NOW = NOW - timedelta(minutes=20)


def health_of(**fields: Any) -> str:
    feed = make_feed(**{"last_polled_at": JUST_NOW, "last_success_at": JUST_NOW} | fields)
    found: str = with_health(Feed.objects.all(), now=NOW).get(pk=feed.pk).health
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Health.WORKING),
        ({"last_polled_at": None, "last_success_at": None}, Health.WAITING),
        ({"failures": 1, "last_success_at": YESTERDAY}, Health.SHAKY),
        ({"failures": 12}, Health.SHAKY),
        ({"failures": 3, "last_success_at": YESTERDAY}, Health.SILENT),
        ({"failures": 20, "state": Feed.State.FAILING}, Health.STOPPED),
        ({"failures": 1, "state": Feed.State.GONE}, Health.GONE),
        ({"failures": 9, "last_success_at": YESTERDAY, "state": "paused"}, Health.PAUSED),
    ],
)
def test_one_word_says_how_a_feed_is_doing(fields: dict[str, Any], expected: Health) -> None:
    assert health_of(**fields) == expected


def test_a_feed_that_never_answered_is_called_silent_a_day_after_it_was_added() -> None:
    feed = make_feed(failures=5, last_polled_at=JUST_NOW)
    Feed.objects.filter(pk=feed.pk).update(created_at=NOW - timedelta(hours=2))
    assert not troubled(now=NOW)
    Feed.objects.filter(pk=feed.pk).update(created_at=YESTERDAY)
    assert [one.health for one in troubled(now=NOW)] == [Health.SILENT]


def test_a_move_is_told_only_when_it_cannot_be_followed() -> None:
    fields = {"last_polled_at": JUST_NOW, "moved_to": "https://new.example/feed/", "moved_seen": 3}
    make_feed(**fields)
    assert not troubled(now=NOW)
    Feed.objects.update(moved_seen=1)
    make_feed("https://new.example/feed/", last_polled_at=JUST_NOW, last_success_at=JUST_NOW)
    assert not troubled(now=NOW)  # some sites announce a move during an outage
    Feed.objects.exclude(moved_to="").update(moved_seen=3)
    assert [one.health for one in troubled(now=NOW)] == [Health.MOVED]


def test_the_worst_stand_first() -> None:
    make_feed(failures=4, last_success_at=YESTERDAY, title="A")
    make_feed(state=Feed.State.GONE, title="B")
    make_feed(state=Feed.State.FAILING, title="C")
    make_feed(title="D")
    assert [feed.title for feed in troubled(now=NOW)] == ["B", "C", "A"]


@pytest.mark.parametrize("health", [one for one in Health if one not in ("working", "waiting")])
def test_whatever_is_not_right_comes_with_something_to_do(health: Health) -> None:
    assert what_to_do(health, "an_unknown_code")


def test_what_to_do_depends_on_what_went_wrong() -> None:
    codes = ["http_403", "http_404", "tls", "private_address", "too_large"]
    assert len({what_to_do(Health.SILENT, code) for code in codes}) == len(codes)
