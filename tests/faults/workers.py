"""Whole Celery workers: their broker is killed and flushed, and they come and go."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests import private_servers
from tests.faults.bed import ROOT, Bed, CannotRun, Field, Tally, environment, must

_RESUME_SECONDS = 60
# A broker's address, and what kills it, empties it and brings it back.
Broker = AbstractContextManager[tuple[str, Callable[[], None]]]


def redis_flushed(field: Field) -> Tally:
    if private_servers.redis_binary() is None:
        raise CannotRun("Redis is not here: apt-get install redis-server")
    return _broker_lost(field, _redis())


def rabbitmq_flushed(field: Field) -> Tally:
    if private_servers.rabbitmq_binary() is None:
        raise CannotRun("RabbitMQ is not here: apt-get install rabbitmq-server")
    return _broker_lost(field, _rabbitmq())


def folder_flushed(field: Field) -> Tally:
    with field.folder() as folder:
        return _broker_lost(field, _folder(folder), data=folder)


def workers_come_and_go(field: Field) -> Tally:
    """Four workers at a time on RabbitMQ, one of them killed and another started all the while."""
    if private_servers.rabbitmq_binary() is None:
        raise CannotRun("RabbitMQ is not here: apt-get install rabbitmq-server")
    members = 20_000
    chance = random.Random(members)
    with (
        _rabbitmq() as (url, _lose),
        field.bed(BATCH_SIZE=100) as bed,
        Crew(bed, url) as crew,
    ):
        bed.smtp.slow = 0.004
        for _ in range(4):
            crew.hire()
        crew.wait_for_work()
        digest = bed.digest(members)
        started = time.monotonic()
        kills = 0
        while len(bed.smtp.received) < 0.9 * members:
            must(time.monotonic() - started < 600, "it takes too long")
            time.sleep(chance.uniform(1.5, 3))
            crew.kill_one(chance)
            crew.hire()
            kills += 1
        total = _wait_for_the_end(bed, digest)
        total.kills = kills
    total.remarks.append(f"{kills} of the workers killed, as many hired")
    return total


def _broker_lost(field: Field, broker: Broker, data: Path | None = None) -> Tally:
    """Killed and emptied again and again, a worker killed with it each time."""
    rounds = 1 if field.is_short else 8
    chance = random.Random(rounds)
    gaps: list[float] = []
    with broker as (url, lose), field.bed() as bed, Crew(bed, url, data) as crew:
        bed.smtp.slow = 0.01
        for _ in range(2):
            crew.hire()
        crew.wait_for_work()
        digest = bed.digest(700 * rounds)
        for _round in range(rounds):
            bed.smtp.hold_after(60)
            bed.wait_until_held(seconds=_RESUME_SECONDS)
            crew.kill_one(chance)
            lose()
            crew.hire()
            lost_at, had = time.monotonic(), len(bed.smtp.received)
            bed.smtp.release()
            # Who was at work when the broker went finishes its batch without it.
            bed.wait_until_arrived(1, seconds=_RESUME_SECONDS)
            must(
                len(bed.smtp.received) > had,
                f"nothing went out for {_RESUME_SECONDS} s: {bed.report(digest)}\n{crew.tail()}",
            )
            gaps.append(time.monotonic() - lost_at)
        total = _wait_for_the_end(bed, digest)
    total.kills = 2 * rounds
    total.remarks.append(f"the next mail came after at most {max(gaps):.0f} s")
    return total


def _wait_for_the_end(bed: Bed, digest: int) -> Tally:
    """The workers send what is left; the uncertain are cleared up once they have nothing to do."""
    deadline = time.monotonic() + 400
    uncertain = 0
    while True:
        report = bed.report(digest)
        states = report["states"]
        if report["status"] == "sent":
            break
        must(time.monotonic() < deadline, f"the digest was not finished: {report}")
        if states["uncertain"] and states["uncertain"] + states["sent"] == report["deliveries"]:
            uncertain += states["uncertain"]
            bed.sweep()
        time.sleep(0.5)
    must(report["adds_up"], f"the counts do not add up: {report}")
    total = bed.count(report["deliveries"])
    total.uncertain = total.reconciled = uncertain
    return total


class Crew:
    """Workers as an operator starts them, on the bed's database."""

    def __init__(self, bed: Bed, broker_url: str, data: Path | None = None) -> None:
        self.env = environment(bed.database_url, bed.folder) | {
            "BROKER_URL": broker_url,
            "DATA_DIR": str(data or bed.folder / "data"),
            "DJANGO_SETTINGS_MODULE": "newsroom.settings.embedded",
            # Message-IDs are made of these, and the bed's sweeper must know them again.
            "SECRET_KEY": "only-for-tests",
            "SITE_URL": "http://testserver",
            "SMTP_URL": bed.smtp.url,
            "JOURNAL_DIR": str(bed.settings["JOURNAL_DIR"]),
            "TICK_SECONDS": "2",
            "LOG_LEVEL": "INFO",
        }
        self.log = bed.folder / "workers.log"
        self._at_work: list[subprocess.Popen[bytes]] = []

    def hire(self) -> None:
        # A clock in each: two beats, or four, do no harm.
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--beat", "--concurrency=2"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._at_work.append(worker)

    def kill_one(self, chance: random.Random) -> None:
        worker = self._at_work.pop(chance.randrange(len(self._at_work)))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def wait_for_work(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while self.log.read_text(errors="replace").count("[tasks]") < len(self._at_work):
            must(
                time.monotonic() < deadline,
                f"the workers did not start:\n{self.tail()}",
            )
            time.sleep(0.2)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *rest: object) -> None:
        for worker in self._at_work:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@contextmanager
def _redis() -> Iterator[tuple[str, Callable[[], None]]]:
    with private_servers.redis_server() as server:

        def lose() -> None:
            server.kill()  # it keeps nothing on disk
            time.sleep(1)
            server.start()

        yield server.url, lose


@contextmanager
def _rabbitmq() -> Iterator[tuple[str, Callable[[], None]]]:
    with private_servers.rabbitmq_server() as server:

        def lose() -> None:
            server.kill()
            shutil.rmtree(server.folder / "data")
            server.start()

        yield server.url, lose


@contextmanager
def _folder(data: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "filesystem://localhost", lambda: shutil.rmtree(data / "broker", ignore_errors=True)
