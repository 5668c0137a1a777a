"""What became of each issue's mails, also of those that are forgotten."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Delivery, Exclusion
from newsletter.delivery.progress import outcomes, progress
from newsletter.delivery.retention import forget_deliveries
from newsletter.digests.models import Digest, Newsletter
from newsletter.members.models import Member
from newsletter.members.subscriptions import unsubscribe
from tests.admin.conftest import client_for
from tests.builders import make_article, make_digest, make_member, make_newsletter

pytestmark = pytest.mark.django_db
URL = reverse("newsletter_reports:deliveries")


def send(newsletter: Newsletter, *, days_ago: float, states: tuple[str, ...] = ()) -> Digest:
    """An issue that went to everybody; the last members' mails end in `states`."""
    at = timezone.now() - timedelta(days=days_ago)
    digest = make_digest(newsletter, articles=[make_article(themes=["Pensioni"])], slot=at)
    approve(digest.pk, now=at)
    rows = list(digest.deliveries.order_by("-pk"))
    digest.deliveries.update(state=Delivery.State.SENT)
    for row, state in zip(rows, states, strict=False):
        reason = "unsubscribed" if state == Delivery.State.SKIPPED else "refused"
        Delivery.objects.filter(pk=row.pk).update(state=state, reason=reason)
    Digest.objects.filter(pk=digest.pk).update(
        status=Digest.Status.SENT, sending_at=at, sent_at=at + timedelta(hours=1)
    )
    return digest


@pytest.fixture
def weekly() -> Newsletter:
    newsletter = make_newsletter()
    for _ in range(6):
        make_member(newsletter=newsletter)
    return newsletter


def rows(client: Client, query: str = "") -> list[list[str]]:
    response = client.get(f"{URL}?form=csv{query}")
    assert response["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(response.content.decode())))


def test_each_issue_tells_what_became_of_its_mails(editor: Client, weekly: Newsletter) -> None:
    make_member(newsletter=weekly, themes=["Salute"])
    send(weekly, days_ago=10, states=("failed", "uncertain", "skipped"))
    send(weekly, days_ago=3)
    head, first, second = rows(editor)
    assert head == [
        "Issue", "Mails sent", "Mails refused", "Outcome uncertain",
        "Not sent: Unsubscribed meanwhile", "Left out: Nothing in their themes",
    ]  # fmt: skip
    assert first[1:] == ["3", "1", "1", "1", "1"]
    assert second[1:] == ["6", "0", "0", "0", "1"]
    page = editor.get(URL).content.decode()
    assert "Mails sent: 9 in all, at most 6" in page
    assert "no rates of opening or clicking" in page


@pytest.mark.parametrize("reason", [Delivery.Reason.EXPIRED, Delivery.Reason.CALLED_OFF])
def test_what_was_given_up_is_not_counted_as_refused(
    editor: Client, weekly: Newsletter, reason: str
) -> None:
    digest = send(weekly, days_ago=3, states=("failed", "failed"))
    late = digest.deliveries.filter(state=Delivery.State.FAILED).first()
    Delivery.objects.filter(pk=late.pk).update(reason=reason)
    head, row = rows(editor)
    assert head[1:4] == ["Mails sent", "Mails refused", "Mails given up"]
    assert row[1:4] == ["4", "1", "1"]
    assert "Mails given up: 1 in all" in editor.get(URL).content.decode()


def test_the_numbers_stay_when_the_deliveries_are_forgotten(
    editor: Client, weekly: Newsletter
) -> None:
    send(weekly, days_ago=300, states=("failed", "skipped"))
    before = rows(editor, "&period=1y")
    assert forget_deliveries(now=timezone.now()) == 6
    assert rows(editor, "&period=1y") == before
    assert not Delivery.objects.exists()


def test_outcomes_of_many_are_what_each_ones_progress_says(weekly: Newsletter) -> None:
    digests = [send(weekly, days_ago=300, states=("failed", "skipped")), send(weekly, days_ago=3)]
    member = make_member()
    Exclusion.objects.create(digest=digests[1], member=member, reason="paused")
    forget_deliveries(now=timezone.now())
    assert outcomes([one.pk for one in digests]) == {one.pk: progress(one) for one in digests}
    assert outcomes([]) == {}


def test_who_leaves_after_an_issue_is_put_down_to_the_latest_before(
    moderator: Client, weekly: Newsletter
) -> None:
    send(weekly, days_ago=30)
    send(weekly, days_ago=10)
    send(weekly, days_ago=8)
    now = timezone.now()
    for member, days in zip(Member.objects.all(), (29, 15, 9, 7, 7), strict=False):
        unsubscribe(member, weekly, now=now - timedelta(days=days), source="mail")
    head, *lines = rows(moderator)
    assert head[-1] == "Unsubscribed afterwards"
    assert [line[-1] for line in lines] == ["1", "1", "2"]


def test_who_left_is_for_those_who_may_see_members(editor: Client, weekly: Newsletter) -> None:
    send(weekly, days_ago=3)
    assert "Unsubscribed afterwards" not in rows(editor)[0]


def test_one_newsletter_is_chosen_in_the_address(editor: Client, weekly: Newsletter) -> None:
    other = make_newsletter("=Avvisi")
    make_member(newsletter=other)
    send(weekly, days_ago=5)
    send(other, days_ago=4)
    assert len(rows(editor)) == 3
    (line,) = rows(editor, f"&newsletter={other.slug}")[1:]
    # What a spreadsheet would take for a formula is none in the file.
    assert line[0].startswith("'=Avvisi N. 1 (")


def test_the_form_keeps_a_preset_and_months_alike(editor: Client, weekly: Newsletter) -> None:
    make_newsletter("Avvisi")
    page = editor.get(f"{URL}?period=1y").content.decode()
    assert '<input type="hidden" name="period" value="1y">' in page
    page = editor.get(f"{URL}?from=2026-01&to=2026-02").content.decode()
    assert 'value="2026-01"' in page
    assert 'name="period"' not in page


def test_issues_are_counted_together_by_month_when_asked(
    editor: Client, weekly: Newsletter
) -> None:
    send(weekly, days_ago=1)
    send(weekly, days_ago=1.5)
    send(weekly, days_ago=400)
    head, *lines = rows(editor, "&period=1y&by=month")
    assert head[:3] == ["Month", "Issues", "Mails sent"]
    assert len(lines) == 12
    assert sum(int(line[1]) for line in lines) == 2
    assert sum(int(line[2]) for line in lines) == 12


def test_the_number_of_queries_does_not_grow_with_the_issues(
    moderator: Client, weekly: Newsletter, django_assert_max_num_queries: Any
) -> None:
    for days in range(1, 20):
        send(weekly, days_ago=days)
    with django_assert_max_num_queries(22):
        assert moderator.get(URL).status_code == 200


def test_nothing_sent_yet_says_what_to_do(editor: Client, weekly: Newsletter) -> None:
    page = editor.get(URL).content.decode()
    assert "No issue has gone out yet" in page
    assert reverse("newsletter_digests:list") in page
    send(weekly, days_ago=300)
    assert "No issue went out in this time" in editor.get(URL).content.decode()


def test_reports_stand_in_the_menu_of_who_may_see_them(weekly: Newsletter) -> None:
    home = reverse("wagtailadmin_home")
    assert URL in client_for("editor").get(home).content.decode()
    nobody = client_for("nobody").get(home)
    assert URL not in nobody.content.decode()
