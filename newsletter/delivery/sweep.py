"""Once a minute: take up what was lost, clear up what can be, ring again for what is left.

Everything here reads the database alone. A broker that lost its queue, a worker that was killed,
a night without power: the next sweep finds what is to be done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from newsletter.delivery.bounces.refusals import weigh_refusals
from newsletter.delivery.claim import release_expired
from newsletter.delivery.control import expire, finish, hold_stale
from newsletter.delivery.evidence import configured_evidence
from newsletter.delivery.models import Batch
from newsletter.delivery.reconcile import Reconciled, reconcile
from newsletter.digests.models import Digest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    to_ring: tuple[int, ...]  # digests with work for a sender, now
    finished: tuple[int, ...]  # digests closed by this sweep
    held: tuple[int, ...]
    released: int  # batches of vanished workers
    uncertain: int  # deliveries those left behind
    expired: int
    reconciled: Reconciled


def sweep(*, now: datetime) -> Swept:
    """Safe to run at any time, in several processes at once."""
    released, uncertain = release_expired(now=now)
    try:
        reconciled = reconcile(configured_evidence(), now=now)
    except Exception:
        # Other people's code and log files: they must not keep lost work from being rung for.
        logger.exception("The evidence about uncertain mails could not be read")
        reconciled = Reconciled()
    try:
        weigh_refusals(now=now)
    except Exception:
        logger.exception("The refusals of mail servers could not be weighed")
    expired = expire(now=now)
    held = hold_stale(now=now)
    sending = list(
        Digest.objects.filter(status=Digest.Status.SENDING).order_by("slot", "pk")
        .values_list("pk", flat=True)
    )  # fmt: skip
    finished = tuple(digest_id for digest_id in sending if finish(digest_id, now=now))
    return Swept(
        to_ring=to_ring(now=now),
        finished=finished,
        held=tuple(held),
        released=released,
        uncertain=uncertain,
        expired=expired,
        reconciled=reconciled,
    )


def to_ring(*, now: datetime) -> tuple[int, ...]:
    """The digests that have an open batch which is due, the earliest slot first."""
    due = Batch.objects.filter(state=Batch.State.OPEN).filter(
        Q(not_before=None) | Q(not_before__lte=now)
    )
    digests = Digest.objects.filter(
        status=Digest.Status.SENDING, paused_at=None, pk__in=due.values("digest_id")
    )
    return tuple(digests.order_by("slot", "pk").values_list("pk", flat=True))
