"""What people and the clock decide about a whole issue, and what its dates tell afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from newsletter.delivery.claim import claim_batch, give_back
from newsletter.delivery.control import finish, pause, resume, send_now
from newsletter.delivery.missed import retry_missed
from newsletter.delivery.models import Delivery
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.desk.alarms import every_alarm
from newsletter.digests.models import Digest
from tests.builders import NOW
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
Configure = Callable[..., None]
ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"


def test_an_issue_keeps_the_time_it_first_went_out_whatever_interrupts_it(
    smtp: ScriptedServer, ready_digest: Ready, configure: Configure, clock: Clock
) -> None:
    smtp.answer("reply", "554 5.7.1 looks like spam", match=BRUNO)
    digest = ready_digest([ANNA, BRUNO])
    configure(QUIET_HOURS="10:00-12:00")
    assert send_batches(digest.pk, clock=clock, sleep=clock.wait).ended == "pace"
    pause(digest.pk, now=clock.forward(hours=1))
    resume(digest.pk, now=clock.forward(hours=30))
    assert send_batches(digest.pk, clock=clock, sleep=clock.wait).finished
    smtp.forget_rules()
    retry_missed(digest.pk, now=clock.forward(hours=1))
    assert sweep(now=clock.forward(days=1)).held == (digest.pk,)
    send_now(digest.pk, now=clock.now)
    assert send_batches(digest.pk, clock=clock, sleep=clock.wait).finished
    digest.refresh_from_db()
    assert digest.sending_at == NOW
    assert states(digest) == {ANNA: "sent", BRUNO: "sent"}


def test_a_mail_refused_for_now_is_given_up_at_the_deadline_however_often_the_sending_rests(
    smtp: ScriptedServer, ready_digest: Ready, configure: Configure, clock: Clock
) -> None:
    smtp.answer("rcpt", "450 4.2.0 later", match=BRUNO)
    digest = ready_digest([ANNA, BRUNO])
    configure(QUIET_HOURS="20:00-08:00")
    for _hour in range(5 * 24 + 2):
        send_batches(digest.pk, clock=clock, sleep=clock.wait)
        sweep(now=clock.forward(hours=1))
    assert (delivery_to(digest, BRUNO).state, delivery_to(digest, BRUNO).reason) == (
        "failed", "expired"
    )  # fmt: skip
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT


def test_a_resumed_issue_has_its_whole_time_for_what_was_refused_for_now(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("rcpt", "450 4.2.0 later", match=BRUNO, times=1)
    digest = ready_digest([ANNA, BRUNO])
    send_batches(digest.pk, clock=clock)
    pause(digest.pk, now=clock.forward(minutes=1))
    resume(digest.pk, now=clock.forward(days=6))
    sweep(now=clock.forward(minutes=1))
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {ANNA: "sent", BRUNO: "sent"}


def test_an_issue_paused_at_its_very_last_mail_is_sent_and_no_alarm(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(3)

    def stop() -> bool:
        if len(smtp.received) == 3:
            pause(digest.pk, now=clock.now)
        return False

    send_batches(digest.pk, clock=clock, stop=stop)
    sweep(now=clock.forward(minutes=1))
    digest.refresh_from_db()
    assert (digest.status, digest.paused_at) == (Digest.Status.SENT, None)
    assert every_alarm(now=clock.now) == []


def test_a_paused_issue_that_a_person_sends_now_goes_out(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(2, started=False)
    pause(digest.pk, now=clock.now)
    send_now(digest.pk, now=clock.now)
    assert send_batches(digest.pk, clock=clock).finished
    assert len(smtp.received) == 2


def test_the_log_tells_what_was_paused_and_nothing_that_was_not(
    caplog: pytest.LogCaptureFixture, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(2)
    caplog.clear()
    with caplog.at_level("INFO", logger="newsletter.delivery.control"):
        resume(digest.pk, now=clock.now)
        pause(digest.pk, now=clock.now)
        pause(digest.pk, now=clock.now)
    assert caplog.messages == [f"Digest {digest.pk} paused by None"]


def test_an_issue_is_not_closed_while_a_sender_still_holds_a_batch(
    ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(2)
    claim = claim_batch(digest.pk, owner="one", now=clock.now)
    assert claim is not None
    Delivery.objects.update(state=Delivery.State.SENT)  # written already, as every second
    assert not finish(digest.pk, now=clock.now)
    give_back(claim, in_doubt=[], now=clock.now)
    assert finish(digest.pk, now=clock.now)


def test_what_was_being_sent_before_the_upgrade_keeps_its_deadline(
    ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(2)
    retried_at = NOW + timedelta(days=2)
    Digest.objects.update(going_since=None, sent_at=retried_at)
    upgrade = import_module("newsletter.migrations.0039_going_since")
    upgrade.take_over(apps, None)
    digest.refresh_from_db()
    assert (digest.sending_at, digest.going_since) == (NOW, retried_at)
