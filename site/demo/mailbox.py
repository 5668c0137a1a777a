"""The demo's mailbox: an SMTP server on loopback that keeps what it receives, and its page.

    python -m demo.mailbox --folder var/mailbox --port 8025 --smtp-port 1025

Each mail is one .eml file in the folder, so that any mail program can open it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demo import mailbox_pages
from demo.loopback import LoopbackHTTPServer, OnLoopback, told_to_stop

NAME = re.compile(r"[0-9]{13}-[0-9a-f]+")
LISTED = 200
LOCAL_HOSTS = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class Mail:
    name: str
    message: EmailMessage

    @property
    def to(self) -> str:
        return str(self.message["X-Envelope-To"] or self.message["To"] or "")

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def sender(self) -> str:
        return str(self.message["From"] or "")

    @property
    def received(self) -> float:
        return int(self.name.partition("-")[0]) / 1000

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def text(self) -> str:
        return self._part("plain")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""


class Post:
    """The folder of .eml files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._numbers = itertools.count()

    def keep(self, content: bytes, recipients: Sequence[str]) -> str:
        """Its name, once the mail is wholly on the disk."""
        name = f"{time.time_ns() // 1_000_000:013d}-{os.getpid():x}{next(self._numbers):04x}"
        head = f"X-Envelope-To: {', '.join(recipients)}\r\n".encode()
        unfinished = self.folder / f"{name}.part"
        unfinished.write_bytes(head + content)
        unfinished.replace(self.folder / f"{name}.eml")
        return name

    def names(self) -> list[str]:
        """Newest first."""
        return sorted((path.stem for path in self.folder.glob("*.eml")), reverse=True)

    def headers(self, name: str) -> Mail:
        with (self.folder / f"{name}.eml").open("rb") as file:
            parsed = BytesHeaderParser(policy=policy.SMTPUTF8).parse(file)
        return Mail(name, parsed)

    def raw(self, name: str) -> bytes | None:
        if not NAME.fullmatch(name):
            return None
        try:
            return (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None

    def mail(self, name: str) -> Mail | None:
        raw = self.raw(name)
        if raw is None:
            return None
        return Mail(name, message_from_bytes(raw, policy=policy.SMTPUTF8))


class Mailbox(OnLoopback):
    """A context manager: SMTP at `smtp_url`, the page at `url`. Ports of 0 take free ones."""

    thread_name = "mailbox"

    def __init__(self, folder: Path, *, port: int = 0, smtp_port: int = 0) -> None:
        super().__init__(port)
        self.post = Post(folder)
        self._smtp = _Loopback(self, hostname="127.0.0.1", port=smtp_port)

    def listen(self, address: tuple[str, int]) -> _HTTPServer:
        return _HTTPServer(address, self.post)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        try:
            name = self.post.keep(content, envelope.rcpt_tos)
        except OSError as error:  # a full disk: the sender keeps the mail and tries again
            return f"452 4.3.1 The mailbox can't store it: {error.strerror}"
        return f"250 2.0.0 Ok: queued as {name}"

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self._smtp.bound_port}"

    def start(self) -> None:
        super().start()
        try:
            self._smtp.start()
        except OSError:
            super().stop()
            raise

    def stop(self) -> None:
        if self._http is not None:
            super().stop()
            self._smtp.stop()


class _Loopback(Controller):
    @property
    def bound_port(self) -> int:
        server = self.server
        if not isinstance(server, asyncio.Server):
            raise RuntimeError("The mailbox isn't started")
        return int(server.sockets[0].getsockname()[1])

    def _trigger_server(self) -> None:
        # The controller tries its own port with a connection; with port 0 it doesn't know it.
        self.port = self.bound_port
        super()._trigger_server()  # type: ignore[no-untyped-call]


class _HTTPServer(LoopbackHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], post: Post) -> None:
        self.post = post
        super().__init__(address, _Handler)


class Page(NamedTuple):
    status: int
    content_type: str
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer
    protocol_version = "HTTP/1.1"
    server_version = "Mailbox"
    sys_version = ""
    timeout = 5

    def do_GET(self) -> None:
        page = self._page()
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Vary", "Accept-Language")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", mailbox_pages.policy_for(self.path))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(page.body)

    do_HEAD = do_GET

    def _page(self) -> Page:
        language = mailbox_pages.language_for(self.headers.get("Accept-Language", ""))
        # A page elsewhere whose name resolves to 127.0.0.1 must not read the mails.
        if self.headers.get("Host", "").partition(":")[0] not in LOCAL_HOSTS:
            return _html(mailbox_pages.missing(language=language), 404)
        post = self.server.post
        parts = urlsplit(self.path)
        match parts.path.strip("/").split("/"):
            case [""]:
                to = parse_qs(parts.query).get("to", [""])[0]
                mails = _listed(post, to)
                total = len(post.names())
                return _html(mailbox_pages.listing(mails, to=to, total=total, language=language))
            case ["mails.json"]:
                rows = [
                    {"name": mail.name, "to": mail.to, "subject": mail.subject}
                    for mail in _listed(post)
                ]
                return Page(200, "application/json", json.dumps(rows).encode())
            case ["mail", name]:
                if mail := post.mail(name):
                    return _html(mailbox_pages.reading(mail, language=language))
            case ["mail", name, "html"]:
                if mail := post.mail(name):
                    return _html(mailbox_pages.in_frame(mail.html))
            case ["mail", name, "text"]:
                if mail := post.mail(name):
                    return _plain(mail.text.encode())
            case ["mail", name, "raw"]:
                if raw := post.raw(name):
                    return _plain(raw)
        return _html(mailbox_pages.missing(language=language), 404)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _listed(post: Post, to: str = "") -> list[Mail]:
    mails = (post.headers(name) for name in post.names())
    return list(itertools.islice((mail for mail in mails if to in mail.to), LISTED))


def _html(body: str, status: int = 200) -> Page:
    return Page(status, "text/html; charset=utf-8", body.encode())


def _plain(body: bytes) -> Page:
    return Page(200, "text/plain; charset=utf-8", body)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m demo.mailbox", description="Keep mail on loopback and show it."
    )
    parser.add_argument("--folder", type=Path, default=Path("var/mailbox"))
    parser.add_argument("--port", type=int, default=0, help="of the page; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args(arguments)
    stopped = told_to_stop()
    try:
        with Mailbox(options.folder, port=options.port, smtp_port=options.smtp_port) as mailbox:
            print(f"{mailbox.url}/ shows what {mailbox.smtp_url} receives", flush=True)
            stopped.wait()
    except OSError as error:
        print(f"The mailbox can't start: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
