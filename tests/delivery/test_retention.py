"""After half a year the ledger knows how many, and no longer who."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.delivery.control import cancel
from newsletter.delivery.freeze import accounting
from newsletter.delivery.models import Batch, Delivery, Exclusion, Segment
from newsletter.delivery.progress import progress
from newsletter.delivery.retention import forget_deliveries
from newsletter.delivery.send import send_batches
from newsletter.digests.models import Digest
from newsletter.members.models import Member
from tests.delivery.conftest import Clock
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]


def test_old_deliveries_are_forgotten_and_their_counts_stay(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("rcpt", "550 5.1.1 no such user", match="persona2@")
    digest = ready_digest(3)
    assert send_batches(digest.pk, clock=clock).finished
    before = progress(digest)
    assert forget_deliveries(now=clock.forward(days=179)) == 0
    assert forget_deliveries(now=clock.forward(days=2)) == 3
    assert forget_deliveries(now=clock.now) == 0
    for model in (Delivery, Exclusion, Segment, Batch):
        assert not model.objects.exists()
    digest.refresh_from_db()
    assert progress(digest) == before
    assert accounting(digest).adds_up
    assert Member.objects.count() == 3


def test_forgetting_goes_on_where_it_was_interrupted(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.delivery.retention.CHUNK", 2)
    digest = ready_digest(5)
    assert send_batches(digest.pk, clock=clock).finished
    clock.forward(days=200)
    assert forget_deliveries(now=clock.now, most=1) == 2
    assert forget_deliveries(now=clock.now) == 3
    assert progress(digest).states["sent"] == 5


def test_what_is_not_over_is_kept_however_old(ready_digest: Ready, clock: Clock) -> None:
    digest = ready_digest(2)
    assert forget_deliveries(now=clock.forward(days=400)) == 0
    cancel(digest.pk, now=clock.now)
    assert forget_deliveries(now=clock.now) == 2
