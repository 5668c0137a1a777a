"""The demo's own servers: feeds to poll and a mailbox to receive, in the process of `run`."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from django.core.management.base import CommandError

from demo import loading
from demo.mailbox import Mailbox
from demo.server import DemoFeed, DemoServer
from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest, Newsletter
from newsroom.running.ports import HOST, PortBook
from newsroom.running.story import NotDone


def base_moment(data_dir: Path, now: datetime) -> datetime:
    """The moment the posts' dates count from: the first start of this instance."""
    path = data_dir / "demo.json"
    try:
        return datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["base"])
    except (FileNotFoundError, ValueError, KeyError):
        path.write_text(json.dumps({"base": now.isoformat()}), encoding="utf-8")
        return now


def refuse_foreign() -> None:
    """Raises CommandError where the demo would mix with somebody's own data."""
    if loading.is_foreign():
        raise CommandError(
            "This database holds newsletters or members of your own: the demo stays out. "
            "Run without --demo, or give the demo its own folder: DATA_DIR=/path/to/folder"
        )


def demo_server(data_dir: Path, now: datetime) -> DemoServer:
    port = PortBook(data_dir / "ports.json").candidates("feeds", settings.PORT + 2)
    return DemoServer(base_moment(data_dir, now), port)


def demo_feeds(data_dir: Path, now: datetime) -> list[DemoFeed]:
    """The addresses under which `run --demo` will serve them."""
    with demo_server(data_dir, now) as server:
        PortBook(data_dir / "ports.json").remember("feeds", int(server.url.rpartition(":")[2]))
        return server.feeds


class Demo:
    """A context manager: while it is open, the demo's feeds answer and its mailbox receives."""

    def __init__(self, data_dir: Path) -> None:
        refuse_foreign()
        ports = PortBook(data_dir / "ports.json")
        self._ports = ports
        self.feeds = demo_server(data_dir, datetime.now(UTC))
        # Mail goes where SMTP_URL says; the mailbox receives it when nobody said anything.
        self.own_smtp = os.environ.get("SMTP_URL", "")
        self.mailbox = Mailbox(
            data_dir / "mailbox",
            port=ports.candidates("mailbox", settings.PORT + 1),
            smtp_port=ports.candidates("smtp", settings.PORT + 3),
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self.feeds)
            starting.enter_context(self.mailbox)
            self._stack = starting.pop_all()
        for name, url in (
            ("feeds", self.feeds.url),
            ("mailbox", self.mailbox.url),
            ("smtp", self.mailbox.smtp_url),
        ):
            self._ports.remember(name, int(url.rpartition(":")[2]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def env(self) -> dict[str, str]:
        """What the worker and the site must know of it."""
        hosts = settings.NEWSLETTER["ALLOW_PRIVATE_FEED_HOSTS"]
        return {
            "SMTP_URL": self.own_smtp or self.mailbox.smtp_url,
            "ALLOW_PRIVATE_FEED_HOSTS": ",".join({*hosts, HOST}),
        }

    @property
    def newsletter(self) -> Newsletter:
        return Newsletter.objects.get(slug=loading.WEEKLY)

    @property
    def login(self) -> str:
        return f"user {loading.LOGIN}, password {loading.PASSWORD}"

    @property
    def second_login(self) -> str:
        return f"user {loading.SECOND_LOGIN}, the same password: a second person, who approves too"

    @property
    def mailbox_words(self) -> str:
        if self.own_smtp:
            return f"{self.mailbox.url}/   (empty: SMTP_URL sends the mail elsewhere)"
        return f"{self.mailbox.url}/"

    def load(self, *, now: datetime) -> loading.Loaded:
        return loading.load(self.feeds.feeds, site_url=settings.SITE_URL, now=now)

    def confirm_arrival(self, digest: Digest) -> None:
        """Raises NotDone when the mailbox lacks mails that the ledger calls sent."""
        sent = Delivery.objects.filter(digest=digest, state=Delivery.State.SENT).count()
        lying = len(self.mailbox.post.names())
        if not self.own_smtp and lying < sent:
            raise NotDone(f"{sent} mails were sent, but only {lying} lie in the mailbox")
