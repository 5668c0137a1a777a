"""How the list grew and shrank, told by what members and mail servers did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone

from newsletter.digests.models import Newsletter
from newsletter.members.growth import Change, changes_since, people_now, size_now, sizes
from newsletter.members.models import Member, Suppression
from newsletter.members.rights import erase
from newsletter.members.signup import add_member
from newsletter.members.subscriptions import subscribe, unsubscribe
from newsletter.members.suppression import suppress
from tests.builders import NOW, make_member, make_newsletter

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def place(column: str) -> Any:
    """0 before NOW, 1 from then on."""
    return Case(
        When(**{f"{column}__lt": NOW}, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )


def changes(newsletter: Newsletter | None) -> dict[int, Change]:
    return changes_since(
        NOW - WEEK, newsletter, told_at=place("at"), suppressed_at=place("created_at")
    )


@pytest.fixture
def weekly() -> Newsletter:
    return make_newsletter("Ogni settimana")


@pytest.fixture
def daily() -> Newsletter:
    return make_newsletter("Ogni giorno")


def added(*newsletters: Newsletter, at: Any = NOW - timedelta(days=1), name: str = "a") -> Member:
    return add_member(
        f"{name}@posta.example", list(newsletters), [], language="it", now=at, source="x"
    )


def test_who_is_added_joins_each_newsletter_once(weekly: Newsletter, daily: Newsletter) -> None:
    added(weekly, daily)
    assert changes(weekly) == changes(daily) == {0: Change(joined=1)}
    assert changes(None) == {0: Change(joined=2)}
    assert (size_now(weekly), size_now(None), people_now()) == (1, 2, 1)


def test_who_leaves_and_comes_back_is_counted_each_time(weekly: Newsletter) -> None:
    member = added(weekly)
    unsubscribe(member, weekly, now=NOW, source="mail")
    unsubscribe(member, weekly, now=NOW, source="mail")
    assert changes(weekly)[1] == Change(left=1)
    subscribe(member, weekly, now=NOW + WEEK, source="preferences")
    assert changes(weekly)[1] == Change(joined=1, left=1)
    assert size_now(weekly) == 1


def test_who_was_erased_still_counts_as_one_that_came_and_went(
    weekly: Newsletter, daily: Newsletter
) -> None:
    erase(added(weekly, daily), now=NOW)
    assert changes(weekly) == {0: Change(joined=1), 1: Change(left=1)}
    assert changes(None) == {0: Change(joined=2), 1: Change(left=2)}
    assert size_now(None) == people_now() == 0


def test_a_suppressed_address_leaves_every_list_it_is_on(
    weekly: Newsletter, daily: Newsletter
) -> None:
    member = added(weekly, daily)
    suppress(member.address_hash, Suppression.Reason.BOUNCE, now=NOW)
    suppress("0" * 64, Suppression.Reason.MANUAL, now=NOW)  # of nobody here
    assert changes(weekly)[1] == Change(suppressed=1)
    assert changes(None)[1] == Change(suppressed=2)
    assert size_now(weekly) == 0
    # Who leaves although suppressed goes once, not twice.
    unsubscribe(member, weekly, now=NOW, source="mail")
    assert changes(weekly)[1] == Change(left=1)


def test_a_slug_that_begins_like_another_is_another_newsletter(weekly: Newsletter) -> None:
    longer = make_newsletter("Ogni settimana in breve")
    joker = make_newsletter("Altro", slug="ogni_settimana")
    added(longer)
    assert changes(weekly) == changes(joker) == {}
    assert changes(longer)[0].joined == 1


@pytest.mark.parametrize(
    ("now", "net", "after", "expected"),
    [
        (10, [3, -1, 2], 0, [9, 8, 10]),
        (10, [3], 4, [6]),
        (5, [], 0, []),
        (0, [5], 3, [0]),  # never fewer than nobody, whatever was not told
    ],
)
def test_sizes_are_worked_out_backwards(
    now: int, net: list[int], after: int, expected: list[int]
) -> None:
    assert sizes(now, net, after=after) == expected


def test_sizes_agree_with_what_happened(weekly: Newsletter) -> None:
    make_member(newsletter=weekly)  # before anything was told
    first = added(weekly, at=NOW - timedelta(days=2), name="b")
    added(weekly, at=NOW + timedelta(days=1), name="c")
    added(weekly, at=NOW + timedelta(days=1), name="d")
    suppress(first.address_hash, Suppression.Reason.COMPLAINT, now=NOW + timedelta(days=2))
    found = changes(weekly)
    assert sizes(size_now(weekly), [found[0].net, found[1].net]) == [2, 3]
    assert timezone.is_aware(NOW)
