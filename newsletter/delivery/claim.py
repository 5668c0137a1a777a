"""Who works on which batch: owner, lease, fence.

A claim raises the batch's fence; every write of a worker names the fence it was given, so a
worker that slept past its lease can change nothing any more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from newsletter import conf
from newsletter.delivery.models import Batch, Delivery
from newsletter.exceptions import LeaseLost

logger = logging.getLogger(__name__)


@dataclass
class Claim:
    """A worker's hold on a batch."""

    batch_id: int
    digest_id: int
    first_id: int
    last_id: int
    owner: str
    fence: int
    lease_until: datetime


def claim_batch(digest_id: int, *, owner: str, now: datetime) -> Claim | None:
    """Take the digest's next open batch and mark its rows that are due; None: nothing to do."""
    with transaction.atomic():
        batch = (
            Batch.objects.filter(digest_id=digest_id, state=Batch.State.OPEN)
            .filter(Q(not_before=None) | Q(not_before__lte=now))
            .order_by("first_id")
            .select_for_update(skip_locked=True)
            .first()
        )
        if batch is None:
            return None
        lease_until = now + lease()
        taken = Batch.objects.filter(pk=batch.pk, state=Batch.State.OPEN, fence=batch.fence).update(
            state=Batch.State.CLAIMED,
            owner=owner,
            lease_until=lease_until,
            fence=F("fence") + 1,
            not_before=None,
        )
        if not taken:
            return None  # another worker has it
        rows = rows_of(batch)
        # One state at a time: only then does the index lead to the batch's own rows. PostgreSQL
        # knows nothing yet of a digest frozen a moment ago, and would read all of its rows.
        rows.filter(state=Delivery.State.PENDING).update(state=Delivery.State.CLAIMED)
        rows.filter(state=Delivery.State.DEFERRED, next_attempt_at__lte=now).update(
            state=Delivery.State.CLAIMED
        )
    return Claim(
        batch_id=batch.pk,
        digest_id=digest_id,
        first_id=batch.first_id,
        last_id=batch.last_id,
        owner=owner,
        fence=batch.fence + 1,
        lease_until=lease_until,
    )


def renew(claim: Claim, *, now: datetime) -> None:
    """Hold the batch for another lease. Raises LeaseLost when somebody else has it."""
    if now < claim.lease_until - lease() * 0.9:
        return  # renewed a moment ago
    lease_until = now + lease()
    if not held(claim).update(lease_until=lease_until):
        raise LeaseLost(f"Batch {claim.batch_id} was taken over by another worker.")
    claim.lease_until = lease_until


def give_back(claim: Claim) -> None:
    """Let go of the batch: done when nothing is left in it, else open for whoever comes next."""
    with transaction.atomic():
        # Locks the row: a sweeper that comes at the same moment waits, and then finds it settled.
        if not held(claim).update(owner=""):
            raise LeaseLost(f"Batch {claim.batch_id} was taken over by another worker.")
        _settle(Batch.objects.get(pk=claim.batch_id))


def release_expired(*, now: datetime, digest_id: int | None = None) -> tuple[int, int]:
    """Take back the batches of workers that stopped renewing: (batches, uncertain deliveries).

    What they had only claimed is safe to send again; what they had begun to hand over is not.
    """
    expired = Batch.objects.filter(state=Batch.State.CLAIMED, lease_until__lt=now)
    if digest_id is not None:
        expired = expired.filter(digest_id=digest_id)
    batches = uncertain = 0
    for batch_id in list(expired.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            taken = Batch.objects.filter(
                pk=batch_id, state=Batch.State.CLAIMED, lease_until__lt=now
            ).update(fence=F("fence") + 1)
            if not taken:
                continue  # renewed or swept meanwhile
            found = _settle(Batch.objects.get(pk=batch_id))
        batches += 1
        uncertain += found
        logger.warning("Batch %s: its worker vanished, %s uncertain", batch_id, found)
    return batches, uncertain


def lease() -> timedelta:
    return timedelta(seconds=float(conf.get("LEASE_SECONDS")))


def held(claim: Claim) -> QuerySet[Batch]:
    """The batch, as long as the claim on it stands."""
    return Batch.objects.filter(pk=claim.batch_id, state=Batch.State.CLAIMED, fence=claim.fence)


def rows_of(batch: Batch) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        digest_id=batch.digest_id, pk__gte=batch.first_id, pk__lte=batch.last_id
    )


def _settle(batch: Batch) -> int:
    """Put the rows of a batch that nobody holds any more into order; how many are uncertain.

    The caller has locked the batch's row and raised its fence or made sure that it holds it.
    """
    rows = rows_of(batch)
    # `changed_at` stays: it says when the message was begun, which is where evidence is looked for.
    uncertain = rows.filter(state=Delivery.State.DATA_STARTED).update(
        state=Delivery.State.UNCERTAIN, reason=Delivery.Reason.VANISHED
    )
    rows.filter(state=Delivery.State.CLAIMED).update(state=Delivery.State.PENDING)
    state, not_before = Batch.State.DONE, None
    if rows.filter(state=Delivery.State.PENDING).exists():
        state = Batch.State.OPEN
    else:
        deferred = rows.filter(state=Delivery.State.DEFERRED)
        not_before = deferred.aggregate(first=Min("next_attempt_at"))["first"]
        if not_before:
            state = Batch.State.OPEN
    Batch.objects.filter(pk=batch.pk).update(
        state=state, owner="", lease_until=None, not_before=not_before
    )
    return uncertain
