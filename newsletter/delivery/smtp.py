"""SMTP phase by phase.

The standard library's client raises one and the same error whether the connection broke before
the server took the message or after it. The ledger needs to know which: so every step is driven
here, and an error carries the phase it happened in.
"""

from __future__ import annotations

import base64
import contextlib
import math
import re
from types import TracebackType
from typing import NamedTuple, Self

from newsletter import conf
from newsletter.delivery.server import Server
from newsletter.delivery.wire import Reply, Wire
from newsletter.exceptions import TransportError

# After the final dot. Less than RFC 5321 wants (10 minutes), because a lease must outlive it; a
# server slower than this leaves the delivery uncertain, it does not lead to a second copy.
REPLY_SECONDS = 50.0
# Blank space and brackets would end the address inside a command.
_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
_NOT_ASKED = Reply(250, "")


class Silence(TransportError):
    """The final dot went out and no answer came: the server may have the message."""


class Envelope(NamedTuple):
    """From whom, to whom (one recipient, always), and how large in bytes."""

    sender: str
    recipient: str
    size: int = 0


class Opening(NamedTuple):
    """The answers to MAIL, RCPT and DATA; None after the first that refuses."""

    mail: Reply
    rcpt: Reply | None = None
    data: Reply | None = None

    @property
    def is_open(self) -> bool:
        """The server waits for the message."""
        return self.data is not None and self.data.code == 354

    @property
    def last(self) -> Reply:
        """The answer that counts: a refusal, if there is one."""
        return self.data or self.rcpt or self.mail


class Connection:
    """One session with a mail server. After a TransportError it is closed and of no more use."""

    def __init__(self, server: Server, *, until: float = math.inf) -> None:
        """See Wire of `until`."""
        self.server = server
        self.extensions: dict[str, str] = {}
        self.handed_over = 0  # messages that this connection carried to an answer
        self._wire = Wire(server, until=until)
        # Its commands went out with the message before it; the answers are still to be read.
        self._announced: Envelope | None = None
        self._takes = False  # the server takes whatever is written for the message, or its rest
        self._started = False  # and has all of it but the final dot

    # --- beginning and end

    def open(self) -> Self:
        """Connected, greeted, encrypted and logged in, as far as the server's settings say."""
        self._announced = None
        self._takes = self._started = False
        self._wire.connect()
        try:
            if self.server.tls == "implicit":
                self._wire.encrypt()
            self._expect(self._wire.read("greeting"), "greeting")
            self._hello()
            if self.server.tls == "starttls":
                self._start_tls()
            if self.server.user:
                self._log_in()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def is_open(self) -> bool:
        return self._wire.is_open

    @property
    def is_idle(self) -> bool:
        """No envelope is open or announced."""
        return self._announced is None and not self._takes

    def close(self) -> None:
        """Hang up at once. A message that was not handed over to its end is not delivered."""
        self._wire.close()

    def quit(self) -> None:
        """Say goodbye and hang up; what the server answers does not matter."""
        if self.is_open and self.is_idle:
            with contextlib.suppress(TransportError):
                self._wire.write(b"QUIT\r\n", "quit")
                self._wire.read("quit", 2.0)
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

    def open_envelope(self, envelope: Envelope) -> Opening:
        """MAIL, RCPT and DATA, in one write where the server offers PIPELINING (RFC 2920).

        Nothing is sent for an envelope that was announced with the message before it. A refusal
        leaves the connection ready for the next envelope.
        """
        if self._announced != envelope:
            refused = self._refusal(envelope)
            if refused is not None:
                return Opening(_NOT_ASKED, refused)
            if self._announced is not None:
                # Its DATA may have been granted: only hanging up takes that back.
                self.close()
                self.open()
        if "PIPELINING" in self.extensions:
            if self._announced is None:
                self._wire.write(b"".join(self._commands(envelope)), "mail")
            self._announced = None
            opening = self._read_opening()
        else:
            opening = self._ask_in_turn(envelope)
        if opening.data is not None and opening.data.ok and not opening.is_open:
            self.close()
            raise TransportError(
                f"The mail server answered DATA with {opening.data}.", phase="data"
            )
        self._takes = opening.is_open
        if not opening.is_open:
            self._reset()
        return opening

    def start(self, message: bytes) -> None:
        """All of the message but the final dot, after an open envelope: nothing is delivered yet.

        `message` is as it goes over the wire: CRLF line ends, no line starting with a dot.
        """
        self._wire.write(message, "body")
        self._started = True

    def finish(self, message: bytes, following: Envelope | None = None) -> None:
        """The message, or what `start` left of it, to the final dot.

        `following` is the envelope that will be opened next: with PIPELINING its commands go out
        in the same write. An error before the final dot is a TransportError: the server has no
        message. After it, it is a Silence.
        """
        end = b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n"
        whole = message + end
        if self._started:
            self._wire.make_sure_it_stands("body")
            whole = end
        announced = None
        commands: list[bytes] = []
        if following and "PIPELINING" in self.extensions and self._refusal(following) is None:
            announced, commands = following, self._commands(following)
        # All but the last byte of the dot may go out without the message being complete.
        point = len(whole)
        try:
            self._wire.write_until(b"".join([whole, *commands]), point, "body", "reply")
        except TransportError as error:
            if error.phase == "body":
                raise
            raise Silence(str(error), phase="reply") from error
        self._takes = self._started = False
        self._announced = announced

    def read_answer(self) -> Reply:
        """To the message that was finished; anything but an answer is a Silence."""
        try:
            reply = self._wire.read("reply", REPLY_SECONDS)
        except TransportError as error:
            raise Silence(str(error), phase="reply") from error
        if not 200 <= reply.code < 300 and not 400 <= reply.code < 600:
            self.close()
            raise Silence(f"The mail server answered a message with {reply}.", phase="reply")
        self.handed_over += 1
        return reply

    def _refusal(self, envelope: Envelope) -> Reply | None:
        """What we say ourselves, without asking the server."""
        for address in (envelope.sender, envelope.recipient):
            if _UNSAFE.search(address) or not address:
                return Reply(553, "5.1.3 not an address")
        if not envelope.recipient.isascii() and "SMTPUTF8" not in self.extensions:
            return Reply(553, "5.6.7 SMTPUTF8 is not offered")
        return None

    def _commands(self, envelope: Envelope) -> list[bytes]:
        options = f" SIZE={envelope.size}" if envelope.size and "SIZE" in self.extensions else ""
        if not envelope.recipient.isascii():
            options += " BODY=8BITMIME SMTPUTF8" if "8BITMIME" in self.extensions else " SMTPUTF8"
        return [
            f"MAIL FROM:<{envelope.sender}>{options}\r\n".encode(),
            f"RCPT TO:<{envelope.recipient}>\r\n".encode(),
            b"DATA\r\n",
        ]

    def _read_opening(self) -> Opening:
        mail, rcpt, data = self._answer("mail"), self._answer("rcpt"), self._answer("data")
        if (not mail.ok or not rcpt.ok) and data.code == 354:
            # It waits for a message to nobody. Whatever we wrote would be that message.
            self.close()
        if not mail.ok:
            return Opening(mail)
        return Opening(mail, rcpt, data) if rcpt.ok else Opening(mail, rcpt)

    def _ask_in_turn(self, envelope: Envelope) -> Opening:
        replies: list[Reply] = []
        for command, phase in zip(self._commands(envelope), ("mail", "rcpt", "data"), strict=True):
            self._wire.write(command, phase)
            replies.append(self._answer(phase))
            if not replies[-1].ok:
                break
        return Opening(*replies)

    def _answer(self, phase: str) -> Reply:
        reply = self._wire.read(phase)
        if reply.code == 421:
            raise self._wire.refused(reply, phase)
        return reply

    def _reset(self) -> None:
        """Forget the envelope; a server that hangs up instead has forgotten it, too."""
        if self.is_open:
            with contextlib.suppress(TransportError):  # which closes the connection
                self._expect(self._command(b"RSET\r\n", "mail"), "mail")

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
        address = self._wire.own_address
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def _start_tls(self) -> None:
        if "STARTTLS" not in self.extensions:
            raise TransportError(
                f"The mail server {self.server} does not offer STARTTLS; nothing is sent in the "
                "clear. Ask for another port, or take tls=starttls out of SMTP_URL.",
                phase="starttls",
            )
        self._expect(self._command(b"STARTTLS\r\n", "starttls"), "starttls")
        self._wire.encrypt()
        self._hello()

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
            raise self._wire.refused(reply, "auth")

    def _expect(self, reply: Reply, phase: str) -> None:
        if not 200 <= reply.code < 300:
            raise self._wire.refused(reply, phase)

    def _command(self, line: bytes, phase: str) -> Reply:
        self._wire.write(line, phase)
        return self._answer(phase)
