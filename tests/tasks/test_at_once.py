"""Who says "go" at the desk does not wait for the next tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.delivery import control
from newsletter.delivery.freeze import approve
from newsletter.digests.models import Digest
from tests.builders import make_article, make_digest, make_member, make_newsletter
from tests.servers import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_digest(slot: datetime) -> Digest:
    newsletter = make_newsletter()
    make_member("anna@posta.example", newsletter=newsletter)
    return make_digest(newsletter, articles=[make_article("Adesso")], slot=slot)


@pytest.fixture
def mailing(mailbox: Mailbox, settings) -> Mailbox:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    return mailbox


def test_a_digest_approved_after_its_time_goes_out_without_a_tick(
    bells_answered_at_once: None, mailing: Mailbox
) -> None:
    now = datetime.now(UTC)
    digest = waiting_digest(now - timedelta(minutes=1))
    approve(digest.pk, now=now)
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT
    assert len(mailing.of("anna@posta.example")) == 1


def test_a_digest_approved_in_time_waits_for_its_slot(bells: Callable[[], list[str]]) -> None:
    now = datetime.now(UTC)
    digest = waiting_digest(now + timedelta(hours=3))
    approve(digest.pk, now=now)
    assert bells() == []


def test_send_now_sends_without_a_tick(bells_answered_at_once: None, mailing: Mailbox) -> None:
    now = datetime.now(UTC)
    digest = waiting_digest(now + timedelta(hours=3))
    approve(digest.pk, now=now)
    control.send_now(digest.pk, now=now)
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT
    assert len(mailing.received) == 1


def test_a_digest_paused_while_it_was_going_goes_on_as_soon_as_it_is_resumed(
    bells_answered_at_once: None, mailing: Mailbox
) -> None:
    now = datetime.now(UTC)
    digest = waiting_digest(now - timedelta(minutes=1))
    Digest.objects.filter(pk=digest.pk).update(paused_at=now)
    approve(digest.pk, now=now)
    assert not mailing.received
    control.resume(digest.pk, now=now)
    assert len(mailing.received) == 1


def test_a_resumed_digest_whose_time_has_not_come_is_not_sent(
    bells_answered_at_once: None, mailing: Mailbox
) -> None:
    now = datetime.now(UTC)
    digest = waiting_digest(now + timedelta(hours=3))
    approve(digest.pk, now=now)
    control.pause(digest.pk, now=now)
    control.resume(digest.pk, now=now)
    digest.refresh_from_db()
    assert digest.status == Digest.Status.APPROVED
    assert not mailing.received
