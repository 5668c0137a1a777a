"""Private PostgreSQL, Redis and RabbitMQ on loopback, from the machine's own binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg


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


def program(name: str) -> str | None:
    """Where it is, also among those that Debian keeps for administrators."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/postfix/sbin")


def redis_binary() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def rabbitmq_binary() -> str | None:
    # Debian's /usr/sbin/rabbitmq-server knows one node only.
    return shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin:/opt/rabbitmq/sbin")


@contextmanager
def _folder(user: str | None = None) -> Iterator[Path]:
    """A new one, owned by `user` if one is named."""
    # In memory where there is room: emptying tables after a test makes many small files.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2_000_000_000
    folder = Path(tempfile.mkdtemp(prefix="bollettino-test-", dir=memory if roomy else "/tmp"))
    if user:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Server:
    """A program that listens on `port`; it can be killed like a machine that loses power."""

    url: str
    command: list[str]
    port: int
    folder: Path  # its own; its log is there
    user: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    seconds: float = 30  # that it may take to start
    answers: Callable[[str], bool] = lambda url: True  # asked once it listens

    def start(self) -> None:
        log = self.folder / "server.log"
        deadline = time.monotonic() + self.seconds
        while True:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    self.command,
                    stdout=output,
                    stderr=output,
                    user=self.user,
                    env=os.environ | self.env,
                    start_new_session=True,
                )
            if self._listens(deadline):
                return
            self.kill()
            # A killed PostgreSQL may still be going down.
            if time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.2)

    def kill(self) -> None:
        """-9, with all its children, which listen no more when this returns."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + 10
        while self._is_listening() and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=15)
        self.kill()

    def _listens(self, deadline: float) -> bool:
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._is_listening() and self.answers(self.url):
                return True
            time.sleep(0.1)
        return False

    def _is_listening(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def postgres() -> Iterator[str]:
    """A database URL for an empty cluster that lasts as long as the block."""
    with postgres_server() as server:
        yield server.url


@contextmanager
def postgres_server() -> Iterator[Server]:
    binaries = postgres_bin()
    if binaries is None:
        raise RuntimeError("PostgreSQL's server is not installed (Debian: postgresql).")
    # PostgreSQL refuses to run as root: use the user Debian's package makes.
    user = "postgres" if os.geteuid() == 0 else None
    port = free_port()
    with _folder(user) as folder:
        data = folder / "data"
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
        url = f"postgres://bollettino@127.0.0.1:{port}/postgres"
        with _running(
            Server(url, command, port, folder, user, answers=_takes_connections)
        ) as server:
            yield server


def _takes_connections(url: str) -> bool:
    """After a crash PostgreSQL listens before it has recovered, and refuses whoever comes."""
    with suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False


@contextmanager
def redis() -> Iterator[str]:
    """A broker URL for an empty server that lasts as long as the block."""
    with redis_server() as server:
        yield server.url


@contextmanager
def redis_server() -> Iterator[Server]:
    """It keeps nothing on disk: killed, it has lost every task."""
    binary = redis_binary()
    if binary is None:
        raise RuntimeError("Redis is not installed (Debian: redis-server).")
    port = free_port()
    with _folder() as folder:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--save", "", "--appendonly", "no"]
        with _running(Server(f"redis://127.0.0.1:{port}/0", command, port, folder)) as server:
            yield server


@contextmanager
def rabbitmq_server() -> Iterator[Server]:
    """A node of its own; what it keeps lies in the folder `data`."""
    binary = rabbitmq_binary()
    if binary is None:
        raise RuntimeError("RabbitMQ is not installed (Debian: rabbitmq-server).")
    user = "rabbitmq" if os.geteuid() == 0 else None
    port, other, mapper = free_port(), free_port(), free_port()
    with _folder(user) as folder:
        env = {
            "HOME": str(folder),  # where Erlang's cookie lies
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(other),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "no-plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
        }
        url = f"amqp://guest:guest@127.0.0.1:{port}//"
        server = Server(url, [binary], port, folder, user, env, seconds=60)
        try:
            with _running(server):
                yield server
        finally:
            # Erlang's port mapper, which the node started beside itself.
            mapping = os.environ | {"ERL_EPMD_PORT": str(mapper)}
            subprocess.run(["epmd", "-kill"], env=mapping, capture_output=True, check=False)
