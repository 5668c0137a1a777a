"""The socket under an SMTP session: what is written, and the replies that come back."""

from __future__ import annotations

import math
import re
import select
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache

from newsletter.delivery.server import Server
from newsletter.exceptions import TransportError

CONNECT_SECONDS = 15.0
COMMAND_SECONDS = 15.0
_MAX_LINE = 4096
_MAX_LINES = 100
_STATUS = re.compile(rb"[2-5]\d\d(?:[ -]|$)")
# Servers repeat the recipient in a refusal. What they say is kept and logged, longer than the
# member may want to be known.
_ADDRESS = re.compile(r"<?[^\s<>@:;,()]+@[^\s<>@:;,()]+>?")


@dataclass(frozen=True)
class Reply:
    code: int
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 400

    @property
    def permanent(self) -> bool:
        return 500 <= self.code < 600

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Wire:
    """A connection to a mail server. Every TransportError closes it and names the phase.

    `until`, of the monotonic clock: where somebody waits, nothing lasts longer.
    """

    def __init__(self, server: Server, *, until: float = math.inf) -> None:
        self.server = server
        self._until = until
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._timeout = 0.0

    def connect(self) -> None:
        server = self.server
        try:
            connection = socket.create_connection(
                (server.host, server.port), self._at_most(CONNECT_SECONDS)
            )
        except OSError as error:
            raise TransportError(
                f"The mail server {server} cannot be reached: {words_of(error)}.", phase="connect"
            ) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._take(connection)

    def encrypt(self) -> None:
        plain = self._open("starttls")
        if self._buffer:
            # Plain text injected before the encryption (CVE-2011-0411).
            self.close()
            raise TransportError("The mail server spoke before TLS began.", phase="starttls")
        try:
            context = ssl.create_default_context()
            self._take(context.wrap_socket(plain, server_hostname=self.server.host))
        except (OSError, ValueError) as error:
            self.close()
            raise TransportError(
                f"No encrypted connection to the mail server {self.server}: {words_of(error)}.",
                phase="starttls",
            ) from error

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    @property
    def own_address(self) -> str:
        return str(self._open("ehlo").getsockname()[0])

    def close(self) -> None:
        """Hang up at once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer = b""

    def write(self, data: bytes, phase: str) -> None:
        self.write_until(data, len(data), phase, phase)

    def write_until(self, data: bytes, point: int, before: str, after: str) -> None:
        """Write all of it; an error names the phase `before`, or `after` once `point` was passed.

        `sendall` does not tell how much went out, and whether a final dot did is what counts.
        """
        wire = self._open(before)
        written = 0
        try:
            self._wait_at_most(wire, self._at_most(COMMAND_SECONDS))
            written = wire.send(data)
            while written < len(data):
                written += wire.send(memoryview(data)[written:])
        except OSError as error:
            raise self._broken(error, before if written < point else after) from error

    def make_sure_it_stands(self, phase: str) -> None:
        """A write to a server that has hung up meanwhile seems to succeed: look before."""
        wire = self._open(phase)
        try:
            heard, _writable, _failed = select.select([wire], [], [], 0)
            # Beneath the encryption, which has nothing to say about this.
            if heard and not socket.socket.recv(wire, 1, socket.MSG_PEEK):
                raise ConnectionResetError("it hung up")
        except OSError as error:
            raise self._broken(error, phase) from error

    def read(self, phase: str, seconds: float | None = None) -> Reply:
        """One reply, which may have several lines. A 421 means that the server hangs up."""
        lines: list[bytes] = []
        deadline = 0.0
        while len(lines) < _MAX_LINES:
            line, ended, rest = self._buffer.partition(b"\n")
            if not ended:
                # For the whole reply: a server that sends a byte now and then does not gain time.
                deadline = deadline or time.monotonic() + self._at_most(seconds or COMMAND_SECONDS)
                self._receive_line(phase, deadline)
                continue
            self._buffer = rest
            lines.append(line)
            try:
                reply = _reply_of(*lines)
            except ValueError as error:
                self.close()
                raise TransportError(
                    f"The mail server {self.server} answered something that is not SMTP.",
                    phase=phase,
                ) from error
            if reply is not None:
                if reply.code == 421:
                    self.close()
                return reply
        self.close()
        raise TransportError(f"The mail server {self.server} talks without end.", phase=phase)

    def refused(self, reply: Reply, phase: str) -> TransportError:
        self.close()
        return TransportError(
            f"The mail server {self.server} refused ({phase}): {reply}.",
            phase=phase,
            code=reply.code,
            permanent=reply.permanent,
        )

    def _take(self, connection: socket.socket) -> None:
        self._socket = connection
        self._timeout = 0.0

    def _open(self, phase: str) -> socket.socket:
        if self._socket is None:
            raise TransportError("The connection to the mail server is closed.", phase=phase)
        return self._socket

    def _at_most(self, seconds: float) -> float:
        if self._until == math.inf:
            return seconds
        return max(min(seconds, self._until - time.monotonic()), 0.001)

    def _wait_at_most(self, wire: socket.socket, seconds: float) -> None:
        if seconds != self._timeout:
            wire.settimeout(seconds)
            self._timeout = seconds

    def _receive_line(self, phase: str, deadline: float) -> None:
        while b"\n" not in self._buffer:
            wire = self._open(phase)
            if len(self._buffer) > _MAX_LINE:
                self.close()
                raise TransportError("The mail server's answer is too long.", phase=phase)
            try:
                self._wait_at_most(wire, max(deadline - time.monotonic(), 0.001))
                received = wire.recv(8192)
            except OSError as error:
                raise self._broken(error, phase) from error
            if not received:
                raise self._broken(ConnectionResetError("it hung up"), phase)
            self._buffer += received

    def _broken(self, error: OSError, phase: str) -> TransportError:
        self.close()
        return TransportError(
            f"The connection to the mail server {self.server} broke ({phase}): {words_of(error)}.",
            phase=phase,
        )


@lru_cache(maxsize=64)  # a server says the same few things all day
def _reply_of(*lines: bytes) -> Reply | None:
    """None: more lines belong to it. Raises ValueError where the last of them is not SMTP."""
    bare = [line.rstrip(b"\r") for line in lines]
    if not _STATUS.match(bare[-1]):
        raise ValueError(bare[-1])
    if bare[-1][3:4] == b"-":
        return None
    words = (without_addresses(line[4:].decode("utf-8", "replace")) for line in bare)
    return Reply(int(bare[-1][:3]), "\n".join(words))


def without_addresses(words: str) -> str:
    return _ADDRESS.sub("(address)", words) if "@" in words else words


def words_of(error: Exception) -> str:
    """What happened, without the exception's own decoration."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error)
