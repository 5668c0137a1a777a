"""Where a fault is tried: a database, a digest, a mail server and senders in processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import private_servers
from tests.delivery.scripted_server import ScriptedServer

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 0.6
# Of the function that a sender dies in: module, qualified name, "call" or "return", which time.
Point = tuple[str, str, str, int]


class Broken(AssertionError):
    """What must hold did not."""


class CannotRun(Exception):
    """Something that the fault needs is not on this machine."""


def must(holds: bool, words: str) -> None:
    if not holds:
        raise Broken(words)


@dataclass
class Tally:
    """What a fault did: the numbers of a row in the table."""

    kills: int = 0
    messages: int = 0  # that were to arrive
    lost: int = 0
    doubled: int = 0
    uncertain: int = 0  # deliveries of which nobody knew whether the server had them
    reconciled: int = 0  # of those, cleared up by evidence
    remarks: list[str] = field(default_factory=list)

    def __iadd__(self, other: Tally) -> Tally:
        for name in ("kills", "messages", "lost", "doubled", "uncertain", "reconciled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.remarks += other.remarks
        return self


@dataclass(frozen=True)
class Ended:
    killed: bool


class Nursery:
    """The other end of tests.faults.nursery; every order is answered before the next."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(database_url, folder),
            cwd=ROOT,
            text=True,
        )
        must(self._read()["ready"], "the nursery did not start")

    def order(self, do: str, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        if "error" in answer:
            raise RuntimeError(f"{do} failed:\n{answer['error']}")
        return answer

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=60)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        must(bool(line), "the nursery died")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Bed:
    """A database of its own, and a mail server; `folder` is deleted afterwards."""

    def __init__(
        self,
        nursery: Nursery,
        database_url: str,
        folder: Path,
        smtp: ScriptedServer | None,
        settings: dict[str, Any],
    ) -> None:
        self.nursery = nursery
        self.database_url = database_url
        self.folder = folder
        self.settings = settings
        self._smtp = smtp
        self._arrived_file = folder / "arrived"

    @property
    def smtp(self) -> ScriptedServer:
        assert self._smtp is not None
        return self._smtp

    # --- orders

    def order(self, do: str, **order: Any) -> dict[str, Any]:
        return self.nursery.order(do, **order)

    def configure(self, **keys: Any) -> None:
        self.order("configure", keys=keys)

    def digest(self, members: int, **order: Any) -> int:
        return int(self.order("prepare", members=members, **order)["digest"])

    def spawn(self, errand: str, **order: Any) -> int:
        return int(self.order("spawn", errand=errand, **order)["pid"])

    def ended(self, pid: int) -> Ended | None:
        answer = self.order("wait", pid=pid)
        return Ended(answer["killed"]) if answer["ended"] else None

    def wait(self, pid: int, seconds: float = 90) -> Ended:
        deadline = time.monotonic() + seconds
        while (end := self.ended(pid)) is None:
            must(time.monotonic() < deadline, "a process did not end")
            time.sleep(0.005)
        return end

    def run(self, errand: str, **order: Any) -> Ended:
        return self.wait(self.spawn(errand, **order))

    def report(self, digest: int) -> dict[str, Any]:
        return self.order("report", digest=digest)

    def must_be_true(self, digest: int) -> None:
        """The page, the command and the metrics say what the ledger says, at this very moment."""
        said = self.order("truth", digest=digest)
        ledger = said["ledger"]
        of = sum(ledger["states"].values())
        expected = {
            "page": {
                "states": ledger["states"],
                "sent": ledger["states"].get("sent", 0),
                "of": of,
            },
            "command": {name: ledger[name] for name in ("states", "reasons", "status")},
            "metrics": {name: ledger[name] for name in ("states", "open_batches")},
        }
        for where, numbers in expected.items():
            must(said[where] == numbers, f"the {where}: {said[where]}, the ledger: {ledger}")

    # --- what belongs together

    def kill(self, pid: int) -> bool:
        """-9; False when it had ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return self.wait(pid).killed

    def wait_until_arrived(self, more: int, *, seconds: float = 60) -> None:
        """Until so many more messages have reached the server than had."""
        enough = len(self.smtp.received) + more
        deadline = time.monotonic() + seconds
        while len(self.smtp.received) < enough and time.monotonic() < deadline:
            time.sleep(0.002)

    def wait_until_held(self, *, seconds: float = 60) -> None:
        """Until the server has what it was told to take before it falls silent."""
        deadline = time.monotonic() + seconds
        while not self.smtp.is_holding and time.monotonic() < deadline:
            time.sleep(0.002)

    def sweep(self, *, evidence: bool = True, **order: Any) -> Ended:
        """One look of the sweeper, with the server's word on what it took if there is evidence."""
        if evidence:
            self.smtp.wait_until_quiet()
            self._arrived_file.write_text("\n".join(self.smtp.message_ids))
        source = {"class": "tests.faults.nursery.Arrived", "file": str(self._arrived_file)}
        self.configure(EVIDENCE=[source] if evidence else [])
        return self.run("sweep", **order)

    def finish(self, digest: int, *, seconds: float = 180) -> Tally:
        """Send what is left, with nobody killed any more, until the digest is closed; the count."""
        deadline = time.monotonic() + seconds
        while True:
            self.sweep()
            report = self.report(digest)
            if report["status"] == "sent":
                self.must_be_true(digest)
                break
            must(time.monotonic() < deadline, f"the digest was not finished: {report}")
            for pid in [self.spawn("send", digest=digest) for _ in range(2)]:
                self.wait(pid)
            time.sleep(0.05)
        must(report["adds_up"], f"the counts do not add up: {report}")
        return self.count(report["deliveries"])

    def uncertain(self, digest: int) -> int:
        return int(self.report(digest)["states"]["uncertain"])

    def count(self, messages: int) -> Tally:
        copies = Counter(self.smtp.message_ids)
        return Tally(
            messages=messages,
            lost=messages - len(copies),
            doubled=sum(number - 1 for number in copies.values()),
        )


def environment(database_url: str, folder: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder / "data"),
        "DJANGO_SETTINGS_MODULE": "newsroom.settings.test",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'site'}",
        "LOG_LEVEL": "CRITICAL",
        # As an operator makes a certificate of their own known.
        "SSL_CERT_FILE": str(ROOT / "tests" / "certificates" / "ca.pem"),
    }


class Databases:
    """Makes a fresh, migrated database for each fault, by copying one that was migrated once."""

    def __init__(self, folder: Path, server: private_servers.Server | None) -> None:
        """On PostgreSQL's `server`; None: SQLite."""
        self.server = server
        self.backend = "postgresql" if server else "sqlite"
        self._template = folder / "template.sqlite3"
        self.template_url = f"sqlite:///{self._template}"
        if server:
            self.template_url = self._url("template_faults")
            self._on_server("CREATE DATABASE template_faults")
        (folder / "data").mkdir()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=environment(self.template_url, folder),
            check=True,
        )

    def new(self, folder: Path) -> str:
        """The URL of a fresh one; on SQLite it lies in `folder`."""
        if self.backend == "sqlite":
            shutil.copy(self._template, folder / "ledger.sqlite3")
            return f"sqlite:///{folder / 'ledger.sqlite3'}"
        return self.copy_of(self.template_url)

    def copy_of(self, url: str) -> str:
        """The URL of a copy of a PostgreSQL database to which nobody is connected."""
        name, template = f"faults_{uuid.uuid4().hex}", url.rpartition("/")[2]
        self._on_server(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._url(name)

    def _url(self, name: str) -> str:
        assert self.server is not None
        return f"{self.server.url.rpartition('/')[0]}/{name}"

    def _on_server(self, statement: str) -> None:
        import psycopg

        assert self.server is not None
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]


@dataclass
class Field:
    """What a fault gets: how hard to try, and the means to make beds."""

    kills: int  # on the whole, of each backend
    is_short: bool
    databases: Databases
    nursery: Nursery
    root: Path

    @property
    def backend(self) -> str:
        return self.databases.backend

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        path = Path(tempfile.mkdtemp(dir=self.root))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def bed(
        self, *, smtp: ScriptedServer | None = None, smtp_url: str = "", journal: bool = True,
        folder: Path | None = None, **settings: Any,
    ) -> Iterator[Bed]:  # fmt: skip
        """A bed with a scripted mail server and a folder of its own, unless others are named."""
        with contextlib.ExitStack() as stack:
            folder = folder or stack.enter_context(self.folder())
            if smtp is None and not smtp_url:
                smtp = stack.enter_context(ScriptedServer())
            url = self.databases.new(folder)
            keys = {
                "SMTP_URL": smtp_url or (smtp.url if smtp else ""),
                "JOURNAL_DIR": str(folder / "journal") if journal else "",
                "LEASE_SECONDS": LEASE_SECONDS,
                "BATCH_SIZE": 25,
            }
            bed = Bed(self.nursery, url, folder, smtp, keys | settings)
            self.begin(bed)
            yield bed

    def begin(self, bed: Bed) -> None:
        """From here on the nursery works for this bed, on the database that it names."""
        self.nursery.order("begin", database_url=bed.database_url, keys=bed.settings)


@contextlib.contextmanager
def field_of(backend: str, *, kills: int, is_short: bool) -> Iterator[Field]:
    with contextlib.ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="bollettino-faults-"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        server = None
        if backend == "postgresql":
            if private_servers.postgres_bin() is None:
                raise CannotRun("PostgreSQL is not here: apt-get install postgresql")
            server = stack.enter_context(private_servers.postgres_server())
        databases = Databases(root, server)
        nursery = Nursery(databases.template_url, root)
        stack.callback(nursery.close)
        yield Field(kills, is_short, databases, nursery, root)


Fault = Callable[[Field], Tally]
