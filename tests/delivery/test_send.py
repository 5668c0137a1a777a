"""Sending through a scripted server: what each recipient's state is, and what arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.delivery import claim as claims
from newsletter.delivery import outcome
from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch
from newsletter.delivery.control import cancel, pause, resume, start_due
from newsletter.delivery.handover import HandOver
from newsletter.delivery.models import Batch, Delivery
from newsletter.delivery.progress import progress
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.digests.models import Digest
from newsletter.exceptions import LeaseLost
from newsletter.members.models import Member, Subscription, Suppression
from newsletter.signals import digest_sent
from tests.builders import NOW
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer
from tests.servers import Mailbox

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ANNA, BRUNO, CARLA = "anna@posta.example", "bruno@posta.example", "carla@posta.example"


@pytest.fixture(autouse=True, params=["journal", "database"])
def way_of_noting(
    request: pytest.FixtureRequest, tmp_path: Path, configure: Callable[..., None]
) -> None:
    """Where a sender notes what it has begun: in a file, or in the batch's row."""
    configure(JOURNAL_DIR=str(tmp_path / "journal") if request.param == "journal" else "")


def taken(digest: Digest, clock: Clock) -> HandOver:
    """The digest's next batch, as a sender holds it."""
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    return HandOver(claim, Changes(), now=clock.now)


def test_everybody_gets_one_mail_of_their_own(
    mailbox: Mailbox, configure: Callable[..., None], ready_digest: Ready, clock: Clock
) -> None:
    configure(SMTP_URL=mailbox.url)
    digest = ready_digest(5)
    heard: list[Digest] = []
    digest_sent.connect(lambda digest, **rest: heard.append(digest), weak=False, dispatch_uid="t")
    done = send_batches(digest.pk, clock=clock)
    digest_sent.disconnect(dispatch_uid="t")
    assert done.finished
    assert sorted(mail.recipients for mail in mailbox.received) == [
        (f"persona{number}@posta.example",) for number in range(1, 6)
    ]
    assert len({mail.message["Message-ID"] for mail in mailbox.received}) == 5
    assert {mail.sender for mail in mailbox.received} == {"bollettino@union.example"}
    assert all("l’accordo è firmato" in mail.html + mail.text for mail in mailbox.received)
    digest.refresh_from_db()
    assert (digest.status, digest.sent_at) == (Digest.Status.SENT, clock.now)
    # The mail server's name for it is kept.
    assert {row.detail.split()[-1] for row in digest.deliveries.all()} == set("12345")


def test_sending_again_sends_nothing_again(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(3)
    send_batches(digest.pk, clock=clock)
    send_batches(digest.pk, clock=clock)
    sweep(now=clock.forward(hours=1))
    send_batches(digest.pk, clock=clock)
    assert len(smtp.received) == 3


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_bad_address_stops_nobody_else(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, pipelining: bool
) -> None:
    if not pipelining:
        smtp.extensions = ()
    smtp.answer("rcpt", "550 5.1.1 no such user", match=BRUNO)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {ANNA: "sent", BRUNO: "failed", CARLA: "sent"}
    refused = delivery_to(digest, BRUNO)
    assert (refused.smtp_code, refused.reason) == (550, Delivery.Reason.REFUSED)
    assert refused.detail == "5.1.1 no such user"
    sweep(now=clock.forward(days=1))
    send_batches(digest.pk, clock=clock)
    assert len([line for line in smtp.commands if BRUNO in line]) == 1


@pytest.mark.parametrize("code", [450, 451, 452])
@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "reply"])
def test_a_temporary_refusal_is_tried_again_later_and_delays_nobody(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, phase: str, code: int
) -> None:
    match = "" if phase == "mail" else BRUNO
    digest = ready_digest([BRUNO, CARLA])
    smtp.rules.clear()
    smtp.answer(phase, f"{code} 4.2.0 later", match=match, times=1)
    assert not send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {BRUNO: "deferred", CARLA: "sent"}
    assert delivery_to(digest, BRUNO).next_attempt_at == clock.now + timedelta(minutes=5)
    clock.forward(minutes=4)
    assert sweep(now=clock.now).to_ring == ()
    clock.forward(minutes=1)
    assert sweep(now=clock.now).to_ring == (digest.pk,)
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {BRUNO: "sent", CARLA: "sent"}
    assert len(smtp.received) == 2


def test_retries_grow_apart_and_end_at_the_deadline(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    configure(DELIVERY_DEADLINE_HOURS=14)
    smtp.answer("rcpt", "451 4.3.0 later")
    digest = ready_digest([ANNA])
    gaps: list[float] = []
    while (row := delivery_to(digest, ANNA)).state != Delivery.State.FAILED:
        began = clock.now
        send_batches(digest.pk, clock=clock)
        row.refresh_from_db()
        assert row.next_attempt_at is not None
        gaps.append((row.next_attempt_at - began).total_seconds() / 60)
        clock.now = row.next_attempt_at
        sweep(now=clock.now)
    assert gaps[:5] == [5, 15, 30, 67, 67]
    assert sum(gaps) == pytest.approx(14 * 60, abs=67)
    assert row.reason == Delivery.Reason.EXPIRED
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT


@pytest.mark.parametrize("code", [550, 552, 554])
@pytest.mark.parametrize("phase", ["rcpt", "data", "reply"])
def test_a_permanent_refusal_is_final(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, phase: str, code: int
) -> None:
    smtp.answer(phase, f"{code} 5.0.0 no", match=BRUNO)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {ANNA: "sent", BRUNO: "failed", CARLA: "sent"}


def test_a_refused_sender_pauses_the_digest_before_it_costs_everybody_their_mail(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("mail", "550 5.7.1 sender not allowed")
    digest = ready_digest(20)
    send_batches(digest.pk, clock=clock)
    digest.refresh_from_db()
    assert digest.paused_at is not None
    assert "sender not allowed" in digest.status_reason
    shown = progress(digest)
    assert (shown.states["deferred"], shown.states["pending"]) == (3, 17)

    smtp.forget_rules()
    resume(digest.pk, now=clock.forward(minutes=10))
    assert send_batches(digest.pk, clock=clock).finished
    assert len(smtp.received) == 20


def test_a_server_that_hangs_up_after_a_refusal_has_refused_all_the_same(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    gone = [f"via{number}@posta.example" for number in range(4)]
    for address in gone:
        smtp.answer("rcpt", "550 5.1.1 no such user", match=address)
    smtp.hang_up("rset", times=4)
    digest = ready_digest([*gone, ANNA])
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == dict.fromkeys(gone, "failed") | {ANNA: "sent"}


def test_what_the_server_says_is_kept_without_the_address(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    smtp.answer("rcpt", f"550 5.1.1 <{BRUNO}>: Recipient address rejected", match=BRUNO)
    smtp.answer("rcpt", f"421 4.7.0 {CARLA} wait, please", match=CARLA)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    send_batches(digest.pk, clock=clock)
    row = delivery_to(digest, BRUNO)
    assert row.detail == "5.1.1 (address): Recipient address rejected"
    digest.refresh_from_db()
    kept = [*Delivery.objects.values_list("detail", flat=True), digest.status_reason, caplog.text]
    assert not [text for text in kept if "@posta.example" in text]


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("window", [1, 4])
def test_a_connection_that_breaks_before_the_final_dot_loses_and_doubles_nothing(
    smtp: ScriptedServer,
    ready_digest: Ready,
    clock: Clock,
    configure: Callable[..., None],
    phase: str,
    window: int,
) -> None:
    configure(IN_FLIGHT=window)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    smtp.hang_up(phase, match="" if phase == "mail" else BRUNO)
    send_batches(digest.pk, clock=clock)
    assert "uncertain" not in states(digest).values()
    send_batches(digest.pk, clock=clock)
    clock.forward(minutes=5)
    send_batches(digest.pk, clock=clock)
    assert set(states(digest).values()) == {"sent"}
    assert sorted(mail.recipients[0] for mail in smtp.received) == [ANNA, BRUNO, CARLA]


@pytest.mark.parametrize("phase", ["greeting", "ehlo"])
def test_a_server_that_hangs_up_at_the_door_costs_nothing(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, phase: str
) -> None:
    digest = ready_digest(3)
    smtp.hang_up(phase)
    first = send_batches(digest.pk, clock=clock)
    assert first.ended == "server"
    digest.refresh_from_db()
    assert "mail server" in digest.status_reason
    assert set(states(digest).values()) == {"pending"}
    assert sweep(now=clock.now).to_ring == (digest.pk,)
    assert send_batches(digest.pk, clock=clock).finished
    digest.refresh_from_db()
    assert digest.status_reason == ""
    assert len(smtp.received) == 3


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("phase", ["reply", "body"])
def test_silence_after_the_final_dot_is_uncertain_and_never_sent_again_blindly(
    smtp: ScriptedServer,
    ready_digest: Ready,
    clock: Clock,
    configure: Callable[..., None],
    phase: str,
    kept: bool,
    window: int,
) -> None:
    configure(IN_FLIGHT=window)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    kept = kept and phase == "reply"
    if kept:
        smtp.keep_and_hang_up(match=BRUNO)
    else:
        # "body": a short message is wholly in the network's hands before the break is noticed.
        smtp.hang_up(phase, match=BRUNO)
    assert not send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "sent"}
    for _ in range(3):
        sweep(now=clock.forward(hours=1))
        send_batches(digest.pk, clock=clock)
    assert len(smtp.of(BRUNO)) == int(kept)
    digest.refresh_from_db()
    # Not finished: somebody has to say what became of it.
    assert digest.status == Digest.Status.SENDING


def test_one_poisonous_message_does_not_hold_up_the_rest_for_ever(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.hang_up("rcpt", match=ANNA, times=1_000)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {ANNA: "deferred", BRUNO: "sent", CARLA: "sent"}


def test_a_server_that_closes_idle_connections_delays_nobody(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.hang_up("mail", match="MAIL")  # the first of them…
    smtp.rules.clear()
    digest = ready_digest([ANNA, BRUNO, CARLA])
    smtp.hang_up("rcpt", match=BRUNO)  # …after the connection had served Anna
    assert send_batches(digest.pk, clock=clock).finished
    assert set(states(digest).values()) == {"sent"}


def test_421_closes_the_connection_and_loses_nothing(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("rcpt", "421 4.3.2 shutting down", match=BRUNO, times=1)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    send_batches(digest.pk, clock=clock)
    assert set(states(digest).values()) == {"sent"}
    assert len(smtp.received) == 3


def test_who_leaves_while_it_is_sent_gets_nothing(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    people = [f"{name}@posta.example" for name in ("anna", "bruno", "carla", "dario", "elio")]
    digest = ready_digest(people)
    _, bruno, carla, dario, elio = Member.objects.order_by("pk")
    Subscription.objects.filter(member=bruno).update(state=Subscription.State.ENDED)
    Subscription.objects.filter(member=carla).update(paused_until=clock.now + timedelta(days=7))
    Suppression.objects.create(
        address_hash=dario.address_hash, reason=Suppression.Reason.COMPLAINT, created_at=NOW
    )
    elio.delete()
    assert send_batches(digest.pk, clock=clock).finished
    assert [mail.recipients[0] for mail in smtp.received] == [people[0]]
    shown = progress(digest)
    assert shown.reasons == {
        ("skipped", "unsubscribed"): 1,
        ("skipped", "paused"): 1,
        ("skipped", "suppressed"): 1,
        ("skipped", "erased"): 1,
    }
    assert shown.adds_up


def test_who_leaves_between_rcpt_and_data_gets_nothing(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA])
    batch = taken(digest, clock)
    rows = batch.next_rows(after=0, limit=1, now=clock.now)
    Subscription.objects.update(state=Subscription.State.ENDED)
    assert not batch.begin(rows, now=clock.now)
    again = batch.next_rows(after=0, limit=1, now=clock.now)
    assert [row.obstacle for row in again] == [Delivery.Reason.UNSUBSCRIBED]


def test_when_the_check_cannot_be_made_nothing_is_sent(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO])

    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if "newsletter_suppression" in sql:
            raise RuntimeError("the database is gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken), pytest.raises(RuntimeError):
        send_batches(digest.pk, clock=clock)
    assert smtp.received == []
    assert set(states(digest).values()) == {"pending"}
    assert send_batches(digest.pk, clock=clock).finished


def test_cancelling_while_it_is_sent_lets_nothing_more_out(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(10)

    def stop() -> bool:
        if len(smtp.received) == 4:
            cancel(digest.pk, now=clock.now)
        return False

    done = send_batches(digest.pk, clock=clock, stop=stop)
    assert done.ended in ("", "cancelled")
    assert len(smtp.received) == 4
    shown = progress(digest)
    assert (shown.states["sent"], shown.states["skipped"], shown.left) == (4, 6, 0)
    digest.refresh_from_db()
    assert digest.status == Digest.Status.CANCELLED


def test_a_mail_refused_for_now_after_a_cancellation_is_not_left_open(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("reply", "451 4.3.0 later")
    digest = ready_digest([ANNA])
    send_batches(digest.pk, clock=clock)
    # The cancellation was committed while the worker waited for this answer.
    Digest.objects.filter(pk=digest.pk).update(status=Digest.Status.CANCELLED)
    sweep(now=clock.forward(minutes=1))
    assert states(digest) == {ANNA: "skipped"}


def test_evidence_that_cannot_be_read_does_not_keep_lost_work_from_being_found(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    configure(EVIDENCE=[{"class": "newsletter.delivery.no_such_module.Log"}])
    digest = ready_digest([ANNA])
    assert sweep(now=clock.now).to_ring == (digest.pk,)


def test_a_paused_digest_waits_and_goes_on_where_it_was(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(10)

    def stop() -> bool:
        if len(smtp.received) == 4:
            pause(digest.pk, now=clock.now)
        return False

    assert send_batches(digest.pk, clock=clock, stop=stop).ended == "paused"
    assert len(smtp.received) == 4
    assert sweep(now=clock.forward(hours=30)).to_ring == ()
    assert resume(digest.pk, now=clock.now)
    assert sweep(now=clock.now).to_ring == (digest.pk,)
    assert send_batches(digest.pk, clock=clock).finished
    assert len(smtp.received) == 10


def test_a_worker_stops_when_its_time_is_used_and_another_goes_on(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    configure(BATCH_SIZE=4)
    digest = ready_digest(10)

    def stop() -> bool:
        clock.forward(seconds=1)
        return False

    assert send_batches(digest.pk, clock=clock, budget=timedelta(seconds=5), stop=stop).ended
    assert 0 < len(smtp.received) < 10
    assert send_batches(digest.pk, clock=clock).finished
    assert len(smtp.received) == 10


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("journal", [True, False])
def test_a_sender_that_stops_within_a_group_leaves_nothing_in_doubt(
    smtp: ScriptedServer,
    ready_digest: Ready,
    clock: Clock,
    configure: Callable[..., None],
    journal: bool,
    paused: bool,
) -> None:
    configure(IN_FLIGHT=5, **({} if journal else {"JOURNAL_DIR": ""}))
    digest = ready_digest(12)

    def stop() -> bool:
        if len(smtp.received) < 2:
            return False
        if paused:
            pause(digest.pk, now=clock.now)
        return not paused

    assert send_batches(digest.pk, clock=clock, stop=stop).ended == ("paused" if paused else "stop")
    assert set(states(digest).values()) == {"sent", "pending"}
    resume(digest.pk, now=clock.now)
    assert send_batches(digest.pk, clock=clock).finished
    assert len({mail.recipients[0] for mail in smtp.received}) == len(smtp.received) == 12


def test_a_stale_workers_writes_are_refused(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    # With a journal, nobody on its own machine takes its batch: see test_journal.
    configure(JOURNAL_DIR="")
    digest = ready_digest([ANNA, BRUNO])
    batch = taken(digest, clock)
    rows = batch.next_rows(after=0, limit=1, now=clock.now)
    begun_at = clock.now
    assert batch.begin(rows, now=begun_at)
    clock.forward(seconds=121)
    swept = sweep(now=clock.now)
    assert (swept.released, swept.uncertain) == (1, 1)
    # Evidence is looked for around the attempt, not around the sweep.
    assert delivery_to(digest, ANNA).changed_at == begun_at
    late = outcome.Outcome(rows[0].delivery_id, Delivery.State.SENT)
    batch.note(late)
    with pytest.raises(LeaseLost):
        batch.begin(rows, now=clock.now)
    with pytest.raises(LeaseLost):
        batch.fold(now=clock.now)
    with pytest.raises(LeaseLost):
        batch.end(now=clock.now)
    assert states(digest) == {ANNA: "uncertain", BRUNO: "pending"}
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {ANNA: "uncertain", BRUNO: "sent"}


def test_a_worker_that_keeps_working_keeps_its_batch(ready_digest: Ready, clock: Clock) -> None:
    digest = ready_digest(3)
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    for _ in range(10):
        claims.renew(claim, now=clock.forward(seconds=60))
        assert sweep(now=clock.now).released == 0
    assert claim_batch(digest.pk, owner="b", now=clock.now) is None


def test_an_international_address_is_reached_or_refused_by_name(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(["anna@città.example", BRUNO])
    Member.objects.filter(address=BRUNO).update(address="brunò@posta.example")
    smtp.extensions = ("PIPELINING",)
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {"anna@xn--citt-3na.example": "sent", "brunò@posta.example": "failed"}
    assert delivery_to(digest, "brunò@posta.example").reason == Delivery.Reason.ADDRESS


def test_a_mailbox_name_with_accents_is_reached_where_the_server_can(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([BRUNO])
    Member.objects.update(address="brunò@posta.example")
    assert send_batches(digest.pk, clock=clock).finished
    assert [mail.message["To"] for mail in smtp.of("brunò@posta.example")] == [
        "brunò@posta.example"
    ]
    assert any(line.endswith("SMTPUTF8") for line in smtp.commands)


def test_an_address_with_a_line_end_reaches_no_command(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO])
    evil = "x@posta.example>\r\nRCPT TO:<vittima@posta.example"
    Member.objects.filter(address=ANNA).update(address=evil)
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {evil: "failed", BRUNO: "sent"}
    assert not any("vittima" in line for line in smtp.commands)


def test_editing_after_approval_changes_no_copy(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO])
    Digest.objects.update(subject="Un altro titolo")
    digest.newsletter.sender_name = "Qualcun altro"
    digest.newsletter.save()
    send_batches(digest.pk, clock=clock)
    assert {mail.subject for mail in smtp.received} == {"Le notizie della settimana"}
    assert {mail.message["From"].addresses[0].display_name for mail in smtp.received} == {
        "Il Bollettino"
    }


def test_a_digest_whose_time_passed_during_a_long_downtime_is_held(
    ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(2, started=False)
    assert start_due(now=clock.forward(hours=13)) == []
    digest.refresh_from_db()
    assert digest.status == Digest.Status.HELD
    assert "12" in digest.status_reason


def test_a_restored_backup_sends_nothing_without_a_persons_word(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(2)  # as the backup has it: on its way
    clock.forward(days=3)
    assert sweep(now=clock.now).to_ring == ()
    digest.refresh_from_db()
    assert digest.status == Digest.Status.HELD
    send_batches(digest.pk, clock=clock)
    assert smtp.received == []


def test_a_group_in_flight_costs_one_commit(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    def commits(window: int) -> int:
        configure(IN_FLIGHT=window, JOURNAL_DIR="")
        Delivery.objects.update(state=Delivery.State.PENDING)
        Batch.objects.update(state=Batch.State.OPEN)
        Digest.objects.update(status=Digest.Status.SENDING)
        with CaptureQueriesContext(connection) as queries:
            send_batches(digest.pk, clock=clock)
        return sum("SET begun_first" in one["sql"] for one in queries)

    digest = ready_digest(12)
    assert commits(1) - commits(12) == 11
    assert len(smtp.received) == 24


def test_a_mail_costs_no_more_looks_at_the_database_than_it_must(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(41)
    with CaptureQueriesContext(connection) as queries:
        send_batches(digest.pk, clock=clock)
    # On PostgreSQL a note and a look, as in a test's transaction nothing is announced; on SQLite
    # two changes between a savepoint's two ends.
    each = 2 if connection.vendor == "postgresql" else 4
    assert len(queries) <= 41 * each + 50


def test_log_lines_carry_no_address(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    smtp.answer("rcpt", "550 5.1.1 no such user", match=BRUNO)
    smtp.keep_and_hang_up(match=CARLA)
    send_batches(ready_digest([ANNA, BRUNO, CARLA]).pk, clock=clock)
    assert "@posta.example" not in caplog.text
