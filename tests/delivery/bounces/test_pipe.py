"""The command at the end of a mail server's pipe: a real process, its exit status, its output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.delivery.bounces.test_reading import sample

ROOT = Path(__file__).resolve().parents[3]


def instance(tmp_path: Path) -> dict[str, str]:
    """The environment of an instance of this test's own, whatever database the run is given."""
    return os.environ | {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'instance.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "newsroom.settings.embedded",
    }


def pipe(
    tmp_path: Path, raw: bytes, *options: str, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "manage.py", "receive_bounce", *options],
        input=raw,
        cwd=ROOT,
        env=instance(tmp_path) | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def database(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT,
        env=instance(tmp_path),
        check=True,
        timeout=300,
    )


@pytest.mark.processes
def test_what_came_is_taken_in_and_nothing_bounces_again(tmp_path: Path) -> None:
    database(tmp_path)
    # Forged, a person's, garbage, and far more than is read: none of it is sent back to anybody.
    for raw in (
        sample("postfix-no-such-user"),
        sample("a-person-writes"),
        b"\0\xff" * 100,
        b"",
        sample("complaint") + b"x" * 5_000_000,
    ):
        done = pipe(tmp_path, raw, ORIGINAL_RECIPIENT="b+00@bounce.union.example")
        assert (done.returncode, done.stdout) == (0, b"")
        assert b"anna@" not in done.stderr
    told = pipe(tmp_path, sample("qmail-policy"), "--recipient", "x@y.example", "-v2")
    assert told.stdout.strip() != b""


@pytest.mark.processes
def test_without_a_database_the_mail_server_keeps_the_mail(tmp_path: Path) -> None:
    done = pipe(tmp_path, sample("postfix-no-such-user"))  # there is no table
    assert done.returncode == os.EX_TEMPFAIL == 75
    assert b"anna@" not in done.stderr
