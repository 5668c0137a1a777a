"""A POP3 and an IMAP server on loopback, as far as a client that collects bounces needs them."""

from __future__ import annotations

import contextlib
import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

USER, PASSWORD = "rimbalzi", "segreta@1"


@dataclass
class Stored:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class MailServer:
    """`break_after`: the connection breaks after so many mails were fetched in a session."""

    protocol = ""

    def __init__(self, *, tls: ssl.SSLContext | None = None, implicit: bool = False) -> None:
        self.tls, self.implicit = tls, implicit
        self.stored: list[Stored] = []
        self.break_after: int | None = None
        self.sessions = 0
        self._next_uid = 1

    def put(self, raw: bytes) -> None:
        lines = re.sub(rb"\r?\n", b"\r\n", raw)
        self.stored.append(Stored(self._next_uid, lines))
        self._next_uid += 1

    def url(self, options: str = "") -> str:
        scheme = self.protocol + ("s" if self.implicit else "")
        port = self._server.server_address[1]
        return f"{scheme}://{USER}:segreta%401@127.0.0.1:{port}/{options}"

    def __enter__(self) -> Self:
        mail_server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                mail_server.sessions += 1
                session = mail_server.session(self.request)
                with contextlib.suppress(OSError, _HungUp):
                    if mail_server.implicit:
                        session.encrypt()
                    session.run()
                session.close()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def session(self, connection: Any) -> Any:
        raise NotImplementedError


class Pop3Server(MailServer):
    protocol = "pop3"

    def session(self, connection: Any) -> Pop3Session:
        return Pop3Session(self, connection)


class ImapServer(MailServer):
    protocol = "imap"

    def session(self, connection: Any) -> ImapSession:
        return ImapSession(self, connection)


class _HungUp(Exception):
    pass


class _Session:
    def __init__(self, server: MailServer, connection: Any) -> None:
        self.server, self.connection = server, connection
        self.file = connection.makefile("rb")
        self.fetched = 0

    def encrypt(self) -> None:
        assert self.server.tls is not None
        self.file.close()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
            self.connection.close()

    def say(self, line: str | bytes) -> None:
        self.connection.sendall((line if isinstance(line, bytes) else line.encode()) + b"\r\n")

    def hear(self) -> str:
        line = self.file.readline(10_000)
        if not line:
            raise _HungUp
        return line.decode().rstrip("\r\n")

    def count_fetch(self) -> None:
        self.fetched += 1
        if self.server.break_after is not None and self.fetched > self.server.break_after:
            self.connection.close()
            raise _HungUp


class Pop3Session(_Session):
    def run(self) -> None:
        self.say("+OK ready")
        mails = list(self.server.stored)
        deleted: set[int] = set()
        logged_in = False
        while True:
            verb, _, rest = self.hear().partition(" ")
            match verb.upper():
                case "CAPA":
                    self._lines([b"UIDL", b"TOP", *([b"STLS"] if self.server.tls else [])])
                case "STLS":
                    self.say("+OK")
                    self.encrypt()
                case "USER":
                    self.say("+OK")
                case "PASS":
                    logged_in = rest == PASSWORD
                    self.say("+OK" if logged_in else "-ERR wrong password")
                case "QUIT":
                    self.server.stored = [
                        one for one in self.server.stored if one.uid not in deleted
                    ]
                    self.say("+OK bye")
                    return
                case _ if not logged_in:
                    self.say("-ERR log in first")
                case "UIDL":
                    self._lines(f"{n} u{mail.uid}".encode() for n, mail in enumerate(mails, 1))
                case "LIST":
                    self._lines(f"{n} {len(mail.raw)}".encode() for n, mail in enumerate(mails, 1))
                case "RETR":
                    self.count_fetch()
                    self._lines(mails[int(rest) - 1].raw.removesuffix(b"\r\n").split(b"\r\n"))
                case "TOP":
                    number, most = rest.split()
                    head, _, body = mails[int(number) - 1].raw.partition(b"\r\n\r\n")
                    lines = [*head.split(b"\r\n"), b"", *body.split(b"\r\n")[: int(most)]]
                    self._lines(lines)
                case "DELE":
                    deleted.add(mails[int(rest) - 1].uid)
                    self.say("+OK")
                case _:
                    self.say("-ERR what?")

    def _lines(self, lines: Any) -> None:
        stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
        self.say(b"\r\n".join([b"+OK", *stuffed, b"."]))


class ImapSession(_Session):
    def run(self) -> None:
        self.say("* OK IMAP4rev1 ready")
        while True:
            tag, _, rest = self.hear().partition(" ")
            verb, _, rest = rest.partition(" ")
            match verb.upper():
                case "CAPABILITY":
                    more = " STARTTLS" if self.server.tls and not self.server.implicit else ""
                    self.say(f"* CAPABILITY IMAP4rev1{more}")
                case "STARTTLS":
                    self.say(f"{tag} OK go ahead")
                    self.encrypt()
                    continue
                case "LOGIN":
                    if rest != f'{USER} "{PASSWORD}"':
                        self.say(f"{tag} NO wrong password")
                        continue
                case "SELECT":
                    if rest != '"INBOX"':
                        self.say(f"{tag} NO no such folder")
                        continue
                    self.say(f"* {len(self.server.stored)} EXISTS")
                case "UID":
                    self._uid(rest)
                case "EXPUNGE":
                    self.server.stored = [
                        one for one in self.server.stored if "\\Deleted" not in one.flags
                    ]
                case "LOGOUT":
                    self.say("* BYE")
                    self.say(f"{tag} OK")
                    return
            self.say(f"{tag} OK done")

    def _uid(self, rest: str) -> None:
        verb, _, rest = rest.partition(" ")
        if verb == "SEARCH":
            found = [str(one.uid) for one in self.server.stored if "\\Seen" not in one.flags]
            self.say(" ".join(["* SEARCH", *found]))
            return
        uid, _, rest = rest.partition(" ")
        number, mail = next(
            (n, one) for n, one in enumerate(self.server.stored, 1) if str(one.uid) == uid
        )
        if verb == "FETCH":
            self.count_fetch()
            limit = re.fullmatch(r"\(BODY\.PEEK\[\]<0\.(\d+)>\)", rest)
            assert limit
            part = mail.raw[: int(limit[1])]
            head = f"* {number} FETCH (UID {uid} BODY[]<0> {{{len(part)}}}\r\n"
            self.say(head.encode() + part + b")")
        else:
            mail.flags |= set(re.findall(r"\\\w+", rest))
