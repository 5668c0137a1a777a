"""An SMTP server that does what a test tells it to, at every phase."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.servers import Received

_MESSAGE_ID = re.compile(rb"^Message-ID: (<[^>\r\n]+>)", re.MULTILINE | re.IGNORECASE)


@dataclass
class Rule:
    """Applies at a phase, `times` times, to lines that contain `match`."""

    phase: str
    reply: str = ""  # instead of the usual one; empty: hang up
    match: str = ""
    times: int = 1_000_000
    after_seconds: float = 0.0
    before_reply_keep: bool = False  # the message is taken, and then comes what the rule says


@dataclass
class ScriptedServer:
    """Phases: greeting, ehlo, starttls, auth, mail, rcpt, rset, data (the command), body (hangs up
    half way through the message) and reply (after the final dot, the message kept or not)."""

    extensions: tuple[str, ...] = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8")
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    users: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0  # seconds between keeping a message and saying so
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0  # messages being taken, not answered yet
    most_at_once: int = 0
    rules: list[Rule] = field(default_factory=list)

    # --- what the test says and asks

    def hold_after(self, messages: int) -> None:
        """Takes so many more messages, and answers neither the last nor any other until released.

        Whoever sends stands still then, so that a test may do its thing half way for certain.
        """
        with self._lock:
            self._held_from = len(self.received) + messages
        self._released.clear()

    def release(self) -> None:
        self._released.set()

    @property
    def is_holding(self) -> bool:
        return not self._released.is_set() and len(self.received) >= self._held_from

    def answer(self, phase: str, reply: str, *, match: str = "", times: int = 1_000_000) -> None:
        self.rules.append(Rule(phase, reply, match, times))

    def hang_up(self, phase: str, *, match: str = "", times: int = 1) -> None:
        self.rules.append(Rule(phase, "", match, times))

    def keep_and_hang_up(self, *, match: str = "", times: int = 1) -> None:
        """Takes the message after the final dot and says nothing."""
        self.rules.append(Rule("reply", "", match, times, before_reply_keep=True))

    def wait(self, phase: str, seconds: float, reply: str, *, times: int = 1_000_000) -> None:
        self.rules.append(Rule(phase, reply, "", times, after_seconds=seconds))

    def forget_rules(self) -> None:
        self.rules.clear()

    def of(self, address: str) -> list[Received]:
        return [mail for mail in self.received if address in mail.recipients]

    @property
    def message_ids(self) -> list[str]:
        """Of all messages that were taken, a doubled one twice."""
        with self._lock:
            kept = list(self.received)
        found = [_MESSAGE_ID.search(mail.raw) for mail in kept]
        return [match.group(1).decode() for match in found if match]

    def wait_until_quiet(self, seconds: float = 30) -> None:
        """Until nobody is connected any more: whatever was on its way has been taken."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                if not self._open:
                    return
            time.sleep(0.005)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    # --- running

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._held_from = 0
        self._released = threading.Event()
        self._released.set()
        self._open: set[socket.socket] = set()
        script = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                script._talk(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.server_close()

    # --- one session

    def _rule(self, phase: str, line: str) -> Rule | None:
        with self._lock:
            for rule in self.rules:
                if rule.phase == phase and rule.times > 0 and rule.match in line:
                    rule.times -= 1
                    return rule
        return None

    def _talk(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        # Several small answers in a row are not held back until the client has seen the first.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = _Session(self, connection)
        with contextlib.suppress(OSError, _HungUp, ssl.SSLError):
            session.run()
        with self._lock:
            self._open.discard(connection)
        with contextlib.suppress(OSError):
            session.connection.close()


class _HungUp(Exception):
    pass


class _Session:
    def __init__(self, server: ScriptedServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.buffer = b""
        self.sender = ""
        self.recipient = ""

    def run(self) -> None:
        if self.server.implicit_tls:
            self._encrypt()
        # For rules: which one it is, of those that are open
        self._say("greeting", f"connection {len(self.server._open)}", "220 scripted.example ESMTP")
        while True:
            line = self._line()
            verb = line.split(" ")[0].split(":")[0].upper()
            self.server.commands.append(line if verb != "AUTH" else "AUTH")
            match verb:
                case "EHLO":
                    shown = [f"250-{one}" for one in self._extensions()]
                    self._say("ehlo", line, "\r\n".join(["250-scripted.example", *shown, "250 OK"]))
                case "STARTTLS":
                    self._say("starttls", line, "220 go ahead")
                    self._encrypt()
                case "AUTH":
                    self._auth(line)
                case "MAIL":
                    if self._say("mail", line, "250 2.1.0 Ok"):
                        self.sender = line[line.index("<") + 1 : line.index(">")]
                case "RCPT":
                    if not self.sender:
                        self._send("503 5.5.1 MAIL first")
                    elif self._say("rcpt", line, "250 2.1.5 Ok"):
                        self.recipient = line[line.index("<") + 1 : line.index(">")]
                case "DATA":
                    if not self.recipient:
                        self._send("503 5.5.1 RCPT first")
                    elif self._say("data", self.recipient, "354 go on"):
                        self._message()
                case "RSET":
                    self.sender = self.recipient = ""
                    self._say("rset", line, "250 2.0.0 Ok")
                case "QUIT":
                    self._send("221 2.0.0 Bye")
                    return
                case _:
                    self._send("250 Ok")

    def _extensions(self) -> list[str]:
        more = list(self.server.extensions)
        encrypted = isinstance(self.connection, ssl.SSLSocket)
        if self.server.tls and not encrypted:
            more.append("STARTTLS")
        if self.server.users:
            more.append("AUTH PLAIN LOGIN")
        return more

    def _auth(self, line: str) -> None:
        import base64

        words = line.split(" ")
        if words[1] == "PLAIN":
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
        else:
            self._send("334 VXNlcm5hbWU6")
            user = base64.b64decode(self._line()).decode()
            self._send("334 UGFzc3dvcmQ6")
            password = base64.b64decode(self._line()).decode()
        good = self.server.users.get(user) == password
        self._say("auth", line, "235 2.7.0 welcome" if good else "535 5.7.8 wrong")

    def _message(self) -> None:
        for rule in self.server.rules:
            if rule.phase == "body" and self.server._rule("body", self.recipient):
                self.connection.recv(1000)
                self._hang_up()
        while b"\r\n.\r\n" not in self.buffer:
            self._receive()
        content, _, self.buffer = self.buffer.partition(b"\r\n.\r\n")
        with self.server._lock:
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        self._take(content)

    def _taken(self) -> None:
        """Said before the answer is: after it, the next one may come in elsewhere at once."""
        with self.server._lock:
            self.server.at_once -= 1

    def _take(self, content: bytes) -> None:
        lines = (content + b"\r\n").split(b"\r\n")
        raw = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
        rule = self.server._rule("reply", self.recipient)
        number = 0
        if rule is None or rule.before_reply_keep:
            with self.server._lock:
                self.server.received.append(Received(self.sender, (self.recipient,), raw))
                number = len(self.server.received)
        if rule is not None:
            time.sleep(rule.after_seconds)
            self._taken()
            if not rule.reply:
                self._hang_up()
            self._send(rule.reply)
        else:
            if number >= self.server._held_from:
                self.server._released.wait()
            time.sleep(self.server.slow)
            self._taken()
            self._send(f"250 2.0.0 Ok: queued as {number:07X}")
        self.sender = self.recipient = ""

    def _say(self, phase: str, line: str, usual: str) -> bool:
        """The usual reply or the rule's; whether it was one that lets the client go on."""
        rule = self.server._rule(phase, line)
        if rule is None:
            self._send(usual)
            return usual[0] in "23"
        time.sleep(rule.after_seconds)
        if not rule.reply:
            self._hang_up()
        self._send(rule.reply)
        if rule.reply.startswith("421"):
            self._hang_up()
        return rule.reply[0] in "23"

    def _send(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def _line(self) -> str:
        while b"\r\n" not in self.buffer:
            self._receive()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    def _receive(self) -> None:
        received = self.connection.recv(65536)
        if not received:
            raise _HungUp
        self.buffer += received

    def _hang_up(self) -> None:
        self.connection.close()
        raise _HungUp

    def _encrypt(self) -> None:
        assert self.server.tls is not None
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
