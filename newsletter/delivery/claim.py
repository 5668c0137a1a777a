"""Who works on which batch: owner, lease, fence, and what a vanished owner leaves behind.

A claim raises the batch's fence; every write of a worker names the fence it was given, so a
worker that slept past its lease can change nothing any more. A claim touches no row: those that
are pending are its owner's as long as the batch is claimed, and nobody else's to change
(decision 18).
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from newsletter import conf
from newsletter.delivery import ledger
from newsletter.delivery.journal import Busy, Journal, Replay, discard_orphans
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest
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
    renew_at: datetime
    journal: Journal | None  # None: the batch's row takes its place


def claim_batch(digest_id: int, *, owner: str, now: datetime) -> Claim | None:
    """Take the digest's next open batch with its pending rows; None: nothing to do.

    Raises OSError when JOURNAL_DIR cannot be written.
    """
    open_ones = (
        Batch.objects.filter(digest_id=digest_id, state=Batch.State.OPEN)
        .filter(Q(not_before=None) | Q(not_before__lte=now))
        .order_by("first_id")
    )
    if not open_ones.exists():
        return None
    # Locked before the batch names it: else it would look like a dead owner's.
    journal = Journal.create()
    try:
        claim = _claim(open_ones, journal, owner, now)
    except BaseException:
        if journal is not None:
            journal.discard()
        raise
    if claim is None and journal is not None:
        journal.discard()
    return claim


@transaction.atomic
def _claim(
    open_ones: QuerySet[Batch], journal: Journal | None, owner: str, now: datetime
) -> Claim | None:
    batch = open_ones.select_for_update(skip_locked=True).first()
    if batch is None:
        return None
    lease_until = now + lease()
    taken = Batch.objects.filter(pk=batch.pk, state=Batch.State.OPEN, fence=batch.fence).update(
        state=Batch.State.CLAIMED,
        owner=owner,
        lease_until=lease_until,
        fence=F("fence") + 1,
        not_before=None,
        journal=journal.name if journal else "",
        begun_first=None,
        begun_last=None,
        begun_at=now,
    )
    if not taken:
        return None  # another worker has it
    rows_of(batch).filter(state=Delivery.State.DEFERRED, next_attempt_at__lte=now).update(
        state=Delivery.State.PENDING
    )
    return Claim(
        batch_id=batch.pk,
        digest_id=batch.digest_id,
        first_id=batch.first_id,
        last_id=batch.last_id,
        owner=owner,
        fence=batch.fence + 1,
        lease_until=lease_until,
        renew_at=now + lease() * 0.1,
        journal=journal,
    )


def renew(claim: Claim, *, now: datetime) -> None:
    """Hold the batch for another lease. Raises LeaseLost when somebody else has it."""
    if now < claim.renew_at:
        return  # renewed a moment ago
    lease_until = now + lease()
    if not held(claim).update(lease_until=lease_until):
        raise LeaseLost(f"Batch {claim.batch_id} was taken over by another worker.")
    claim.lease_until, claim.renew_at = lease_until, now + lease() * 0.1


def give_back(claim: Claim, *, in_doubt: Collection[int], now: datetime) -> None:
    """Let go of the batch: done when nothing is left in it, else open for whoever comes next.

    What became of all others that were handed over is written already. Raises LeaseLost.
    """
    with transaction.atomic():
        # Locks the row: a sweeper that comes at the same moment waits, and then finds it settled.
        if not held(claim).update(owner=""):
            raise LeaseLost(f"Batch {claim.batch_id} was taken over by another worker.")
        _settle(Batch.objects.get(pk=claim.batch_id), in_doubt=in_doubt, begun_at=now)


def release_expired(*, now: datetime, digest_id: int | None = None) -> tuple[int, int]:
    """Take back the batches of workers that vanished: (batches, uncertain deliveries).

    What they had only claimed is safe to send again; what they had begun to hand over is not. The
    death of an owner with a journal on this machine is seen at once, others' when their lease has
    run out.
    """
    claimed = Batch.objects.filter(state=Batch.State.CLAIMED)
    if digest_id is not None:
        claimed = claimed.filter(digest_id=digest_id)
    vanished = claimed.filter(Q(lease_until__lt=now) | ~Q(journal=""))
    batches = uncertain = 0
    for batch in list(vanished.order_by("pk")):
        try:
            found = _take_back(batch, now)
        except Busy:
            continue  # its owner is alive, however slow
        if found is None:
            continue
        batches += 1
        uncertain += found
        logger.warning("Batch %s: its worker vanished, %s uncertain", batch.pk, found)
    named = Batch.objects.filter(state=Batch.State.CLAIMED)
    discard_orphans(lambda name: named.filter(journal=name).exists(), now=now)
    return batches, uncertain


def _take_back(batch: Batch, now: datetime) -> int | None:
    """How many of it are uncertain; None: it is not ours to take. Raises Busy."""
    journal = Journal.take_over(batch.journal) if batch.journal else None
    try:
        if batch.journal and journal is None and now < _elsewhere_until(batch, now):
            return None  # its machine may come back with the journal
        with transaction.atomic():
            seen = Batch.objects.filter(pk=batch.pk, state=Batch.State.CLAIMED, fence=batch.fence)
            if journal is None:
                seen = seen.filter(lease_until__lt=now)
            if not seen.update(fence=F("fence") + 1):
                return None  # renewed or swept meanwhile
            batch.refresh_from_db()
            found = _conclude(batch, journal.replay() if journal else None, now)
    finally:
        if journal is not None:
            journal.close()
    if journal is not None:
        journal.discard()
    return found


def _conclude(batch: Batch, replay: Replay | None, now: datetime) -> int:
    """Settle a vanished owner's batch by what it left: its journal, or its place in the batch."""
    unsettled = rows_of(batch).filter(state=Delivery.State.PENDING)
    if replay is not None:
        ledger.fold(batch.pk, batch.fence, replay.outcomes, now=now)
        begun = set(replay.begun)
        if not replay.is_complete:
            begun |= set(unsettled.values_list("pk", flat=True))
        return _settle(batch, in_doubt=begun, begun_at=replay.begun_at or batch.begun_at or now)
    if batch.journal:
        # Lost with its machine, which may have handed over any of them.
        begun = set(unsettled.values_list("pk", flat=True))
    elif batch.begun_first is not None and batch.begun_last is not None:
        unsettled.filter(pk__lt=batch.begun_first).update(
            state=Delivery.State.SENT,
            reason="",
            smtp_code=250,
            detail="",
            attempts=F("attempts") + 1,
            next_attempt_at=None,
            changed_at=batch.begun_at,
        )
        within = unsettled.filter(pk__gte=batch.begun_first, pk__lte=batch.begun_last)
        begun = set(within.values_list("pk", flat=True))
    else:
        begun = set()
    return _settle(batch, in_doubt=begun, begun_at=batch.begun_at or now)


def lease() -> timedelta:
    return timedelta(seconds=float(conf.get("LEASE_SECONDS")))


def _elsewhere_until(batch: Batch, now: datetime) -> datetime:
    """So long the machine that has the batch's journal is waited for."""
    wait = timedelta(seconds=float(conf.get("JOURNAL_WAIT_SECONDS")))
    return (batch.lease_until or now) + wait


def held(claim: Claim) -> QuerySet[Batch]:
    """The batch, as long as the claim on it stands."""
    return Batch.objects.filter(pk=claim.batch_id, state=Batch.State.CLAIMED, fence=claim.fence)


def rows_of(batch: Batch) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        digest_id=batch.digest_id, pk__gte=batch.first_id, pk__lte=batch.last_id
    )


def end_of_the_rest(digest_id: int) -> dict[str, str] | None:
    """What becomes of what a stopped digest has not sent; None while it may still go out."""
    digest = Digest.objects.only("status", "called_off_at").get(pk=digest_id)
    if digest.status == Digest.Status.CANCELLED:
        return {"state": Delivery.State.SKIPPED, "reason": Delivery.Reason.CANCELLED}
    if digest.called_off_at is not None:
        return {"state": Delivery.State.FAILED, "reason": Delivery.Reason.CALLED_OFF}
    return None


def unclaimed_rows(digest_id: int) -> QuerySet[Delivery]:
    """The digest's deliveries that no worker holds, nor can claim before this transaction ends."""
    rows = Delivery.objects.filter(digest_id=digest_id)
    batches = Batch.objects.select_for_update().filter(digest_id=digest_id).order_by("pk")
    for state, first, last in batches.values_list("state", "first_id", "last_id"):
        if state == Batch.State.CLAIMED:
            rows = rows.exclude(pk__range=(first, last))
    return rows


def _settle(batch: Batch, *, in_doubt: Collection[int], begun_at: datetime) -> int:
    """Put the rows of a batch that nobody holds any more into order; how many are uncertain.

    The caller has locked the batch's row and raised its fence or made sure that it holds it.
    """
    rows = rows_of(batch)
    uncertain = 0
    if in_doubt:
        # `changed_at` says when the message was begun, which is where evidence is looked for.
        uncertain = rows.filter(pk__in=in_doubt, state=Delivery.State.PENDING).update(
            state=Delivery.State.UNCERTAIN,
            reason=Delivery.Reason.VANISHED,
            attempts=F("attempts") + 1,
            changed_at=begun_at,
        )
    if end := end_of_the_rest(batch.digest_id):
        rows.filter(state=Delivery.State.PENDING).update(**end)
    state, not_before = Batch.State.DONE, None
    if rows.filter(state=Delivery.State.PENDING).exists():
        state = Batch.State.OPEN
    else:
        deferred = rows.filter(state=Delivery.State.DEFERRED)
        not_before = deferred.aggregate(first=Min("next_attempt_at"))["first"]
        if not_before:
            state = Batch.State.OPEN
    Batch.objects.filter(pk=batch.pk).update(
        state=state, owner="", lease_until=None, not_before=not_before, journal=""
    )
    return uncertain
