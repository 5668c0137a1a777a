"""A server that misbehaves on the wire, where `feed_server` always answers properly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

Script = Callable[[socket.socket], None]


class RawServer:
    """Hands each connection, its request read, to `script`."""

    def __init__(self) -> None:
        self.script: Script = lambda connection: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/feed"
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _address = self._listener.accept()
            except TimeoutError:
                continue
            with connection, suppress(OSError):
                connection.settimeout(5)
                connection.recv(65536)
                self.script(connection)

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()
