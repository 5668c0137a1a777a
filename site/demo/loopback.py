"""An HTTP server on this machine alone, in a thread: what the blogs and the mailbox share."""

from __future__ import annotations

import signal
import socket
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self


class LoopbackHTTPServer(ThreadingHTTPServer):
    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this machine's name, which can hang offline.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]


class OnLoopback:
    """A context manager: while it is open it answers at `url`. A port of 0 takes a free one."""

    thread_name = "loopback"

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._http: LoopbackHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def listen(self, address: tuple[str, int]) -> LoopbackHTTPServer:
        """The server, not yet serving. Raises OSError when the port is taken."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """The server's own address, without a slash at the end."""
        if self._http is None:
            raise RuntimeError(f"{type(self).__name__} isn't started")
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        """Raises OSError when a port is taken."""
        self._http = self.listen(("127.0.0.1", self._port))
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.05},
            name=self.thread_name,
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def told_to_stop() -> threading.Event:
    """Set by Ctrl-C and by SIGTERM."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    return told
