"""An issue that an older version left half-sent goes on after the upgrade, once to everybody."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps

from newsletter.delivery.claim import claim_batch, release_expired
from newsletter.delivery.ledger import commit_begun
from newsletter.delivery.models import Delivery
from newsletter.delivery.send import send_batches
from newsletter.digests.models import Digest
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
ANNA, BRUNO, CARLA, DARIO = (f"{one}@posta.example" for one in ("anna", "bruno", "carla", "dario"))
EVA = "eva@posta.example"


def test_a_batch_that_was_being_sent_is_settled_after_the_upgrade(
    smtp: ScriptedServer,
    ready_digest: Callable[[list[str]], Digest],
    configure: Callable[..., None],
    clock: Clock,
) -> None:
    configure(JOURNAL_DIR="")
    digest = ready_digest([ANNA, BRUNO, CARLA, DARIO, EVA])
    claim = claim_batch(digest.pk, owner="old", now=clock.now)
    assert claim is not None
    begun = [delivery_to(digest, CARLA).pk]
    assert commit_begun(claim.batch_id, claim.fence, begun, now=clock.now)
    # Bruno has it, which is not written yet; Carla may have it; Anna's was uncertain, and somebody
    # said meanwhile that it must go again: the sender knew nothing of that.
    for address, state in ((BRUNO, "claimed"), (CARLA, "claimed"), (DARIO, "claimed")):
        Delivery.objects.filter(member__address=address).update(state=state)
    Delivery.objects.filter(member__address=EVA).update(state="data")
    upgrade = import_module("newsletter.migrations.0037_batches_are_claimed")
    upgrade.settle_what_was_in_hand(apps, None)
    assert release_expired(now=clock.forward(minutes=10)) == (1, 1)
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {
        ANNA: "sent", BRUNO: "sent", CARLA: "uncertain", DARIO: "sent", EVA: "uncertain"
    }  # fmt: skip
    assert {one: len(smtp.of(one)) for one in (ANNA, BRUNO, DARIO)} == {ANNA: 1, BRUNO: 0, DARIO: 1}
