"""The mailbox that bounces lie in, by POP3 or IMAP.

A mail is taken in first and taken out of the mailbox then: whoever is killed in between finds it
again, and a report that was counted counts no second time.
"""

from __future__ import annotations

import imaplib
import poplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from newsletter.delivery.bounces.reading import MOST_BYTES
from newsletter.delivery.server import Tls
from newsletter.delivery.wire import words_of
from newsletter.exceptions import MailboxUnreachable

SECONDS = 20.0
_PORTS = {("pop3", "implicit"): 995, ("pop3", "starttls"): 110, ("pop3", "none"): 110,
          ("imap", "implicit"): 993, ("imap", "starttls"): 143, ("imap", "none"): 143}  # fmt: skip
# Of a mail larger than is read, the lines that POP3 is asked for.
_LINES_OF_A_LARGE_ONE = 2000
_MOST_REOPENINGS = 5


@dataclass(frozen=True)
class Account:
    """Where the mailbox is. `str()` of it never shows the password."""

    protocol: Literal["pop3", "imap"]
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    # "starttls" means: or not at all. There is no fall-back to plain text.
    tls: Tls
    folder: str = "INBOX"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Mailbox(Protocol):
    def mails(self, most: int) -> Iterator[bytes | None]:
        """One after the other; None for one that the protocol cannot carry.

        Each is gone or put aside when the next is asked for: see `keep`.
        """
        ...

    def keep(self) -> None:
        """Leave the mail in hand for a person, where the protocol can."""
        ...


def parse_url(url: str) -> Account:
    """`imaps://user:password@host/INBOX`, `pop3s://…`, `imap://…?tls=starttls`."""
    parts = urlsplit(url)
    protocol = parts.scheme.removesuffix("s")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = options.pop("tls", "implicit" if parts.scheme.endswith("s") else "none")
    try:
        port = parts.port
    except ValueError:
        protocol, port = "", None
    if (
        protocol not in ("pop3", "imap")
        or not parts.hostname
        or not parts.username
        or options
        or tls not in ("none", "starttls", "implicit")
        or (parts.scheme.endswith("s") and tls != "implicit")
    ):
        raise ImproperlyConfigured(
            "BOUNCE_MAILBOX looks like imaps://user:password@host/INBOX or "
            "pop3s://user:password@host"
        )
    return Account(
        protocol=protocol,  # type: ignore[arg-type]
        host=parts.hostname,
        port=port or _PORTS[protocol, tls],
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        tls=tls,  # type: ignore[arg-type]
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


@contextmanager
def opened(account: Account) -> Iterator[Mailbox]:
    """Raises MailboxUnreachable, also for what goes wrong later on."""
    box = Imap(account) if account.protocol == "imap" else Pop3(account)
    try:
        box.open()
        yield box
        box.end()
    except (OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto) as error:
        raise MailboxUnreachable(
            _("The mailbox for bounces on %(server)s cannot be read: %(error)s")
            % {"server": account, "error": _words(error)}
        ) from error
    finally:
        box.close()


class Imap:
    """What no report of ours was found in stays there, as read."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._session: imaplib.IMAP4 | None = None
        self._keeps = False

    def open(self) -> None:
        account = self.account
        session: imaplib.IMAP4
        if account.tls == "implicit":
            session = imaplib.IMAP4_SSL(
                account.host, account.port, ssl_context=_context(), timeout=SECONDS
            )
        else:
            session = imaplib.IMAP4(account.host, account.port, timeout=SECONDS)
        self._session = session
        if account.tls == "starttls":
            session.starttls(_context())
        session.login(account.user, account.password)
        kind, answer = session.select(f'"{account.folder}"')
        if kind != "OK":
            raise imaplib.IMAP4.error(answer[0] if answer else "no such folder")

    def mails(self, most: int) -> Iterator[bytes | None]:
        _kind, found = self._uid("SEARCH", "UNSEEN")
        for uid in (found[0] or b"").split()[:most]:
            self._keeps = False
            _kind, parts = self._uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
            yield next((bytes(part[1]) for part in parts if isinstance(part, tuple)), None)
            flags = r"(\Seen)" if self._keeps else r"(\Seen \Deleted)"
            self._uid("STORE", uid.decode(), "+FLAGS", flags)

    def keep(self) -> None:
        self._keeps = True

    def end(self) -> None:
        if self._session is not None:
            self._session.expunge()

    def close(self) -> None:
        if self._session is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                self._session.logout()
            with suppress(OSError):
                self._session.shutdown()  # a broken one is not closed by logging out
            self._session = None

    def _uid(self, *words: str) -> tuple[str, list]:
        if self._session is None:
            raise EOFError
        kind, answer = self._session.uid(*words)
        if kind != "OK":
            raise imaplib.IMAP4.error(f"{words[0]} was refused")
        return kind, answer


@dataclass(frozen=True)
class _Listed:
    """A mail in a POP3 mailbox; its number is good for one session."""

    number: int
    unique: bytes
    size: int


class Pop3:
    """POP3 knows no "read": whatever was looked at is deleted, when the session ends well."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._session: poplib.POP3 | None = None
        self._done: set[bytes] = set()

    def open(self) -> None:
        account = self.account
        session: poplib.POP3
        if account.tls == "implicit":
            session = poplib.POP3_SSL(
                account.host, account.port, timeout=SECONDS, context=_context()
            )
        else:
            session = poplib.POP3(account.host, account.port, timeout=SECONDS)
        self._session = session
        if account.tls == "starttls":
            session.stls(_context())
        session.user(account.user)
        session.pass_(account.password)
        for mail in self._listed() if self._done else []:
            if mail.unique in self._done:
                session.dele(mail.number)

    def mails(self, most: int) -> Iterator[bytes | None]:
        reopened = 0
        waiting = self._listed()[:most]
        while waiting:
            mail = waiting.pop(0)
            self._done.add(mail.unique)
            try:
                raw = self._read(mail)
            except poplib.error_proto as error:
                # A line longer than the library takes: it has lost its place in the session.
                if reopened == _MOST_REOPENINGS or "too long" not in str(error):
                    raise
                reopened += 1
                yield None
                self.close()
                self.open()
                left = {one.unique for one in waiting}
                waiting = [one for one in self._listed() if one.unique in left]
                continue
            yield raw
            if self._session is not None:
                self._session.dele(mail.number)

    def keep(self) -> None:
        pass

    def end(self) -> None:
        if self._session is not None:
            self._session.quit()  # what was marked is deleted by this alone
            self._session = None

    def close(self) -> None:
        if self._session is not None:
            with suppress(OSError):
                self._session.close()
            self._session = None

    def _listed(self) -> list[_Listed]:
        if self._session is None:
            raise EOFError
        sizes = dict(_pairs(self._session.list()[1]))
        return [
            _Listed(int(number), unique, int(sizes.get(number, b"0")))
            for number, unique in _pairs(self._session.uidl()[1])
        ]

    def _read(self, mail: _Listed) -> bytes:
        if self._session is None:
            raise EOFError
        if mail.size > MOST_BYTES:
            _answer, lines, _size = self._session.top(mail.number, _LINES_OF_A_LARGE_ONE)
        else:
            _answer, lines, _size = self._session.retr(mail.number)
        return b"\r\n".join(lines) + b"\r\n"


def _pairs(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """Of "number value" lines."""
    found = [line.split()[:2] for line in lines]
    return [(words[0], words[1]) for words in found if len(words) == 2 and words[0].isdigit()]


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return words_of(error)
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split())[:200] or "the connection ended"
