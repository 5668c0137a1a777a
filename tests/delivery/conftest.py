"""What the delivery's tests share: a scripted server, a clock that is told, an approved digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.delivery.control import start_due
from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest
from newsletter.members.subscriptions import selection_for
from tests.builders import (
    NOW,
    make_article,
    make_digest,
    make_member,
    make_newsletter,
    subscribe_many,
)
from tests.delivery.scripted_server import ScriptedServer


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> datetime:
        self.now += timedelta(**amount)
        return self.now

    def wait(self, seconds: float) -> None:
        """For whoever sleeps by this clock: it takes no time of ours."""
        self.forward(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def smtp(settings: Any) -> Iterator[ScriptedServer]:
    """The mail server that the site is configured with."""
    with ScriptedServer() as server:
        settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": server.url}
        yield server


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def configure(**keys: Any) -> None:
        settings.NEWSLETTER = settings.NEWSLETTER | keys

    return configure


@pytest.fixture
def ready_digest(db: None) -> Callable[..., Digest]:
    """A digest on its way to `members` (their number, or their addresses)."""

    def ready_digest(members: int | list[str] = 3, *, started: bool = True) -> Digest:
        newsletter = make_newsletter()
        if isinstance(members, int):
            subscribe_many(newsletter, members, [selection_for([])])
        else:
            for address in members:
                make_member(address, newsletter=newsletter)
        digest = make_digest(newsletter, articles=[make_article("Pensioni, l’accordo è firmato")])
        approve(digest.pk, now=NOW)
        if started:
            assert start_due(now=NOW) == [digest.pk]
        digest.refresh_from_db()
        return digest

    return ready_digest


def states(digest: Digest) -> dict[str, str]:
    """Each recipient's state, by address."""
    rows = Delivery.objects.filter(digest=digest).select_related("member")
    return {row.member.address if row.member else "": row.state for row in rows}


def delivery_to(digest: Digest, address: str) -> Delivery:
    return Delivery.objects.get(digest=digest, member__address=address)
