"""Senders killed with -9 while they work: nothing is lost, nothing comes twice.

Short by default; `DELIVERY_KILLS=1000 pytest tests/delivery/test_kills.py` breaks it for longer.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from django.db import connection

from newsletter.digests.models import Digest
from tests.delivery.scripted_server import ScriptedServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
KILLS = int(os.environ.get("DELIVERY_KILLS", "20"))
ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """The test's end of tests.delivery.nursery, on a copy of the test's database."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        environment = os.environ | {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(data_dir),
            "DJANGO_SETTINGS_MODULE": "newsroom.settings.test",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'site'}",
            "LOG_LEVEL": "ERROR",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.delivery.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=ROOT,
            text=True,
        )
        assert self._read()["ready"]

    def order(self, do: str, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the nursery died"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *rest: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


@pytest.fixture
def nursery(
    tmp_path: Path,
    smtp: ScriptedServer,
    ready_digest: Callable[..., Digest],
    configure: Callable[..., None],
) -> Iterator[Callable[..., tuple[Nursery, Digest]]]:
    with contextlib.ExitStack() as stack:

        def start(members: int, **keys: Any) -> tuple[Nursery, Digest]:
            configure(BATCH_SIZE=25)
            digest = ready_digest(members)
            # Hours in the past would look like a restored backup.
            from django.utils import timezone

            Digest.objects.update(sending_at=timezone.now())
            place = connection.settings_dict
            if connection.vendor == "sqlite":
                copy = tmp_path / "processes.sqlite3"
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM INTO %s", [str(copy)])
                url = f"sqlite:///{copy}"
            else:
                login = f"{place['USER']}:{place['PASSWORD']}".rstrip(":")
                url = f"postgres://{login}@{place['HOST']}:{place['PORT']}/{place['NAME']}"
            family = stack.enter_context(Nursery(url, tmp_path / "data"))
            settings = {"SMTP_URL": smtp.url, "LEASE_SECONDS": 1.0} | keys
            family.order("configure", keys=settings)
            return family, digest

        yield start


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(pids: list[int], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a sender did not end"
        time.sleep(0.02)


def wait_until_at_work(smtp: ScriptedServer, pids: list[int]) -> None:
    """Until a few messages have arrived from the senders just started, or they have ended."""
    enough = len(smtp.received) + 3
    while len(smtp.received) < enough and any(alive(pid) for pid in pids):
        time.sleep(0.002)


def run_to_the_end(family: Nursery, digest: Digest, smtp: ScriptedServer) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while True:
        family.order("sweep", arrived=smtp.message_ids)
        report = family.order("report", digest=digest.pk)
        if report["status"] == Digest.Status.SENT:
            return report
        assert time.monotonic() < deadline, report
        wait_for([family.order("spawn", digest=digest.pk)["pid"] for _ in range(2)])
        time.sleep(0.1)


@pytest.mark.parametrize("window", [1, 5])
@pytest.mark.parametrize("journal", ["journal", ""])
def test_killed_senders_lose_nothing_and_double_nothing(
    nursery: Callable[..., tuple[Nursery, Digest]],
    smtp: ScriptedServer,
    window: int,
    journal: str,
    tmp_path: Path,
) -> None:
    # Long enough that many kills fall between the server's taking a message and its saying so.
    smtp.slow = 0.01
    chance = random.Random(window)
    members = 20 * KILLS
    folder = str(tmp_path / journal) if journal else ""
    family, digest = nursery(members, IN_FLIGHT=window, JOURNAL_DIR=folder)
    kills = uncertain = 0
    while kills < KILLS:
        pids = [family.order("spawn", digest=digest.pk)["pid"] for _ in range(2)]
        wait_until_at_work(smtp, pids)
        time.sleep(chance.random() * 0.04)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kills += 1
        wait_for(pids)
        if kills % 6 == 0:
            time.sleep(1.05)  # the leases of the dead run out
            swept = family.order("sweep", arrived=smtp.message_ids)
            uncertain += swept["uncertain"]
            if not swept["ring"]:
                break
    time.sleep(1.05)
    report = run_to_the_end(family, digest, smtp)
    copies = Counter(smtp.message_ids)
    assert len(copies) == members, "lost"
    assert max(copies.values()) == 1, "doubled"
    assert report["states"]["sent"] == members
    assert report["adds_up"]
    assert kills >= min(KILLS, 10)
    # The kills did hit; and at most a window's worth for each was ever in doubt.
    assert 0 < uncertain <= kills * window


def test_two_senders_share_a_digest_without_doubling(
    nursery: Callable[..., tuple[Nursery, Digest]], smtp: ScriptedServer
) -> None:
    smtp.slow = 0.003
    family, digest = nursery(200, LEASE_SECONDS=30)
    pids = [family.order("spawn", digest=digest.pk)["pid"] for _ in range(3)]
    wait_for(pids)
    report = family.order("report", digest=digest.pk)
    assert report["status"] == Digest.Status.SENT
    assert Counter(smtp.message_ids).most_common(1)[0][1] == 1
    assert len(smtp.received) == 200
    assert smtp.connections >= 2
