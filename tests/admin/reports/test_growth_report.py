"""The list's growth and what came back, as pages and files."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.bounces.models import Bounce, BounceCount
from newsletter.delivery.bounces.receiving import forget_bounces
from newsletter.desk.reports.bounces import came_back
from newsletter.desk.reports.periods import asked
from newsletter.desk.reports.report import Question
from newsletter.digests.models import Newsletter
from newsletter.members.signup import add_member
from newsletter.members.subscriptions import unsubscribe
from tests.builders import make_digest, make_member, make_newsletter

pytestmark = pytest.mark.django_db
GROWTH = reverse("newsletter_reports:growth")
BOUNCES = reverse("newsletter_reports:bounces")


@pytest.fixture
def weekly() -> Newsletter:
    return make_newsletter()


def rows(client: Client, url: str, query: str = "") -> list[list[str]]:
    response = client.get(f"{url}?form=csv{query}")
    return list(csv.reader(io.StringIO(response.content.decode())))


def bounce(newsletter: Newsletter, kind: str, *, days_ago: float) -> Bounce:
    at = timezone.now() - timedelta(days=days_ago)
    digest = make_digest(newsletter, slot=at)
    member = make_member(newsletter=newsletter)
    return Bounce.objects.create(
        digest=digest, member=member, address_hash=member.address_hash, kind=kind,
        source=Bounce.Source.MAIL, mailed_on=at.date(), received_at=at,
    )  # fmt: skip


def test_the_list_is_told_week_by_week(moderator: Client, weekly: Newsletter) -> None:
    now = timezone.now()
    members = [
        add_member(f"p{n}@posta.example", [weekly], [], language="it", source="x",
                   now=now - timedelta(days=21))
        for n in range(4)
    ]  # fmt: skip
    unsubscribe(members[0], weekly, now=now, source="mail")
    head, *lines = rows(moderator, GROWTH)
    assert head == [
        "Week from",
        "Newly confirmed",
        "Unsubscribed",
        "Suppressed",
        "Change",
        "Size at the end",
    ]
    assert len(lines) == 26
    assert date.fromisoformat(lines[-1][0]).weekday() == 0
    assert lines[-4][1:] == ["4", "0", "0", "4", "4"]
    assert lines[-1][1:] == ["0", "1", "0", "-1", "3"]
    page = moderator.get(GROWTH).content.decode()
    assert "Subscriptions: from 0 to 3, at most 4" in page
    assert "posta.example" not in page


def test_an_empty_list_says_where_people_sign_up(moderator: Client) -> None:
    page = moderator.get(GROWTH).content.decode()
    assert "Nobody has subscribed yet" in page
    assert reverse("newsletter:subscribe") in page


def test_what_came_back_is_told_by_kind(moderator: Client, weekly: Newsletter) -> None:
    bounce(weekly, "gone", days_ago=0)
    bounce(weekly, "passing", days_ago=0)
    bounce(weekly, "complaint", days_ago=8)
    head, *lines = rows(moderator, BOUNCES)
    assert head[2:] == [
        "The mailbox does not exist", "Full or out of reach for now",
        "The server refuses our mail, whoever it is for", "Reported as spam",
    ]  # fmt: skip
    assert lines[-1][2:] == ["1", "1", "0", "0"]
    assert sum(int(line[-1]) for line in lines) == 1
    assert "posta.example" not in moderator.get(BOUNCES).content.decode()


def test_counts_stay_when_it_is_forgotten_which_mails_came_back(
    moderator: Client, weekly: Newsletter
) -> None:
    other = make_newsletter("Avvisi")
    for days in (200, 200, 190, 10):
        bounce(weekly, "gone", days_ago=days)
    bounce(other, "complaint", days_ago=200)
    before = rows(moderator, BOUNCES, "&period=1y")
    assert forget_bounces(now=timezone.now()) == 4
    assert forget_bounces(now=timezone.now()) == 0
    assert rows(moderator, BOUNCES, "&period=1y") == before
    assert Bounce.objects.count() == 1
    # One that is older than what was forgotten is added to the same day's.
    bounce(weekly, "gone", days_ago=200)
    forget_bounces(now=timezone.now())
    assert sum(BounceCount.objects.values_list("number", flat=True)) == 5
    chosen = rows(moderator, BOUNCES, f"&period=1y&newsletter={other.slug}")
    assert sum(int(line[-1]) for line in chosen[1:]) == 1


def test_a_day_begins_at_midnight_here_before_and_after_it_is_forgotten(weekly: Newsletter) -> None:
    """Half past midnight on the first of the month in Rome is the day before in Greenwich."""
    zone = timezone.get_default_timezone()
    at = datetime(2026, 4, 1, 0, 30, tzinfo=zone)
    Bounce.objects.filter(pk=bounce(weekly, "gone", days_ago=1).pk).update(received_at=at)
    period = asked({"from": "2026-03", "to": "2026-04", "by": "month"}, today=date(2026, 5, 1))
    question = Question(period, None, zone, timezone.now())
    assert came_back(question) == {(1, "gone"): 1}
    forget_bounces(now=at + timedelta(days=400))
    assert came_back(question) == {(1, "gone"): 1}


def test_pages_take_few_queries_however_much_there_is(
    moderator: Client, weekly: Newsletter, django_assert_max_num_queries: Any
) -> None:
    for days in range(12):
        bounce(weekly, "gone", days_ago=days * 9)
    for url in (GROWTH, BOUNCES):
        moderator.get(url)
        with django_assert_max_num_queries(20):
            moderator.get(url)


def test_nothing_came_back_is_good_news_with_a_doubt(moderator: Client) -> None:
    assert "No mail has come back so far" in moderator.get(BOUNCES).content.decode()
