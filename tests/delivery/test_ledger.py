"""What a sender's statements cost the database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.delivery import ledger
from newsletter.delivery.ahead import Ahead
from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch
from newsletter.delivery.handover import HandOver
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome
from newsletter.digests.models import Digest
from tests.delivery.conftest import Clock

pytestmark = pytest.mark.django_db


def test_outcomes_are_written_by_no_plan_that_compares_each_row_with_each(
    ready_digest: Callable[..., Digest], clock: Clock
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite writes them one by one")
    claim = claim_batch(ready_digest(3).pk, owner="a", now=clock.now)
    assert claim is not None
    known = [Outcome(claim.first_id, Delivery.State.SENT, "", 250, "2.0.0 Ok")]
    assert ledger.fold(claim.batch_id, claim.fence, known, now=clock.now)
    assert Delivery.objects.get(pk=claim.first_id).state == Delivery.State.SENT
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_nestloop")
        assert cursor.fetchone() == ("off",)


def test_a_whole_batch_is_looked_at_once_and_in_parts_when_that_look_is_old(
    ready_digest: Callable[..., Digest], clock: Clock
) -> None:
    digest = ready_digest(2_400)  # in batches of 120
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    ahead = Ahead(HandOver(claim, Changes(), now=clock.now), now=clock.now)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(120):
            assert ahead.look(3, now=clock.now)
            ahead.go_on()
    assert sum("newsletter_suppression" in query["sql"] for query in queries) == 1

    ahead = Ahead(HandOver(claim, Changes(), now=clock.now), now=clock.now)
    ahead.look(3, now=clock.now)
    ahead.look(3, now=clock.forward(seconds=2))
    assert len(ahead.rows) == 100
