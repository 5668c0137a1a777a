"""SMTP phase by phase, on a socket.

The standard library's client raises one and the same error whether the connection broke before
the server took the message or after it. The ledger needs to know which: so every step is driven
here, and an error carries the phase it happened in.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from newsletter import conf
from newsletter.delivery.server import Server
from newsletter.exceptions import TransportError

CONNECT_SECONDS = 15.0
COMMAND_SECONDS = 15.0
# After the final dot. Less than RFC 5321 wants (10 minutes), because a lease must outlive it; a
# server slower than this leaves the delivery uncertain, it does not lead to a second copy.
REPLY_SECONDS = 50.0
_MAX_LINE = 4096
_MAX_LINES = 100
# Servers repeat the recipient in a refusal. What they say is kept and logged, longer than the
# member may want to be known.
_ADDRESS = re.compile(r"<?[^\s<>@:;,()]+@[^\s<>@:;,()]+>?")
# Blank space and brackets would end the address inside a command.
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")


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


class Silence(TransportError):
    """The final dot went out and no answer came: the server may have the message."""


class Connection:
    """One session with a mail server. After a TransportError it is closed and of no more use."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.extensions: dict[str, str] = {}
        self.handed_over = 0  # messages that this connection carried to an answer
        self._socket: socket.socket | None = None
        self._buffer = b""

    # --- beginning and end

    def open(self) -> Self:
        """Connected, greeted, encrypted and logged in, as far as the server's settings say."""
        server = self.server
        try:
            connection = socket.create_connection((server.host, server.port), CONNECT_SECONDS)
        except OSError as error:
            raise TransportError(
                f"The mail server {server} cannot be reached: {_words(error)}.", phase="connect"
            ) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        try:
            if server.tls == "implicit":
                self._encrypt()
            self._expect(self._read("greeting"), "greeting")
            self._hello()
            if server.tls == "starttls":
                self._start_tls()
            if server.user:
                self._log_in()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def close(self) -> None:
        """Hang up at once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer = b""

    def quit(self) -> None:
        """Say goodbye and hang up; what the server answers does not matter."""
        if self._socket is None:
            return
        try:
            self._socket.settimeout(2)
            self._socket.sendall(b"QUIT\r\n")
            self._socket.recv(512)
        except OSError:
            pass
        finally:
            self.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.quit()

    # --- a message

    def envelope(self, sender: str, recipient: str, *, size: int = 0) -> tuple[Reply, Reply | None]:
        """MAIL and RCPT, for one recipient. The second reply is None when the first refuses.

        A refusal leaves the connection ready for the next envelope.
        """
        options = ""
        if size and "SIZE" in self.extensions:
            options += f" SIZE={size}"
        if not recipient.isascii():
            if "SMTPUTF8" not in self.extensions:
                return Reply(250, ""), Reply(553, "5.6.7 SMTPUTF8 is not offered")
            options += " BODY=8BITMIME SMTPUTF8" if "8BITMIME" in self.extensions else " SMTPUTF8"
        for address in (sender, recipient):
            if _UNSAFE.search(address) or not address:
                return Reply(250, ""), Reply(553, "5.1.3 not an address")
        mail = f"MAIL FROM:<{sender}>{options}\r\n".encode()
        rcpt = f"RCPT TO:<{recipient}>\r\n".encode()
        second: Reply | None = None
        if "PIPELINING" in self.extensions:
            self._write(mail + rcpt, "mail")
            first = self._read("mail")
            second = self._read("rcpt")
        else:
            first = self._command(mail, "mail")
            if first.ok:
                second = self._command(rcpt, "rcpt")
        if not first.ok:
            second = None
        if not first.ok or second is None or not second.ok:
            self.reset()
        return first, second

    def reset(self) -> None:
        """Forget the envelope; a server that hangs up instead has forgotten it, too."""
        with contextlib.suppress(TransportError):  # which closes the connection
            self._expect(self._command(b"RSET\r\n", "mail"), "mail")

    def hand_over(self, message: bytes) -> Reply:
        """DATA, the message, the final dot; the server's answer.

        `message` is as it goes over the wire: CRLF line ends, no line starting with a dot.
        An error before the final dot is a TransportError: the server has no message. After it,
        anything but an answer is a Silence.
        """
        go = self._command(b"DATA\r\n", "data")
        if go.code != 354:
            if go.ok:
                self.close()
                raise TransportError(f"The mail server answered DATA with {go}.", phase="data")
            self.reset()
            return go
        # The dot goes out by itself: when writing the message fails, it has not been sent.
        self._write(message if message.endswith(b"\r\n") else message + b"\r\n", "body")
        try:
            self._write(b".\r\n", "reply")
            reply = self._read("reply", REPLY_SECONDS)
        except TransportError as error:
            raise Silence(str(error), phase="reply") from error
        if not 200 <= reply.code < 300 and not 400 <= reply.code < 600:
            self.close()
            raise Silence(f"The mail server answered a message with {reply}.", phase="reply")
        self.handed_over += 1
        return reply

    # --- the steps of the beginning

    def _hello(self) -> None:
        reply = self._command(f"EHLO {self._own_name()}\r\n".encode(), "ehlo")
        if reply.permanent:
            reply = self._command(f"HELO {self._own_name()}\r\n".encode(), "ehlo")
            self._expect(reply, "ehlo")
            self.extensions = {}
            return
        self._expect(reply, "ehlo")
        self.extensions = {}
        for line in reply.text.split("\n")[1:]:
            keyword, _, value = line.strip().partition(" ")
            self.extensions[keyword.upper()] = value.upper()

    def _own_name(self) -> str:
        """A configured name, else the address literal: asking the DNS for ours may take long."""
        domain = str(conf.get("MESSAGE_DOMAIN"))
        if domain and domain.isascii():
            return domain
        address = self._wire("ehlo").getsockname()[0]
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def _start_tls(self) -> None:
        if "STARTTLS" not in self.extensions:
            raise TransportError(
                f"The mail server {self.server} does not offer STARTTLS; nothing is sent in the "
                "clear. Ask for another port, or take tls=starttls out of SMTP_URL.",
                phase="starttls",
            )
        self._expect(self._command(b"STARTTLS\r\n", "starttls"), "starttls")
        if self._buffer:
            # Plain text injected before the encryption (CVE-2011-0411).
            raise TransportError("The mail server spoke before TLS began.", phase="starttls")
        self._encrypt()
        self._hello()

    def _encrypt(self) -> None:
        plain = self._wire("starttls")
        try:
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(plain, server_hostname=self.server.host)
        except (OSError, ValueError) as error:
            raise TransportError(
                f"No encrypted connection to the mail server {self.server}: {_words(error)}.",
                phase="starttls",
            ) from error

    def _log_in(self) -> None:
        methods = self.extensions.get("AUTH", "").split()
        user, password = self.server.user.encode(), self.server.password.encode()
        if "PLAIN" in methods:
            secret = base64.b64encode(b"\0" + user + b"\0" + password)
            reply = self._command(b"AUTH PLAIN " + secret + b"\r\n", "auth")
        elif "LOGIN" in methods:
            reply = self._command(b"AUTH LOGIN\r\n", "auth")
            for answer in (user, password):
                if reply.code == 334:
                    reply = self._command(base64.b64encode(answer) + b"\r\n", "auth")
        else:
            raise TransportError(
                f"The mail server {self.server} offers no way to log in that we know "
                "(PLAIN or LOGIN).",
                phase="auth",
            )
        if reply.code != 235:
            self._refused(reply, "auth")

    # --- the wire

    def _wire(self, phase: str) -> socket.socket:
        if self._socket is None:
            raise TransportError("The connection to the mail server is closed.", phase=phase)
        return self._socket

    def _expect(self, reply: Reply, phase: str) -> None:
        if not 200 <= reply.code < 300:
            self._refused(reply, phase)

    def _refused(self, reply: Reply, phase: str) -> None:
        self.close()
        raise TransportError(
            f"The mail server {self.server} refused ({phase}): {reply}.",
            phase=phase,
            code=reply.code,
            permanent=reply.permanent,
        )

    def _command(self, line: bytes, phase: str) -> Reply:
        self._write(line, phase)
        return self._read(phase)

    def _write(self, data: bytes, phase: str) -> None:
        wire = self._wire(phase)
        try:
            wire.settimeout(COMMAND_SECONDS)
            wire.sendall(data)
        except OSError as error:
            raise self._broken(error, phase) from error

    def _read(self, phase: str, seconds: float | None = None) -> Reply:
        """One reply, which may have several lines. A 421 means that the server hangs up."""
        lines: list[str] = []
        # For the whole reply: a server that sends a byte now and then does not gain time.
        deadline = time.monotonic() + (seconds or COMMAND_SECONDS)
        while len(lines) < _MAX_LINES:
            line = self._line(phase, deadline)
            if not re.match(rb"[2-5]\d\d(?:[ -]|$)", line):
                self.close()
                raise TransportError(
                    f"The mail server {self.server} answered something that is not SMTP.",
                    phase=phase,
                )
            lines.append(_ADDRESS.sub("(address)", line[4:].decode("utf-8", "replace")))
            if line[3:4] != b"-":
                reply = Reply(int(line[:3]), "\n".join(lines))
                if reply.code == 421 and phase != "reply":
                    self._refused(reply, phase)
                elif reply.code == 421:
                    self.close()
                return reply
        self.close()
        raise TransportError(f"The mail server {self.server} talks without end.", phase=phase)

    def _line(self, phase: str, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            wire = self._wire(phase)
            if len(self._buffer) > _MAX_LINE:
                self.close()
                raise TransportError("The mail server's answer is too long.", phase=phase)
            try:
                wire.settimeout(max(deadline - time.monotonic(), 0.001))
                received = wire.recv(8192)
            except OSError as error:
                raise self._broken(error, phase) from error
            if not received:
                raise self._broken(ConnectionResetError("it hung up"), phase)
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _broken(self, error: OSError, phase: str) -> TransportError:
        self.close()
        return TransportError(
            f"The connection to the mail server {self.server} broke ({phase}): {_words(error)}.",
            phase=phase,
        )


def _words(error: Exception) -> str:
    """What happened, without the exception's own decoration."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", None) or error)
