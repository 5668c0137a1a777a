"""Mail servers that refuse, hang up, fall silent, crawl, or cannot be trusted."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.delivery.scripted_server import ScriptedServer
from tests.faults.bed import CannotRun, Field, Tally, must
from tests.private_servers import free_port, program

CERTIFICATES = Path(__file__).resolve().parents[1] / "certificates"
_MESSAGE_ID = re.compile(rb"^Message-ID: (<[^>\r\n]+>)", re.MULTILINE | re.IGNORECASE)
# The first two retries come 5 and 10 minutes later.
_LATER = 90


def refused_for_now(field: Field) -> Tally:
    """421, 450, 451, 452 to every fifth recipient, twice; then the server has room again."""
    total = Tally()
    for code in ("421 4.3.2 closing", "450 4.2.1 busy", "451 4.3.0 later", "452 4.2.2 full"):
        with field.bed() as bed:
            digest = bed.digest(50)
            for number in range(5, 51, 5):
                bed.smtp.answer("rcpt", code, match=f"<persona{number}@", times=2)
            for _ in range(12):  # a 421 ends the connection, and the round after three of them
                bed.run("send", digest=digest)
            # A 421 may be meant for an old connection: that is tried once more on a new one.
            must(len(bed.smtp.received) >= 40, f"{len(bed.smtp.received)} of the other 40 arrived")
            states = bed.report(digest)["states"]
            must(states["deferred"] == 50 - len(bed.smtp.received), f"{code}: {states}")
            for ahead in (_LATER, 2 * _LATER, 3 * _LATER):
                for _ in range(12):
                    bed.run("send", digest=digest, ahead=ahead)
            total += bed.count(50)
            must(bed.report(digest)["status"] == "sent", f"{code}: {bed.report(digest)}")
    return total


def refused_for_good(field: Field) -> Tally:
    """550 and 552 to some, at RCPT and after the message: final for them, nothing for others."""
    total = Tally()
    for phase in ("rcpt", "reply"):
        with field.bed() as bed:
            digest = bed.digest(40)
            bed.smtp.answer(phase, "550 5.1.1 no such mailbox", match="persona1@")
            bed.smtp.answer(phase, "552 5.2.2 mailbox full", match="persona2@")
            bed.run("send", digest=digest)
            bed.run("send", digest=digest, ahead=_LATER)
            report = bed.report(digest)
            must(report["states"]["failed"] == 2, f"{report}")
            must(report["status"] == "sent" and report["adds_up"], f"{report}")
            asked = Counter(line for line in bed.smtp.commands if line.startswith("RCPT"))
            must(max(asked.values()) == 1, "a final refusal was asked again")
            total += bed.count(38)
    return total


def hangs_up_before(field: Field) -> Tally:
    """At the banner, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA and half way through the message."""
    total = Tally()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.pem", CERTIFICATES / "server.key")
    for phase in ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body"):
        secure = phase in ("starttls", "auth")
        users = {"u": "p"} if phase == "auth" else {}
        with ScriptedServer(tls=context if secure else None, users=users) as smtp:
            url = f"smtp://{'u:p@' if users else ''}localhost:{smtp.port}"
            with field.bed(smtp=smtp, smtp_url=f"{url}?tls=starttls" if secure else url) as bed:
                digest = bed.digest(30)
                for word in range(2):
                    smtp.hang_up(phase, times=word + 1)
                    bed.run("send", digest=digest)
                for ahead in (_LATER, 2 * _LATER, 3 * _LATER):
                    for _ in range(3):
                        bed.run("send", digest=digest, ahead=ahead)
                # A short message may have gone out whole before the server hung up.
                uncertain = bed.uncertain(digest)
                row = bed.finish(digest)
                row.uncertain = row.reconciled = uncertain
                total += row
    return total


def silent_after_the_dot(field: Field) -> Tally:
    """The connection breaks after the final dot, the message taken or not: never resent blindly."""
    total = Tally()
    for taken in (True, False):
        with field.bed() as bed:
            digest = bed.digest(40)
            for number in (7, 19, 33):
                if taken:
                    bed.smtp.keep_and_hang_up(match=f"persona{number}@")
                else:
                    bed.smtp.hang_up("reply", match=f"persona{number}@")
            for _ in range(3):
                bed.run("send", digest=digest)
                bed.sweep(evidence=False)
            must(bed.uncertain(digest) == 3, f"{bed.report(digest)}")
            must(len(bed.smtp.received) == (40 if taken else 37), "a blind second copy")
            row = bed.finish(digest)
            row.uncertain = row.reconciled = 3
            total += row
    return total


def a_tarpit(field: Field) -> Tally:
    """One sender is stuck in the server's tar; the others do not get slower for it."""

    def seconds(*, stuck: bool) -> tuple[float, Tally]:
        with field.bed(BATCH_SIZE=100) as bed:
            bed.smtp.slow = 0.002
            digest = bed.digest(700)
            if stuck:
                bed.smtp.wait("rcpt", 8, "250 2.1.5 Ok", times=1)
            first = bed.spawn("send", digest=digest)
            while not bed.smtp.commands:
                time.sleep(0.005)
            started = time.monotonic()
            if not stuck:
                bed.kill(first)
            second = bed.spawn("send", digest=digest)
            bed.wait_until_arrived(500)
            took = time.monotonic() - started
            for pid in (first, second) if stuck else (second,):
                bed.kill(pid)
            return took, bed.finish(digest)

    alone, _row = seconds(stuck=False)
    beside, total = seconds(stuck=True)
    share = alone / beside
    total.remarks.append(f"the other sender kept {share:.0%} of the rate it has alone")
    # 90 %, less the machine's noise; in the short form other tests run beside this one.
    must(field.is_short or share >= 0.75, f"the other sender fell to {share:.0%}")
    return total


def no_trust(field: Field) -> Tally:
    """Unknown certificate, another name's, no STARTTLS, no such host: nothing in the clear."""
    total = Tally()
    for name in ("self-signed.pem", "wrong-host.pem", "", "dns"):
        context = None
        if name.endswith(".pem"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / name, CERTIFICATES / "server.key")
        with ScriptedServer(tls=context) as smtp:
            host = "no-such-host.invalid" if name == "dns" else "localhost"
            with field.bed(smtp=smtp, smtp_url=f"smtp://{host}:{smtp.port}?tls=starttls") as bed:
                digest = bed.digest(20)
                for _ in range(2):
                    bed.run("send", digest=digest)
                report = bed.report(digest)
                must(not smtp.received, "a message went out")
                must(not any(line.startswith("MAIL") for line in smtp.commands), "an address did")
                must(report["states"]["failed"] == 0, "the recipients were blamed")
                must(bool(report["reason"]), "the digest's page does not say why")
                # Repaired: the operator takes another server.
                bed.configure(SMTP_URL=smtp.url)
                smtp.tls = None
                for ahead in (0, _LATER):
                    bed.run("send", digest=digest, ahead=ahead)
                total += bed.finish(digest)
    return total


def smtp_sink(field: Field) -> Tally:
    """Postfix's test server with its faults, one after the other, then in good health."""
    binary = program("smtp-sink")
    if binary is None:
        raise CannotRun("smtp-sink is not here: apt-get install postfix")
    sink = [binary, *(["-u", "nobody"] if os.geteuid() == 0 else [])]
    port = free_port()
    members = 60
    with TemporaryDirectory() as folder, field.bed(smtp_url=f"smtp://127.0.0.1:{port}") as bed:
        kept = Path(folder)
        kept.chmod(0o777)  # root's sink writes as nobody
        digest = bed.digest(members)
        ahead = 0
        ill = (["-r", "rcpt"], ["-r", "data"], ["-q", "mail"], ["-q", "data"], ["-Q", "rcpt"])
        for faults in ill:
            with _running([*sink, *faults, f"127.0.0.1:{port}", "100"], port):
                bed.run("send", digest=digest, ahead=ahead)
            ahead += _LATER
        states = bed.report(digest)["states"]
        must(states["failed"] == states["sent"] == 0, f"{states}")
        with _running([*sink, "-d", f"{kept}/mail.", f"127.0.0.1:{port}", "100"], port):
            for _ in range(6):
                ahead += _LATER
                bed.run("send", digest=digest, ahead=ahead)
        report = bed.report(digest)
        must(report["status"] == "sent", f"{report}")
        found = [m for path in kept.iterdir() for m in _MESSAGE_ID.findall(path.read_bytes())]
    copies = Counter(found)
    return Tally(
        messages=members,
        lost=members - len(copies),
        doubled=sum(copies.values()) - len(copies),
    )


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    import socket

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            must(time.monotonic() < deadline, f"{command[0]} does not listen")
            time.sleep(0.02)
        yield
    finally:
        process.kill()
        process.wait()
