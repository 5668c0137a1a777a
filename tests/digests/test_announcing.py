"""A draft is ready: editors learn of it once, in their language, unless they want no such mail."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from wagtail.users.models import UserProfile

from newsletter.digests.announcing import announce
from newsletter.digests.editors import EditorMail
from newsletter.digests.models import Digest
from tests.builders import NOW, make_article, make_digest, make_newsletter
from tests.digests.test_unapproved import make_user as approver
from tests.django_mail import LOCMEM, NOBODY_LISTENS, SMTP, send_through

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def draft(**fields: Any) -> Digest:
    newsletter = make_newsletter(**{"frequency": "weekly", "language": "en"} | fields)
    articles = [make_article(), make_article()]
    return make_digest(newsletter, articles=articles, slot=NOW + DAY)


def make_editor(name: str) -> Any:
    user = approver(name, approves=False)
    user.user_permissions.add(Permission.objects.get(codename="change_digest"))
    return user


def test_editors_are_told_once_what_is_proposed_and_what_waits():
    digest = draft(name="Settimanale")
    make_article(accepted=False)
    make_editor("nadia")
    approver("senza-diritto", approves=False)
    assert announce(now=NOW) == [digest]
    assert announce(now=NOW + timedelta(minutes=1)) == []
    (message,) = mail.outbox
    assert message.to == ["nadia@union.example"]
    assert message.subject == "Draft ready: Settimanale N. 1"
    assert "2 articles are proposed" in message.body
    assert "1 article more waits in the inbox." in message.body
    assert "Thursday 16 July, 11:00" in message.body
    assert f"/admin/bollettino/digests/edit/{digest.pk}/" in message.body
    assert "/admin/account/" in message.body


def test_everybody_reads_their_own_language():
    draft()
    UserProfile.objects.create(user=make_editor("nadia"), preferred_language="it")
    make_editor("tom")
    announce(now=NOW)
    assert [one.subject.split(":")[0] for one in mail.outbox] == ["Bozza pronta", "Draft ready"]


def test_who_switched_it_off_gets_none():
    draft()
    EditorMail.objects.create(user=make_editor("nadia"), draft_ready=False)
    EditorMail.objects.create(user=make_editor("bruno"), slot_near=False)
    announce(now=NOW)
    assert [one.to for one in mail.outbox] == [["bruno@union.example"]]


@pytest.mark.parametrize(
    "fields",
    [{"window_end": None}, {"slot": NOW - DAY}, {"status": "held"}, {"approved_at": NOW}],
    ids=["made by hand", "its time has passed", "held", "approved"],
)
def test_no_mail_about(fields: dict[str, Any]):
    digest = draft()
    Digest.objects.filter(pk=digest.pk).update(**fields)
    make_editor("nadia")
    assert announce(now=NOW) == []
    assert mail.outbox == []


def test_without_a_mail_server_it_is_tried_again(settings: Any):
    digest = draft()
    make_editor("nadia")
    send_through(settings, SMTP, port=NOBODY_LISTENS)
    assert announce(now=NOW) == []
    send_through(settings, LOCMEM)
    assert announce(now=NOW) == [digest]


class Vanishes(EmailBackend):
    """Takes the mail, and is gone before it says so."""

    def send_messages(self, email_messages: Any) -> int:
        super().send_messages(email_messages)
        raise SMTPServerDisconnected("gone")


def test_a_mail_that_may_have_gone_out_is_not_sent_again(settings: Any):
    draft()
    make_editor("nadia")
    send_through(settings, f"{__name__}.Vanishes")
    announce(now=NOW)
    announce(now=NOW)
    assert len(mail.outbox) == 1
