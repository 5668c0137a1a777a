"""A whole instance in processes of its own: web, worker and clock, started as an operator does."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg

from tests.private_servers import free_port, redis

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


def wait_until(look: Callable[[], T], *, seconds: float, what: str) -> T:
    """What `look` returns as soon as it is true; fails with `what` did not happen in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.3)


class Instance:
    """`manage.py run` on a folder and a port of its own, on the databases the tests run on."""

    def __init__(self, folder: Path, *, smtp_url: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database = ""
        # What is not named here comes from the run of the tests: DATABASE_URL, BROKER_URL.
        self.env = os.environ | {
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "SMTP_URL": smtp_url,
            "ALLOW_PRIVATE_FEED_HOSTS": "127.0.0.1",
            "TICK_SECONDS": "2",
            "DJANGO_SETTINGS_MODULE": "newsroom.settings.embedded",
        }
        self.log = folder / "run.log"
        self._servers = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        """Runs a command to its end; its standard output. Fails with its errors."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}\n{done.stdout}"
        return done.stdout

    def ask(self, *arguments: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.manage(*arguments, "--json"))
        return answer

    def shell(self, code: str) -> str:
        return self.manage("shell", "--verbosity=0", "-c", code).strip()

    def __enter__(self) -> Self:
        if self.env.get("DATABASE_URL", "").startswith("postgres"):
            self._make_database()
        if self.env.get("BROKER_URL", "").startswith("redis"):
            # Two instances on one queue would take each other's tasks, whose ids mean nothing
            # in their database.
            self.env["BROKER_URL"] = self._servers.enter_context(redis())
        self.manage("migrate", "--verbosity=0")
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(self._answers, seconds=60, what=f"the site answers\n{self.log.read_text()}")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=60)
        self._servers.close()
        if kind is not None and self.log.exists():
            # pytest shows it beside the failure: what the worker was doing meanwhile.
            sys.stdout.write(self.log.read_text(errors="replace")[-20_000:])
        if self._database:
            self._drop_database()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError, urllib.error.HTTPError):
            urllib.request.urlopen(f"{self.url}/admin/login/", timeout=5).close()
            return True
        return False

    # A PostgreSQL server is shared by the tests: each instance gets a database in it.

    def _make_database(self) -> None:
        self._server = self.env["DATABASE_URL"]
        self._database = f"instance_{uuid.uuid4().hex}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self._database}"')
        self.env["DATABASE_URL"] = f"{self._server.rpartition('/')[0]}/{self._database}"

    def _drop_database(self) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{self._database}" WITH (FORCE)')
