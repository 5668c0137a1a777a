"""Mails that came back, as a delegate and an operator see them."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.bounces.models import Bounce, MailboxLook, ReportCount
from newsletter.delivery.freeze import approve
from newsletter.desk.alarms import send_alarms
from newsletter.digests.models import Digest
from newsletter.members.models import Member, Suppression
from tests.admin.conftest import client_for
from tests.builders import make_article, make_digest, make_member, make_newsletter

pytestmark = pytest.mark.django_db
Kind = Bounce.Kind


@pytest.fixture
def moderator() -> Client:
    return client_for("moderator")


@pytest.fixture
def digest(db: None) -> Digest:
    make_newsletter()
    return make_digest(articles=[make_article()])


def came_back(digest: Digest, member: Member, kind: Bounce.Kind, **fields: Any) -> Bounce:
    now = timezone.now()
    defaults: dict[str, Any] = {
        "source": Bounce.Source.MAIL, "mailed_on": now.date(), "received_at": now,
    }  # fmt: skip
    return Bounce.objects.create(
        digest=digest, member=member, address_hash=member.address_hash, kind=kind,
        **defaults | fields,
    )  # fmt: skip


def listed(client: Client, **query: str) -> str:
    return client.get(reverse("newsletter_bounces:index"), query).content.decode()


def test_the_list_says_what_happened_and_what_follows(moderator: Client, digest: Digest) -> None:
    anna, bruno = make_member("anna@posta.example"), make_member("bruno@posta.example")
    came_back(digest, anna, Kind.GONE)
    came_back(digest, bruno, Kind.ABOUT_US, status="5.7.1", detail="550 5.7.1 blocked")
    shown = listed(moderator)
    assert "The mailbox does not exist" in shown
    assert "Is still mailed" in shown
    assert "550 5.7.1 blocked" in shown
    assert "whoever runs the site must look at it" in shown
    Suppression.objects.create(
        address_hash=anna.address_hash, reason="bounce", created_at=timezone.now()
    )
    assert "Gets no mail any more" in listed(moderator)
    only = listed(moderator, kind="about_us")
    assert "bruno@posta.example" in only
    assert "anna@posta.example" not in only


def test_a_member_is_found_by_the_whole_address_only(moderator: Client, digest: Digest) -> None:
    anna = make_member("anna@posta.example")
    came_back(digest, anna, Kind.GONE)
    page = reverse("newsletter_members:inspect", args=[anna.pk])
    assert page in listed(moderator, q="Anna@posta.example")
    assert page not in listed(moderator, q="posta.example")
    assert "No mail to this address has come back" in listed(moderator, q="posta.example")


def test_a_members_page_says_how_near_they_are_to_being_given_up(
    moderator: Client, digest: Digest
) -> None:
    anna = make_member("anna@posta.example")
    page = reverse("newsletter_members:inspect", args=[anna.pk])
    assert 'id="desk-bounces"' not in moderator.get(page).content.decode()
    came_back(digest, anna, Kind.PASSING)
    assert "0.5 of 5 points" in moderator.get(page).content.decode()
    Bounce.objects.update(kind=Kind.GONE)
    assert "If that happens on another day" in moderator.get(page).content.decode()


def test_a_digests_page_says_what_came_back(moderator: Client, digest: Digest) -> None:
    page = reverse("newsletter_digests:overview", args=[digest.pk])
    make_member(newsletter=digest.newsletter)
    approve(digest.pk, now=timezone.now())
    assert "<h3>Mails that came back" not in moderator.get(page).content.decode()
    for kind in (Kind.GONE, Kind.COMPLAINT, Kind.GONE):
        came_back(digest, make_member(), kind)
    shown = moderator.get(page).content.decode()
    assert "The mailbox does not exist (2)" in shown
    assert "Reported as spam (1)" in shown


def test_what_speaks_against_the_server_alarms_the_desk(digest: Digest) -> None:
    for number in range(3):
        came_back(digest, make_member(), Kind.ABOUT_US, status=f"5.7.{number}")
    came_back(digest, make_member(), Kind.GONE)
    [alarm] = send_alarms(now=timezone.now())
    assert alarm.what.startswith("3 mails were refused because of the server")
    assert send_alarms(now=timezone.now() + timedelta(days=8)) == []


def test_a_mailbox_that_cannot_be_read_for_an_hour_alarms_the_desk(
    settings: Any, moderator: Client
) -> None:
    now = timezone.now()
    look = MailboxLook.objects.create(
        looked_at=now, read_at=now - timedelta(minutes=50), problem="The mailbox is locked."
    )
    settings.NEWSLETTER = settings.NEWSLETTER | {"BOUNCE_MAILBOX": "imap://a:b@host"}
    assert send_alarms(now=now) == []
    MailboxLook.objects.update(read_at=None)
    assert [alarm.what for alarm in send_alarms(now=now)] == ["The mailbox is locked."]
    assert "The mailbox is locked." in moderator.get(reverse("wagtailadmin_home")).content.decode()
    MailboxLook.objects.filter(pk=look.pk).update(problem="")
    assert send_alarms(now=now) == []


def told(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("bounces", "--json", *options, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_operators_get_the_same_from_the_command(digest: Digest) -> None:
    for _number in range(2):
        came_back(digest, make_member(), Kind.ABOUT_US, status="5.7.1", server="mx.posta.example",
                  detail="550 5.7.1 blocked")  # fmt: skip
    came_back(digest, make_member(), Kind.GONE)
    came_back(digest, make_member(), Kind.GONE, received_at=timezone.now() - timedelta(days=40))
    ReportCount.objects.create(day=timezone.now().date(), source="mail", worth="not_ours", number=7)
    Suppression.objects.create(address_hash="0", reason="complaint", created_at=timezone.now())
    assert told() == {
        "ok": True,
        "days": 30,
        "came_back": {"about_us": 2, "gone": 1},
        "reports": {"not_ours": 7},
        "suppressed": {"complaint": 1},
        "about_us": [
            {
                "status": "5.7.1",
                "server": "mx.posta.example",
                "words": "550 5.7.1 blocked",
                "mails": 2,
            }
        ],
        "mailbox": None,
    }
    assert told("--days", "60")["came_back"]["gone"] == 2
    out = StringIO()
    call_command("bounces", stdout=out)
    assert "2 × 5.7.1 mx.posta.example 550 5.7.1 blocked" in out.getvalue()
    assert "7 forged" in out.getvalue()


def test_a_digests_status_says_what_came_back(digest: Digest) -> None:
    make_member(newsletter=digest.newsletter)
    approve(digest.pk, now=timezone.now())
    for kind in (Kind.GONE, Kind.ABOUT_US, Kind.ABOUT_US):
        came_back(digest, make_member(), kind)
    out = StringIO()
    call_command("digest_status", digest.pk, stdout=out)
    assert "Came back: 2 about_us, 1 gone." in out.getvalue()


def test_the_command_says_when_there_is_no_mailbox_to_read(db: None) -> None:
    with pytest.raises(CommandError, match="BOUNCE_MAILBOX is empty"):
        call_command("bounces", "--look", stdout=StringIO())


def test_only_who_sees_members_sees_whose_mail_came_back(db: None) -> None:
    answer = client_for("editor").get(reverse("newsletter_bounces:index"))
    assert answer.status_code in (302, 403)
