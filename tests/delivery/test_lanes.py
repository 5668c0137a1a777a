"""A sender's two connections to one mail server."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from newsletter.delivery.control import cancel
from newsletter.delivery.models import Delivery
from newsletter.delivery.send import Round, send_batches
from newsletter.digests.models import Digest
from newsletter.members.models import Member
from newsletter.members.rights import erase
from tests.builders import NOW
from tests.delivery.conftest import Clock
from tests.delivery.scripted_server import ScriptedServer

Ready = Callable[..., Digest]
MANY = 30


def recipients(smtp: ScriptedServer) -> Counter[str]:
    return Counter(address for mail in smtp.received for address in mail.recipients)


def test_the_next_mail_travels_meanwhile_and_ends_only_after_the_answer(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(MANY)
    smtp.slow = 0.01
    send_batches(digest.pk, clock=clock)
    assert smtp.connections == 2
    assert smtp.most_at_once == 1  # never a second one whose fate is not known
    assert len(recipients(smtp)) == MANY == len(smtp.received)


def test_a_few_mails_are_not_worth_a_second_connection(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    send_batches(ready_digest(5).pk, clock=clock)
    assert (smtp.connections, len(smtp.received)) == (1, 5)


def test_a_first_batch_of_a_few_does_not_keep_the_others_on_one_connection(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    configure(BATCH_SIZE=20)
    digest = ready_digest(40)
    first = Delivery.objects.filter(digest=digest).order_by("pk").values_list("pk", flat=True)
    Delivery.objects.filter(pk__in=list(first[:15])).update(state=Delivery.State.SENT)
    send_batches(digest.pk, clock=clock)
    assert (smtp.connections, len(smtp.received)) == (2, 25)


def test_a_sender_is_one_connection_where_these_are_counted(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    configure(RATE_LIMITS={"server": {"connections": 4}})
    send_batches(ready_digest(MANY).pk, clock=clock)
    assert (smtp.connections, len(smtp.received)) == (1, MANY)


def test_a_server_that_wants_one_connection_gets_all_mails_on_it(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("greeting", "421 4.7.0 too many connections", match="connection 2")
    digest = ready_digest(MANY)
    assert send_batches(digest.pk, clock=clock).finished
    assert smtp.connections == 2
    assert len(recipients(smtp)) == MANY == len(smtp.received)
    digest.refresh_from_db()
    assert digest.status_reason == ""


@pytest.mark.parametrize("phase", ["mail", "rcpt", "data", "body"])
def test_a_connection_that_breaks_takes_no_answer_of_the_other_with_it(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, phase: str
) -> None:
    digest = ready_digest(MANY)
    smtp.hang_up(phase, match="persona15@posta.example")
    for _minute in range(10):
        send_batches(digest.pk, clock=clock)
        clock.forward(minutes=6)
    assert len(recipients(smtp)) == MANY == len(smtp.received)
    assert not Delivery.objects.exclude(state=Delivery.State.SENT).exists()


def test_only_the_mail_that_got_no_answer_is_in_doubt(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(MANY)
    smtp.keep_and_hang_up(match="persona15@posta.example")
    send_batches(digest.pk, clock=clock)
    unsure = Delivery.objects.filter(state=Delivery.State.UNCERTAIN)
    assert [row.member.address for row in unsure if row.member] == ["persona15@posta.example"]
    assert len(recipients(smtp)) == MANY == len(smtp.received)


def test_every_refusal_is_of_the_member_that_was_refused(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(MANY)
    smtp.answer("reply", "554 5.7.1 no", match="persona7@posta.example")
    smtp.answer("rcpt", "550 5.1.1 gone", match="persona8@posta.example")
    smtp.answer("reply", "451 4.3.0 later", match="persona9@posta.example")
    send_batches(digest.pk, clock=clock)
    others = Delivery.objects.exclude(state=Delivery.State.SENT).select_related("member")
    assert {row.member.address: (row.state, row.smtp_code) for row in others if row.member} == {
        "persona7@posta.example": ("failed", 554),
        "persona8@posta.example": ("failed", 550),
        "persona9@posta.example": ("deferred", 451),
    }


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("journal", [True, False])
def test_a_mail_that_has_travelled_to_its_dot_is_kept_back_when_its_member_leaves(
    smtp: ScriptedServer, ready_digest: Ready, configure: Callable[..., None],
    tmp_path: object, journal: bool,
) -> None:  # fmt: skip
    configure(JOURNAL_DIR=str(tmp_path) if journal else "")
    digest = ready_digest(MANY)
    smtp.hold_after(4)
    done: list[Round] = []
    sender = threading.Thread(target=lambda: done.append(_send(digest)))
    sender.start()
    next_one = Delivery.objects.filter(digest=digest).order_by("pk")[4].member
    assert next_one is not None
    _wait_for(lambda: smtp.is_holding and _is_on_its_way(smtp, next_one))
    erase(next_one, NOW)
    smtp.release()
    sender.join()
    assert done[0].finished
    assert next_one.address not in recipients(smtp)
    assert len(recipients(smtp)) == MANY - 1 == len(smtp.received)


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
def test_a_cancellation_stops_a_mail_that_has_travelled_to_its_dot(
    smtp: ScriptedServer, ready_digest: Ready
) -> None:
    digest = ready_digest(MANY)
    smtp.hold_after(4)
    sender = threading.Thread(target=lambda: _send(digest))
    sender.start()
    fifth = Delivery.objects.filter(digest=digest).order_by("pk")[4].member
    assert fifth is not None
    _wait_for(lambda: smtp.is_holding and _is_on_its_way(smtp, fifth))
    cancel(digest.pk, now=NOW)
    smtp.release()
    sender.join()
    assert len(smtp.received) == 4
    counts = Counter(Delivery.objects.filter(digest=digest).values_list("state", flat=True))
    assert counts == {"sent": 4, "skipped": MANY - 4}


def _send(digest: Digest) -> Round:
    try:
        return send_batches(digest.pk)
    finally:
        connection.close()


def _is_on_its_way(smtp: ScriptedServer, member: Member) -> bool:
    return any(f"<{member.address}>" in command for command in list(smtp.commands))


def _wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)
