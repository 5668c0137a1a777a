"""`run`: everything starts together, does the main job, and leaves nothing running."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.private_servers import free_port

ROOT = Path(__file__).resolve().parents[2]
NOT_INHERITED = {"DATABASE_URL", "BROKER_URL", "SMTP_URL", "PORT", "DJANGO_SETTINGS_MODULE"}
pytestmark = pytest.mark.processes


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return kept | {"DATA_DIR": str(data_dir), "PORT": str(free_port())} | more


def run(data_dir: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "run", *options],
        cwd=ROOT,
        env=environment(data_dir, **more),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def processes_of(data_dir: Path) -> list[str]:
    """The command lines of the processes that work on this folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if f"DATA_DIR={data_dir}".encode() in variables and state != "Z":
            found.append(f"{folder.name} {command}")
    return found


def assert_nothing_is_left(data_dir: Path, *, within: float = 20) -> None:
    deadline = time.monotonic() + within
    while left := processes_of(data_dir):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def mails(data_dir: Path) -> int:
    return len(list((data_dir / "mailbox").glob("*.eml")))


@pytest.fixture(scope="module")
def first_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str], float]:
    """A folder on which `run --demo --once` has been once, what it said, and the time it took.

    The processor's time: what else the machine does meanwhile must not fail a test.
    """
    data_dir = tmp_path_factory.mktemp("instance")
    # What a start that was killed while it made the database leaves behind.
    (data_dir / "bollettino.sqlite3.new").write_text("half a database")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(data_dir, "--demo", "--once")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return data_dir, done, seconds


@pytest.fixture
def instance(first_run: tuple[Path, subprocess.CompletedProcess[str], float]) -> Iterator[Path]:
    yield first_run[0]
    assert_nothing_is_left(first_run[0])


@contextmanager
def running(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`run --demo` once it has said its addresses, and these."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", "--demo"],
        cwd=ROOT,
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, as a terminal gives it
    )
    addresses = {}
    try:
        assert process.stdout is not None
        for line in process.stdout:
            name, _, rest = line.partition(" ")
            if "http://" in rest:
                addresses[name] = rest.split()[0]
            if "Ctrl-C" in line:
                break
        yield process, addresses
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_the_first_digest_lies_in_the_mailbox_within_a_minute(
    first_run: tuple[Path, subprocess.CompletedProcess[str], float],
) -> None:
    data_dir, done, seconds = first_run
    assert done.returncode == 0, done.stdout + done.stderr
    assert seconds < 60
    delivered = next(line for line in done.stdout.splitlines() if line.startswith("Mail "))
    sent, _, total = delivered.split()[1:4]
    assert sent == total
    assert mails(data_dir) == int(sent) > 0
    assert_nothing_is_left(data_dir)


def test_the_terminal_tells_the_main_job_with_counts(
    first_run: tuple[Path, subprocess.CompletedProcess[str], float],
) -> None:
    lines = first_run[1].stdout.splitlines()
    told = {line.split()[0]: line for line in lines if line.strip()}
    assert "5 of 5 polled" in told["Feeds"]
    assert "articles new" in told["Feeds"]
    assert "articles have themes" in told["Themes"]
    assert "N. 1 of “Ogni settimana” compiled" in told["Digest"]
    assert "delivered" in told["Mail"]
    assert "user demo, password" in told["Admin"]
    assert "user demo2, the same password" in first_run[1].stdout
    assert {"Site", "Mailbox"} <= set(told)


def test_a_second_run_keeps_the_data_and_mails_nobody_again(instance: Path) -> None:
    before = mails(instance)
    done = run(instance, "--demo", "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 articles new" in done.stdout
    assert mails(instance) == before


def test_site_admin_and_mailbox_answer_and_one_ctrl_c_ends_everything(instance: Path) -> None:
    with running(instance) as (process, addresses):
        for name in ("Site", "Admin", "Mailbox"):
            with urllib.request.urlopen(addresses[name]) as answer:
                assert answer.status == 200
        os.killpg(process.pid, signal.SIGINT)
        status, out, err = ended(process)
    assert status == 0
    assert "Stopped." in out
    assert "Traceback" not in out + err
    assert_nothing_is_left(instance)
    port = int(addresses["Site"].rstrip("/").rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_second_instance_on_the_folder_is_told_to_choose_another(instance: Path) -> None:
    with running(instance) as (process, _):
        second = run(instance, "--demo", "--once")
        assert second.returncode == 1
        assert second.stderr.count("\n") == 1
        assert f"process {process.pid}" in second.stderr
        assert "DATA_DIR" in second.stderr
        process.terminate()
        assert ended(process)[0] == 0


def test_nothing_is_left_when_run_itself_is_killed(instance: Path) -> None:
    with running(instance) as (process, _):
        process.kill()
        process.wait()
    assert_nothing_is_left(instance)


@pytest.mark.parametrize("name", ["worker", "web"])
def test_a_process_that_dies_ends_the_rest_and_is_named(instance: Path, name: str) -> None:
    with running(instance) as (process, _):
        oldest = min(
            int(line.split()[0]) for line in processes_of(instance) if f"manage.py {name}" in line
        )
        os.kill(oldest, signal.SIGKILL)
        status, _, err = ended(process)
    assert status == 1
    assert f"The {name} process ended (signal 9)" in err
    assert "Traceback" not in err
    assert_nothing_is_left(instance)


def test_a_taken_port_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(tmp_path, "--demo", "--once", PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is taken" in done.stderr
    assert "make run PORT=" in done.stderr


@pytest.mark.parametrize("port", ["abc", "0", "70000"])
def test_a_port_that_is_none_is_refused_in_one_line(tmp_path: Path, port: str) -> None:
    done = run(tmp_path, "--demo", PORT=port)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"PORT={port}" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "secret@db.example/news"),
        ("SMTP_URL", "mail.example:secret"),
        ("SMTP_URL", "smtp://user:secret@mail.example:port"),
        ("TIME_ZONE", "Mars"),
        ("TICK_SECONDS", "often"),
        ("SENDERS", "many"),
        ("NEWSLETTER", "{secret"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_in_one_line_without_secrets(
    tmp_path: Path, name: str, value: str
) -> None:
    done = run(tmp_path, "--demo", **{name: value})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"Bollettino can't start: {name}")
    assert "secret" not in done.stderr


def test_a_folder_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = run(tmp_path / "file" / "var", "--demo")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "file/var" in done.stderr
    assert "DATA_DIR" in done.stderr


def test_a_database_that_does_not_answer_is_named_in_one_line(tmp_path: Path) -> None:
    url = f"postgres://nobody@127.0.0.1:{free_port()}/nothing"
    done = run(tmp_path, "--demo", DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "DATABASE_URL" in done.stderr


def test_once_makes_no_sense_without_the_demo(tmp_path: Path) -> None:
    done = run(tmp_path, "--once")
    assert done.returncode == 1
    assert "--demo" in done.stderr


def test_the_same_way_on_postgresql_and_redis(tmp_path: Path) -> None:
    server, broker = os.environ.get("DATABASE_URL", ""), os.environ.get("BROKER_URL", "")
    if not server.startswith("postgres") or not broker.startswith("redis"):
        pytest.skip("DATABASE_URL and BROKER_URL name no PostgreSQL and Redis")
    name = f"run_{free_port()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    done = run(
        tmp_path,
        "--demo",
        "--once",
        DATABASE_URL=f"{server.rpartition('/')[0]}/{name}",
        BROKER_URL=f"{broker.rpartition('/')[0]}/7",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PostgreSQL" in done.stdout
    assert mails(tmp_path) > 0


# --- make


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_make_run_names_a_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.2'\nexit 1\n")
    old.chmod(0o755)
    done = make("run", f"PYTHON={old}", f"VENV={tmp_path}/venv")
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert line == f"Bollettino needs Python 3.11 or newer; {old} is Python 3.9.2."


def test_make_help_names_every_target() -> None:
    told = make("help").stdout
    for target in ("run", "test", "demo", "help", "clean"):
        assert f"make {target} " in told
