"""Real servers on loopback, for tests: one that answers for feeds, one that receives mail."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.private_servers import free_port


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Responder = Callable[[Request], Answer]


class FeedServer:
    """Answers what the test says, at the paths the test names; remembers what was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, Responder] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers_seen = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers_seen)
                server.requests.append(request)
                path = self.path.partition("?")[0]
                responder = server._answers.get(self.path) or server._answers.get(path)
                answer = responder(request) if responder else Answer(404, b"not here")
                self.send_response(answer.status)
                headers = {"Content-Type": "application/rss+xml; charset=UTF-8"} | answer.headers
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                # A client that hangs up in the middle is what some tests are about.
                if not isinstance(sys.exc_info()[1], ConnectionError | ssl.SSLError):
                    super().handle_error(request, client_address)

        self._http = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def serve(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Serves `body` at `path` from now on; the absolute address."""
        content = body.encode() if isinstance(body, str) else body
        answer = Answer(status, content, headers or {})
        return self.respond(path, lambda request: answer)

    def respond(self, path: str, responder: Responder) -> str:
        """Lets `responder` answer at `path` from now on; the absolute address."""
        self._answers[path] = responder
        return self.url + path

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


Script = Callable[[socket.socket], None]


class RawServer:
    """A server of feeds that misbehaves: hands each connection, its request read, to `script`."""

    def __init__(self) -> None:
        self.script: Script = lambda connection: None
        self.heard: Callable[[bytes], None] = lambda request: None
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
                self.heard(connection.recv(65536))
                self.script(connection)

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(10)
        self._listener.close()


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.SMTPUTF8)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        return part.get_content() if part else ""


class Mailbox:
    """An SMTP server that keeps what it receives."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self.received.append(Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        return f"250 2.0.0 Ok: queued as {len(self.received):X}"

    def of(self, address: str) -> list[Received]:
        """What this address received, oldest first."""
        return [mail for mail in self.received if address in mail.recipients]

    @property
    def port(self) -> int:
        server = self._controller.server
        assert server is not None
        return int(server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()
