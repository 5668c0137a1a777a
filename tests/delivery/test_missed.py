"""A finished digest is sent to those who missed it, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch
from newsletter.delivery.control import cancel, finish, pause
from newsletter.delivery.handover import HandOver
from newsletter.delivery.ledger import DigestStopped
from newsletter.delivery.message_id import message_id
from newsletter.delivery.missed import call_off, is_worth_a_retry, missed, retry_missed
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.progress import progress
from newsletter.delivery.reconcile import resolve
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.desk.alarms import every_alarm
from newsletter.digests.models import Digest
from newsletter.exceptions import DigestNotReady
from newsletter.members.models import Subscription
from tests.admin.conftest import client_for
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ANNA, BRUNO, CARLA = "anna@posta.example", "bruno@posta.example", "carla@posta.example"
DARIO, EVA = "dario@posta.example", "eva@posta.example"


@pytest.fixture
def finished(smtp: ScriptedServer, ready_digest: Ready, clock: Clock) -> Digest:
    """Anna has it; Bruno and Carla were refused for its content, Dario does not exist, and to Eva
    it was tried until the deadline."""
    smtp.answer("reply", "554 5.7.1 looks like spam", match=BRUNO)
    smtp.answer("reply", "554 5.7.1 looks like spam", match=CARLA)
    smtp.answer("rcpt", "550 5.1.1 no such user", match=DARIO)
    smtp.answer("rcpt", "450 4.2.0 later", match=EVA)
    digest = ready_digest([ANNA, BRUNO, CARLA, DARIO, EVA])
    send_batches(digest.pk, clock=clock)
    sweep(now=clock.forward(days=6))
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT
    smtp.forget_rules()
    return digest


def test_exactly_the_missed_get_it_once_and_the_counts_add_up(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    Subscription.objects.filter(member__address=CARLA).update(state=Subscription.State.ENDED)
    assert retry_missed(finished.pk, now=clock.now) == 2
    with pytest.raises(DigestNotReady):
        retry_missed(finished.pk, now=clock.now)
    began = finished.sending_at
    assert sweep(now=clock.now).to_ring == (finished.pk,)
    assert send_batches(finished.pk, clock=clock).finished
    sweep(now=clock.forward(hours=1))
    assert states(finished) == {
        ANNA: "sent", BRUNO: "sent", CARLA: "failed", DARIO: "failed", EVA: "sent"
    }  # fmt: skip
    assert [len(smtp.of(one)) for one in (ANNA, BRUNO, CARLA, DARIO, EVA)] == [1, 1, 0, 0, 1]
    assert sorted(smtp.message_ids) == sorted(
        message_id(delivery_to(finished, one)) for one in (ANNA, BRUNO, EVA)
    )
    finished.refresh_from_db()
    assert (finished.status, finished.sending_at) == (Digest.Status.SENT, began)
    assert progress(finished).adds_up
    assert missed(finished, now=clock.now) == []


def test_whoever_leaves_after_the_retry_was_pressed_gets_nothing(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    retry_missed(finished.pk, now=clock.now)
    Subscription.objects.filter(member__address=BRUNO).update(state=Subscription.State.ENDED)
    assert send_batches(finished.pk, clock=clock).finished
    assert states(finished)[BRUNO] == "skipped"
    assert smtp.of(BRUNO) == []


def test_a_retry_that_is_called_off_ends_at_once_and_may_be_taken_up_again(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    smtp.answer("rcpt", "450 4.2.0 later", match=EVA, times=1)
    retry_missed(finished.pk, now=clock.now)
    send_batches(finished.pk, clock=clock)
    assert states(finished)[EVA] == "deferred"
    assert call_off(finished.pk, now=clock.forward(minutes=1)) == 1
    finished.refresh_from_db()
    assert finished.status == Digest.Status.SENT
    assert (delivery_to(finished, EVA).state, delivery_to(finished, EVA).reason) == (
        "failed", "called_off"
    )  # fmt: skip
    with pytest.raises(DigestNotReady):
        call_off(finished.pk, now=clock.now)
    assert not send_batches(finished.pk, clock=clock).counts
    assert retry_missed(finished.pk, now=clock.forward(hours=1)) == 1
    assert send_batches(finished.pk, clock=clock).finished
    assert [len(smtp.of(one)) for one in (BRUNO, CARLA, EVA)] == [1, 1, 1]


def test_a_retry_that_was_interrupted_for_too_long_is_held_and_can_be_called_off(
    finished: Digest, clock: Clock
) -> None:
    retry_missed(finished.pk, now=clock.now)
    assert sweep(now=clock.forward(days=3)).held == (finished.pk,)
    finished.refresh_from_db()
    assert finished.status_reason == (
        "The retry was interrupted for too long. Send it now or call off the retry."
    )
    overview = reverse("newsletter_digests:overview", args=[finished.pk])
    moderator = client_for("moderator")
    assert "Call off the retry" in moderator.get(overview).content.decode()
    moderator.post(reverse("newsletter_digests:action", args=[finished.pk, "call-off"]))
    finished.refresh_from_db()
    assert (finished.status, finished.status_reason) == (Digest.Status.SENT, "")
    assert not Delivery.objects.filter(state="pending").exists()


def test_the_alarm_of_a_paused_retry_says_what_can_be_done_with_it(
    finished: Digest, clock: Clock
) -> None:
    retry_missed(finished.pk, now=clock.now)
    pause(finished.pk, now=clock.now)
    [alarm] = [one for one in every_alarm(now=clock.now) if one.kind == "paused"]
    assert alarm.what == "has been paused for less than a minute"
    assert alarm.advice == "Resume it on its page, or call off the retry."


def test_a_retry_that_begins_while_somebody_closes_the_issue_is_not_closed_with_it(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    Digest.objects.filter(pk=finished.pk).update(status=Digest.Status.SENDING, sent_at=None)
    others: list[int] = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "newsletter_digest"') and not others:
            others.append(0)
            assert finish(finished.pk, now=clock.now)
            others.append(retry_missed(finished.pk, now=clock.now))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        assert not finish(finished.pk, now=clock.now)
    assert others == [0, 3]
    assert send_batches(finished.pk, clock=clock).counts == {"sent": 3}


def test_who_was_tried_again_and_refused_meanwhile_is_not_tried_by_an_older_look(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    """Two people press the button; the one whose look is older comes after the other's retry."""
    smtp.answer("reply", "554 5.7.1 looks like spam", match=BRUNO)
    others: list[int] = []

    def between(execute: Any, sql: str, *rest: Any) -> Any:
        if not others and sql.startswith("UPDATE"):
            others.append(0)
            with_all = retry_missed(finished.pk, now=clock.forward(minutes=1))
            others[0] = with_all
            send_batches(finished.pk, clock=clock)
        return execute(sql, *rest)

    with (
        connection.execute_wrapper(between),
        pytest.raises(DigestNotReady, match="Somebody else"),
    ):
        retry_missed(finished.pk, now=clock.now)
    assert others == [3]
    finished.refresh_from_db()
    assert finished.status == Digest.Status.SENT
    assert delivery_to(finished, BRUNO).state == Delivery.State.FAILED


def test_an_uncertain_mail_is_not_sent_again_once_its_retry_was_called_off(
    finished: Digest, clock: Clock
) -> None:
    retry_missed(finished.pk, now=clock.now)
    unsure = delivery_to(finished, EVA)
    Delivery.objects.filter(pk=unsure.pk).update(state="uncertain")
    call_off(finished.pk, now=clock.now)
    assert resolve(unsure.pk, "resend", now=clock.now)
    assert (delivery_to(finished, EVA).state, delivery_to(finished, EVA).reason) == (
        "failed", "called_off"
    )  # fmt: skip


def test_a_sender_stops_at_the_mail_in_its_hands_when_its_retry_is_called_off(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    retry_missed(finished.pk, now=clock.now)
    batch = HandOver(claim_batch(finished.pk, owner="a", now=clock.now), Changes(), now=clock.now)
    bruno, *_others = batch.next_rows(after=0, limit=3, now=clock.now)
    assert batch.begin([bruno], now=clock.now)
    assert call_off(finished.pk, now=clock.now) == 0
    with pytest.raises(DigestStopped):
        batch.next_rows(after=bruno.delivery_id, limit=3, now=clock.now)
    batch.note(Outcome(bruno.delivery_id, Delivery.State.SENT, "", 250, "2.0.0 Ok"))
    batch.end(now=clock.now)
    assert states(finished) == {
        ANNA: "sent", BRUNO: "sent", CARLA: "failed", DARIO: "failed", EVA: "failed"
    }  # fmt: skip
    sweep(now=clock.now)
    finished.refresh_from_db()
    assert finished.status == Digest.Status.SENT


def test_a_retry_is_tried_until_a_deadline_of_its_own_and_stays_an_issue_that_was_sent(
    smtp: ScriptedServer, finished: Digest, clock: Clock
) -> None:
    smtp.answer("rcpt", "450 4.2.0 later", match=BRUNO)
    retry_missed(finished.pk, now=clock.now)
    with pytest.raises(DigestNotReady):
        cancel(finished.pk, now=clock.now)
    send_batches(finished.pk, clock=clock)
    sweep(now=clock.forward(minutes=1))
    assert states(finished)[BRUNO] == "deferred"
    sweep(now=clock.forward(days=6))
    finished.refresh_from_db()
    assert (finished.status, states(finished)[BRUNO]) == (Digest.Status.SENT, "failed")


@pytest.mark.parametrize(
    ("reason", "code", "detail", "worth"),
    [
        ("expired", 450, "4.2.0 later", True),
        ("content", 554, "5.7.1 spam", True),
        ("content", 550, "5.1.1 no such user", False),
        ("refused", 550, "5.7.1 your server is listed", True),
        ("refused", 552, "5.2.2 mailbox full", True),
        ("refused", 552, "mailbox full", True),
        ("refused", 550, "5.1.1 no such user", False),
        ("refused", 550, "User unknown", False),
        ("refused", 550, "5.2.1 disabled", False),
        ("address", 550, "5.6.7 no SMTPUTF8", False),
    ],
)
def test_only_what_may_have_gone_is_worth_a_retry(
    reason: str, code: int, detail: str, worth: bool
) -> None:
    assert is_worth_a_retry(reason, code, detail) is worth


def test_the_page_offers_it_with_the_number_and_the_history_tells(finished: Digest) -> None:
    overview = reverse("newsletter_digests:overview", args=[finished.pk])
    action = reverse("newsletter_digests:action", args=[finished.pk, "retry-missed"])
    editor, moderator = client_for("editor"), client_for("moderator")
    assert "Retry only the missed" not in editor.get(overview).content.decode()
    editor.post(action)
    assert not Delivery.objects.filter(state="pending").exists()
    page = moderator.get(overview).content.decode()
    assert "3 readers missed it for a reason that may have gone." in page
    moderator.post(action)
    assert Delivery.objects.filter(state="pending").count() == 3
    history = reverse("newsletter_digests:history", args=[finished.pk])
    assert "Sent it again to those who missed it" in moderator.get(history).content.decode()
    assert "Call off the retry" in moderator.get(overview).content.decode()
    moderator.post(reverse("newsletter_digests:action", args=[finished.pk, "call-off"]))
    assert not Delivery.objects.filter(state="pending").exists()
    page = moderator.get(overview).content.decode()
    assert "3 readers missed it for a reason that may have gone." in page
    assert "Call off the retry" not in page


def test_the_command_says_how_many_and_then_does_it(finished: Digest) -> None:
    said = StringIO()
    call_command("retry_missed", finished.pk, dry_run=True, stdout=said)
    assert "3 would be tried again" in said.getvalue()
    assert not Delivery.objects.filter(state="pending").exists()
    call_command("retry_missed", finished.pk, stdout=said)
    assert Delivery.objects.filter(state="pending").count() == 3
    call_command("retry_missed", finished.pk, call_off=True, stdout=said)
    assert "called off, 3 were not tried again" in said.getvalue()
    assert not Delivery.objects.filter(state="pending").exists()
