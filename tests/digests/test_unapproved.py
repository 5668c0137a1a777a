"""Drafts that nobody approved in time."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from newsletter.digests.models import Digest
from newsletter.digests.unapproved import drafts_to_send_unapproved, hold_unapproved, remind
from tests.builders import NOW, make_article, make_digest, make_newsletter
from tests.django_mail import LOCMEM, NOBODY_LISTENS, SMTP, send_through

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def draft(slot: Any = NOW, **fields: Any) -> Digest:
    newsletter = make_newsletter(**{"frequency": "weekly"} | fields)
    return make_digest(newsletter, articles=[make_article()], slot=slot)


def make_user(name: str, *, approves: bool = True, **fields: Any) -> Any:
    user = get_user_model().objects.create_user(
        name, **{"email": f"{name}@union.example", "password": "x"} | fields
    )
    if approves:
        user.user_permissions.add(Permission.objects.get(codename="approve_digest"))
    return user


def test_a_draft_whose_slot_has_passed_is_held_with_a_reason():
    digest = draft(language="en")
    assert hold_unapproved(now=NOW - HOUR) == []
    assert hold_unapproved(now=NOW) == [digest]
    digest.refresh_from_db()
    assert digest.status == "held"
    assert (
        digest.status_reason == "Nobody approved it in time. It goes out as soon as somebody does."
    )


def test_a_newsletter_may_send_what_nobody_approved():
    digest = draft(when_unapproved="send")
    assert drafts_to_send_unapproved(now=NOW - HOUR) == []
    assert drafts_to_send_unapproved(now=NOW) == [digest]
    assert hold_unapproved(now=NOW) == []


def test_nothing_goes_unapproved_after_the_grace_period():
    digest = draft(when_unapproved="send")
    late = NOW + 13 * HOUR
    assert drafts_to_send_unapproved(now=late) == []
    assert hold_unapproved(now=late) == [digest]


def test_an_urgent_notice_never_goes_unapproved():
    digest = draft(when_unapproved="send", kind="urgent")
    assert drafts_to_send_unapproved(now=NOW) == []
    assert hold_unapproved(now=NOW) == [digest]


def test_a_digest_made_by_hand_has_no_deadline():
    draft(frequency="manual")
    assert hold_unapproved(now=NOW + HOUR) == []


def test_who_may_approve_is_reminded_once():
    digest = draft(language="en")
    make_user("nadia")
    make_user("bruno")
    make_user("senza-diritto", approves=False)
    make_user("senza-posta", email="")
    make_user("andato", is_active=False)
    assert remind(now=NOW - 13 * HOUR) == []
    assert remind(now=NOW - 11 * HOUR) == [digest]
    assert remind(now=NOW - 10 * HOUR) == []
    assert sorted(message.to for message in mail.outbox) == [
        ["bruno@union.example"],
        ["nadia@union.example"],
    ]


def test_the_reminder_says_what_when_and_where():
    draft(name="Settimanale", language="en")
    make_user("nadia")
    remind(now=NOW - HOUR)
    message = mail.outbox[0]
    assert message.subject == "To approve: Settimanale N. 1"
    assert "1 article" in message.body
    # 9:00 in UTC, as clocks show it where the newsletter is at home.
    assert "Wednesday 15 July, 11:00" in message.body
    link = next(line for line in message.body.splitlines() if line.startswith("http"))
    assert link.startswith("http://testserver/admin/")


def test_where_the_newsletter_sends_by_itself_nobody_is_bothered():
    draft(when_unapproved="send")
    make_user("nadia")
    assert remind(now=NOW - HOUR) == []
    assert mail.outbox == []


def test_a_reminder_that_could_not_be_sent_is_tried_again(
    settings: Any, caplog: pytest.LogCaptureFixture
):
    digest = draft()
    make_user("nadia")
    send_through(settings, SMTP, port=NOBODY_LISTENS)
    assert remind(now=NOW - HOUR) == []
    assert "could not be mailed" in caplog.text
    send_through(settings, LOCMEM)
    assert remind(now=NOW - HOUR) == [digest]


class RefusesNadia(EmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        if "nadia@union.example" in email_messages[0].to:
            raise SMTPRecipientsRefused({"nadia@union.example": (550, b"no such user")})
        return super().send_messages(email_messages)


def test_one_editor_who_cannot_be_reached_does_not_cost_the_others_a_mail_a_minute(
    settings: Any, caplog: pytest.LogCaptureFixture
):
    digest = draft()
    for name in ("livia", "nadia", "piero"):
        make_user(name)
    send_through(settings, f"{__name__}.RefusesNadia")
    assert remind(now=NOW - HOUR) == [digest]
    assert remind(now=NOW - HOUR) == []
    assert sorted(one.to[0] for one in mail.outbox) == [
        "livia@union.example",
        "piero@union.example",
    ]
    assert "nadia@" not in caplog.text


def test_who_was_told_of_the_draft_just_now_is_reminded_later():
    digest = draft()
    make_user("nadia")
    Digest.objects.update(announced_at=NOW - 11 * HOUR)
    assert remind(now=NOW - 10 * HOUR) == []
    assert remind(now=NOW - 7 * HOUR) == [digest]
