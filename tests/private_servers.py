"""Private PostgreSQL and Redis servers on free loopback ports, from the machine's own binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_bin() -> Path | None:
    """The folder with PostgreSQL's server programs, newest version first; None without them."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def redis_binary() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    process.kill()
    process.wait()
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')}")


@contextmanager
def _folder() -> Iterator[Path]:
    # In memory where there is room: emptying tables after a test makes many small files.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2_000_000_000
    folder = Path(tempfile.mkdtemp(prefix="bollettino-test-", dir=memory if roomy else "/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: list[str], port: int, folder: Path, user: str | None) -> Iterator[None]:
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, user=user)
    try:
        _wait_for(port, process, log)
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """A database URL for an empty cluster that lasts as long as the block."""
    binaries = postgres_bin()
    if binaries is None:
        raise RuntimeError("PostgreSQL's server is not installed (Debian: postgresql).")
    # PostgreSQL refuses to run as root: use the user Debian's package makes.
    user = "postgres" if os.geteuid() == 0 else None
    port = free_port()
    with _folder() as folder:
        data = folder / "data"
        if user:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "bollettino", "--auth=trust"]
        subprocess.run(
            [*initdb, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
        )
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
        for setting in (
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            "max_connections=200",
            "fsync=off",
        ):
            command += ["-c", setting]
        with _running(command, port, folder, user):
            yield f"postgres://bollettino@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """A broker URL for an empty server that lasts as long as the block."""
    binary = redis_binary()
    if binary is None:
        raise RuntimeError("Redis is not installed (Debian: redis-server).")
    port = free_port()
    with _folder() as folder:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        with _running([*command, "--save", "", "--appendonly", "no"], port, folder, None):
            yield f"redis://127.0.0.1:{port}/0"
