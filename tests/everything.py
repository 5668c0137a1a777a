"""`make test`: everything that must hold, one step after the other, with a table at the end.

    python -m tests.everything            all of it
    python -m tests.everything lint types only these steps

A step that cannot run on this machine (no PostgreSQL, no Chromium) is named loudly at the end;
with CI=true it fails the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import private_servers

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CI = os.environ.get("CI", "") not in ("", "0", "false")


# Of the tests with processes, those that use the database and the broker they are given.
ON_POSTGRES_TOO = (
    "tests/newsroom/test_whole_way.py::"
    "test_a_post_goes_from_its_feed_to_a_mailbox_and_to_the_archive[repost]",
    "tests/newsroom/test_run.py::test_the_same_way_on_postgresql_and_redis",
)


class CannotRun(Exception):
    """The machine lacks what a step needs; the message says what to install."""


class Failed(Exception):
    """A command of the step ended with an error; its output is on the terminal."""


@contextmanager
def data_dir() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="bollettino-test-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def call(*command: str, env: dict[str, str] | None = None) -> None:
    """Runs a command with a clean environment: no instance's settings leak into the tests."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "BROKER_URL", "SMTP_URL", "DATA_DIR", "PORT", "SECRET_KEY"}
        and not name.startswith("DJANGO_")
    }
    with data_dir() as folder:
        status = subprocess.run(
            command, cwd=ROOT, env=clean | {"DATA_DIR": folder} | (env or {}), check=False
        ).returncode
    if status:
        raise Failed(" ".join([Path(command[0]).name, *command[1:]]))


def tool(name: str, *arguments: str, env: dict[str, str] | None = None) -> None:
    call(str(BIN / name), *arguments, env=env)


def manage(*arguments: str, env: dict[str, str] | None = None) -> None:
    call(sys.executable, "manage.py", *arguments, env=env)


def pytest(*arguments: str, env: dict[str, str] | None = None) -> None:
    tool("pytest", "-q", *arguments, env=env)


def lint() -> None:
    tool("ruff", "check", ".")
    tool("ruff", "format", "--check", ".")
    tool("djlint", "--lint", "--quiet", "newsletter/templates", "site/newsroom/templates")


def types() -> None:
    tool("mypy", "newsletter", "site/newsroom")


def imports() -> None:
    tool("lint-imports")


def migrations() -> None:
    manage("makemigrations", "--check", "--dry-run")


def messages() -> None:
    if shutil.which("xgettext") is None:
        raise CannotRun("GNU gettext is not here: apt-get install gettext")
    call(sys.executable, "-m", "tests.messages")


def deployment() -> None:
    production = {
        "DJANGO_SETTINGS_MODULE": "newsroom.settings.production",
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-checks",
        "ALLOWED_HOSTS": "bollettino.example",
        "SITE_URL": "https://bollettino.example",
    }
    manage("check", "--deploy", "--fail-level", "WARNING", env=production)


def sqlite() -> None:
    pytest("-n", "2", "-m", "not browser and not processes and not side_by_side")
    pytest("-m", "side_by_side", env={"TEST_ON_DISK": "1"})


@contextmanager
def grown_up() -> Iterator[dict[str, str]]:
    """The environment of an instance on PostgreSQL and Redis."""
    if private_servers.postgres_bin() is None:
        raise CannotRun("PostgreSQL is not here: apt-get install postgresql")
    if private_servers.redis_binary() is None:
        raise CannotRun("Redis is not here: apt-get install redis-server")
    with ExitStack() as servers:
        yield {
            "DATABASE_URL": servers.enter_context(private_servers.postgres()),
            "BROKER_URL": servers.enter_context(private_servers.redis()),
        }


def postgres() -> None:
    with grown_up() as env:
        pytest("-n", "2", "-m", "not browser and not processes", env=env)


def postgres_processes() -> None:
    with grown_up() as env:
        pytest("-n", "2", "-m", "processes", *ON_POSTGRES_TOO, env=env)


def processes() -> None:
    # Whoever is done takes from the other's rest: some of these take two minutes, some a second.
    pytest("-n", "2", "--dist", "worksteal", "-m", "processes")


def browser() -> None:
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        raise CannotRun("Chromium is not here: apt-get install chromium")
    # A browser asks for several things at once: in memory they would share one connection.
    pytest("-n", "2", "-m", "browser and not processes", env={"TEST_ON_DISK": "1"})


def faults() -> None:
    def on(database: str) -> None:
        call(sys.executable, "-m", "tests.faults", "--short", "--on", database)

    # Side by side: most of their time is waiting for leases to end and servers to answer.
    with ThreadPoolExecutor() as both:
        list(both.map(on, ("sqlite", "postgresql")))


def wheel() -> None:
    with data_dir() as folder:
        tool("python", "-m", "build", "--wheel", "--outdir", folder, ".")
        built = next(Path(folder).glob("*.whl"))
        call(sys.executable, "-m", "tests.wheel", str(built))


STEPS: dict[str, Callable[[], None]] = {
    "lint": lint,
    "types": types,
    "imports": imports,
    "migrations": migrations,
    "messages": messages,
    "deployment": deployment,
    "sqlite": sqlite,
    "postgres": postgres,
    "postgres-processes": postgres_processes,
    "processes": processes,
    "faults": faults,
    "browser": browser,
    "wheel": wheel,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in STEPS]
    if unknown:
        sys.stderr.write(f"No step {unknown[0]!r}: choose from {', '.join(STEPS)}.\n")
        return 2
    rows: list[tuple[str, str, float]] = []
    for name in names or STEPS:
        sys.stdout.write(f"\n=== {name}\n")
        sys.stdout.flush()
        started = time.monotonic()
        try:
            STEPS[name]()
        except CannotRun as reason:
            outcome = f"DID NOT RUN: {reason}"
        except Failed as failure:
            outcome = f"FAILED: {failure}"
        else:
            outcome = "passed"
        rows.append((name, outcome, time.monotonic() - started))
    sys.stdout.write("\n")
    for name, outcome, seconds in rows:
        sys.stdout.write(f"{name:<18} {seconds:6.1f} s  {outcome}\n")
    bad = [row for row in rows if row[1].startswith("FAILED") or (CI and row[1] != "passed")]
    passed = sum(row[1] == "passed" for row in rows)
    sys.stdout.write(f"{passed} passed, {len(bad)} failed\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
