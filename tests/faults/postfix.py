"""Senders killed in front of a real Postfix, and cleared up after from its own log."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory

from tests.faults.bed import LEASE_SECONDS, CannotRun, Field, Tally, must
from tests.private_servers import free_port, program

_DAEMONS = Path("/usr/lib/postfix/sbin")
_READ = re.compile(r"/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=(<[^>]+>)")
_QUEUED = re.compile(r"/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<.*\(queue active\)")

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
maillog_file_rotate_suffix = old
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = prova.example
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
transport_maps = static:discard:
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
discard unix - - n - - discard
error unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def senders_killed(field: Field) -> Tally:
    kills = max(6, field.kills // 20)
    chance = random.Random(kills)
    with _postfix() as (port, log), field.bed(smtp_url=f"smtp://127.0.0.1:{port}") as bed:
        digest = bed.digest(40 * kills)
        done = 0
        while done < kills:
            pid = bed.spawn("send", digest=digest)
            had = _read(log)
            until = time.monotonic() + 2 * LEASE_SECONDS
            while _read(log) < had + 3 and time.monotonic() < until:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.02)
            killed = bed.kill(pid)
            done += killed
            bed.sweep(evidence=False)
            if not killed and bed.report(digest)["states"]["pending"] == 0:
                break
        uncertain = bed.uncertain(digest)
        must(done >= kills // 2, f"only {done} kills hit a living sender")
        # Postfix has read what was on its way; what it never read it will never have.
        time.sleep(1)
        _reach_beyond(log)
        source = "newsletter.delivery.postfix_log.PostfixLog"
        evidence = [{"class": source, "paths": [str(log)], "complete": True}]
        bed.configure(EVIDENCE=evidence)
        bed.run("sweep")
        left = bed.uncertain(digest)
        must(left == 0, f"the log left {left} of {uncertain} uncertain")
        for _ in range(4):
            bed.run("send", digest=digest)
        report = bed.report(digest)
        must(report["status"] == "sent" and report["adds_up"], f"{report}")
        time.sleep(1)
        copies = _queued(log)
    members = 40 * kills
    return Tally(
        kills=done,
        messages=members,
        lost=members - len(copies),
        doubled=sum(copies.values()) - len(copies),
        uncertain=uncertain,
        reconciled=uncertain,
    )


def _read(log: Path) -> int:
    return len(_READ.findall(log.read_text()))


def _queued(log: Path) -> Counter[str]:
    """How often each Message-ID was taken over."""
    text = log.read_text()
    queued = set(_QUEUED.findall(text))
    return Counter(name for queue, name in _READ.findall(text) if queue in queued)


def _reach_beyond(log: Path) -> None:
    """What an hour's more of log would be: Postfix writes nothing while nothing happens."""
    text = log.read_text()
    old_kind = not text[:4].isdigit()
    shown = []
    for hours in (-2, 2):
        at = datetime.now(UTC) + timedelta(hours=hours)
        stamp = f"{at:%b} {at.day:2} {at:%H:%M:%S}" if old_kind else at.isoformat()
        shown.append(f"{stamp} prova postfix/master[1]: still here\n")
    log.write_text(shown[0] + text + shown[1])


@contextmanager
def _postfix() -> Iterator[tuple[int, Path]]:
    binary = program("postfix")
    if binary is None or not (_DAEMONS / "master").exists():
        raise CannotRun("Postfix is not here: apt-get install postfix")
    if os.geteuid() != 0:
        raise CannotRun("a Postfix of its own can only be started by root")
    port = free_port()
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("etc", "queue", "data"):
            (folder / part).mkdir()
        subprocess.run(["chown", "postfix", str(folder / "data")], check=True)
        (folder / "etc" / "main.cf").write_text(_MAIN.format(folder=folder, daemons=_DAEMONS))
        (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
        control = [binary, "-c", str(folder / "etc")]
        started = subprocess.run([*control, "start"], capture_output=True, text=True, check=False)
        must(started.returncode == 0, f"Postfix did not start: {started.stderr}")
        try:
            deadline = time.monotonic() + 20
            while True:
                with suppress(OSError), create_connection(("127.0.0.1", port), 1):
                    break
                must(time.monotonic() < deadline, "Postfix does not listen")
                time.sleep(0.1)
            yield port, folder / "mail.log"
        finally:
            subprocess.run([*control, "abort"], capture_output=True, check=False)
