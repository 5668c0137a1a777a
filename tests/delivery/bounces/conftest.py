from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from newsletter.delivery.bounces.models import ReportCount
from newsletter.delivery.bounces.receiving import receive
from newsletter.delivery.control import start_due
from newsletter.delivery.freeze import approve
from newsletter.delivery.return_path import ReturnPaths
from newsletter.delivery.send import send_batches
from newsletter.digests.models import Digest
from newsletter.members.models import Member, Suppression
from tests.builders import make_article, make_digest
from tests.delivery.bounces.test_reading import sample
from tests.delivery.conftest import Clock, delivery_to

ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"
DOMAIN = "bounce.union.example"


def return_path(digest: Digest, address: str, at: datetime) -> str:
    """The envelope sender of that copy."""
    paths = ReturnPaths(DOMAIN, digest.uid, at.date())
    return paths.address(delivery_to(digest, address).pk, address)


def suppressions() -> dict[str, str]:
    """Reasons by address, of those that a member has."""
    addresses = dict(Member.objects.values_list("address_hash", "address"))
    return {addresses.get(one.address_hash, "?"): one.reason for one in Suppression.objects.all()}


def counts() -> dict[str, int]:
    return dict(ReportCount.objects.values_list("worth", "number"))


Sent = Callable[..., Digest]
Returns = Callable[..., str]


@pytest.fixture
def sent(
    ready_digest: Callable[..., Digest],
    smtp: object,
    clock: Clock,
    configure: Callable[..., None],
) -> Sent:
    """A digest that went to Anna and Bruno; called again, the next one."""
    configure(BOUNCE_DOMAIN=DOMAIN)
    made: list[Digest] = []

    def sent() -> Digest:
        if not made:
            digest = ready_digest([ANNA, BRUNO])
        else:
            digest = make_digest(
                made[0].newsletter, articles=[make_article()], slot=clock.now, window_end=clock.now
            )
            approve(digest.pk, now=clock.now)
            assert start_due(now=clock.now) == [digest.pk]
        made.append(digest)
        assert send_batches(digest.pk, clock=clock).finished
        digest.refresh_from_db()
        return digest

    return sent


@pytest.fixture
def comes_back(clock: Clock) -> Returns:
    """A sample comes back for the copy to an address; what it was worth."""

    def comes_back(name: str, digest: Digest, address: str = ANNA) -> str:
        raw = sample(name, return_path(digest, address, digest.sending_at or clock.now))
        return receive(raw, now=clock.now).value

    return comes_back
