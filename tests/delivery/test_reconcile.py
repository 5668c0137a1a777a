"""Uncertain deliveries: cleared up by the mail server's records or by a person, never blindly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.delivery.evidence import Verdict
from newsletter.delivery.message_id import message_id
from newsletter.delivery.postfix_log import PostfixLog
from newsletter.delivery.reconcile import resolve
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.digests.models import Digest
from tests.builders import NOW
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"

QUEUED = """\
2026-07-15T07:30:00.000000+00:00 mail postfix/smtpd[1]: connect from localhost[127.0.0.1]
2026-07-15T09:00:01.100000+00:00 mail postfix/cleanup[22]: 4F1B2C0AA: message-id={id}
2026-07-15T09:00:01.200000+00:00 mail postfix/qmgr[23]: 4F1B2C0AA: from=<b@union.example>, \
size=8250, nrcpt=1 (queue active)
2026-07-15T09:00:02.000000+00:00 mail postfix/smtp[24]: 4F1B2C0AA: to=<x@y.example>, status=sent
2026-07-15T09:40:00.000000+00:00 mail postfix/anvil[9]: statistics
"""


def uncertain(smtp: ScriptedServer, ready_digest: Ready, clock: Clock, *, kept: bool) -> Digest:
    digest = ready_digest([ANNA, BRUNO])
    if kept:
        smtp.keep_and_hang_up(match=BRUNO)
    else:
        smtp.hang_up("reply", match=BRUNO)
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain"}
    return digest


def log(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mail.log"
    path.write_text(text, encoding="utf-8")
    return str(path)


def use(configure: Callable[..., None], path: str, *, complete: bool) -> None:
    configure(
        EVIDENCE=[
            {
                "class": "newsletter.delivery.postfix_log.PostfixLog",
                "paths": [path],
                "complete": complete,
            }
        ]
    )


def test_what_the_log_shows_as_queued_was_sent(
    smtp: ScriptedServer,
    ready_digest: Ready,
    clock: Clock,
    configure: Callable[..., None],
    tmp_path: Path,
) -> None:
    digest = uncertain(smtp, ready_digest, clock, kept=True)
    text = QUEUED.format(id=message_id(delivery_to(digest, BRUNO)))
    use(configure, log(tmp_path, text), complete=True)
    swept = sweep(now=clock.forward(hours=1))
    assert (swept.reconciled.sent, swept.finished) == (1, (digest.pk,))
    assert delivery_to(digest, BRUNO).reason == "evidence"
    assert len(smtp.of(BRUNO)) == 1


def test_what_a_complete_log_never_saw_is_sent_again(
    smtp: ScriptedServer,
    ready_digest: Ready,
    clock: Clock,
    configure: Callable[..., None],
    tmp_path: Path,
) -> None:
    digest = uncertain(smtp, ready_digest, clock, kept=False)
    use(configure, log(tmp_path, QUEUED.format(id="<other@union.example>")), complete=True)
    swept = sweep(now=clock.forward(hours=1))
    assert (swept.reconciled.pending, swept.to_ring) == (1, (digest.pk,))
    assert send_batches(digest.pk, clock=clock).finished
    assert len(smtp.of(BRUNO)) == 1


def test_a_log_with_gaps_proves_no_absence(
    smtp: ScriptedServer,
    ready_digest: Ready,
    clock: Clock,
    configure: Callable[..., None],
    tmp_path: Path,
) -> None:
    digest = uncertain(smtp, ready_digest, clock, kept=True)
    path = log(tmp_path, QUEUED.format(id="<other@union.example>"))
    use(configure, path, complete=False)
    assert sweep(now=clock.forward(hours=1)).reconciled.unknown == 1
    # Complete, but it begins or ends too near to the attempt.
    lines = QUEUED.format(id="<other@union.example>").splitlines(keepends=True)
    for part in (lines[1:], lines[:-1]):
        use(configure, log(tmp_path, "".join(part)), complete=True)
        assert sweep(now=clock.now).reconciled.unknown == 1
    assert states(digest)[BRUNO] == "uncertain"


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ("Jul 15 09:00:01 mail postfix/cleanup[2]: AAA: message-id=<m@x>\n"
         "Jul 15 09:00:01 mail postfix/qmgr[3]: AAA: from=<a@b>, size=1, nrcpt=1 (queue active)\n",
         Verdict.ACCEPTED),
        # The header was read, the message never queued: the client hung up in the body.
        ("Jul 15 09:00:01 mail postfix/cleanup[2]: AAA: message-id=<m@x>\n", Verdict.UNKNOWN),
        ("Jul 15 07:00:01 mail postfix/smtpd[2]: connect\n"
         "Jul 15 09:00:01 mail postfix/cleanup[2]: AAA: message-id=<m@x>\n"
         "Jul 15 10:00:01 mail postfix/smtpd[2]: connect\n", Verdict.ABSENT),
        ("Jul 15 09:00:01 mail postfix/cleanup[2]: AAA: message-id=<m@x>\n"
         "Jul 15 09:00:01 mail postfix/qmgr[3]: BBB: from=<a@b>, size=1, nrcpt=1 (queue active)\n",
         Verdict.UNKNOWN),
        ("rubbish\n\x00\xff\n", Verdict.UNKNOWN),
    ],
)  # fmt: skip
def test_what_the_log_says_is_read_with_care(tmp_path: Path, lines: str, verdict: Verdict) -> None:
    source = PostfixLog([log(tmp_path, lines)], complete=True)
    said = source.look_up({"<m@x>": NOW}, now=NOW + timedelta(hours=2))
    assert said["<m@x>"] == verdict


def test_a_missing_log_proves_nothing() -> None:
    source = PostfixLog(["/nonexistent/mail.log"], complete=True)
    assert source.look_up({"<m@x>": NOW}, now=NOW)["<m@x>"] == Verdict.UNKNOWN


def test_a_person_may_say_that_it_arrived(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = uncertain(smtp, ready_digest, clock, kept=True)
    delivery = delivery_to(digest, BRUNO)
    assert resolve(delivery.pk, "sent", now=clock.now)
    assert sweep(now=clock.now).finished == (digest.pk,)
    assert not resolve(delivery.pk, "resend", now=clock.now)


def test_a_person_may_have_it_sent_again(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = uncertain(smtp, ready_digest, clock, kept=False)
    assert resolve(delivery_to(digest, BRUNO).pk, "resend", now=clock.now)
    assert sweep(now=clock.now).to_ring == (digest.pk,)
    assert send_batches(digest.pk, clock=clock).finished
    assert len(smtp.of(BRUNO)) == 1


def test_a_second_copy_has_the_same_message_id(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = uncertain(smtp, ready_digest, clock, kept=True)
    resolve(delivery_to(digest, BRUNO).pk, "resend", now=clock.now)
    send_batches(digest.pk, clock=clock)
    # A mailbox that gets both can tell that they are one.
    assert [mail.message["Message-ID"] for mail in smtp.of(BRUNO)] == [
        message_id(delivery_to(digest, BRUNO))
    ] * 2
