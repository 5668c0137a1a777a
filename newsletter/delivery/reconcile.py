"""Clearing up uncertain deliveries: by evidence where there is any, else by a person."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from newsletter.delivery.claim import end_of_the_rest
from newsletter.delivery.evidence import Evidence, Verdict
from newsletter.delivery.message_id import message_ids
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest

logger = logging.getLogger(__name__)

_AT_ONCE = 1000


@dataclass(frozen=True)
class Reconciled:
    sent: int = 0
    pending: int = 0
    unknown: int = 0


def reconcile(
    sources: Sequence[Evidence], *, now: datetime, digest_id: int | None = None
) -> Reconciled:
    """Ask the sources about every uncertain delivery.

    One source that saw the message settles it as sent, whatever others say; absent needs a source
    that says so and none that saw it. All else stays uncertain.
    """
    if not sources:
        return Reconciled()
    sent = pending = unknown = after = 0
    # A digest that was sent has none: so the ledger of years is never searched.
    open_ones = Digest.objects.filter(approved_at__isnull=False).exclude(status=Digest.Status.SENT)
    digest_ids = (
        [digest_id] if digest_id is not None else list(open_ones.values_list("pk", flat=True))
    )
    rows = Delivery.objects.filter(
        digest_id__in=digest_ids, state=Delivery.State.UNCERTAIN
    ).select_related("digest__newsletter")
    while chunk := list(rows.filter(pk__gt=after).order_by("pk")[:_AT_ONCE]):
        after = chunk[-1].pk
        verdicts = _ask(sources, chunk, now)
        for delivery in chunk:
            verdict = verdicts[delivery.pk]
            if verdict is Verdict.ACCEPTED:
                sent += _settle_sent([delivery.pk], Delivery.Reason.EVIDENCE, now)
            elif verdict is Verdict.ABSENT:
                pending += _settle_pending(delivery, Delivery.Reason.EVIDENCE, now)
            else:
                unknown += 1
    if sent or pending:
        logger.info("Reconciled: %s sent, %s to send, %s unknown", sent, pending, unknown)
    return Reconciled(sent, pending, unknown)


def resolve(
    delivery_id: int,
    decision: Literal["sent", "resend"],
    *,
    now: datetime,
    by: AbstractBaseUser | None = None,
) -> bool:
    """A person's word on an uncertain delivery; False when it is not uncertain (any more).

    "resend" may mean a second copy: that is what the person decides.
    """
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    if delivery is None:
        return False
    if decision == "sent":
        changed = _settle_sent([delivery_id], Delivery.Reason.PERSON, now)
    else:
        changed = _settle_pending(delivery, Delivery.Reason.PERSON, now)
    if changed:
        logger.info("Delivery %s: %s, says %s", delivery_id, decision, getattr(by, "pk", None))
    return bool(changed)


def settle_seen(delivery_id: int, *, now: datetime) -> bool:
    """Somebody who has had the mail spoke of it; False when that was no question."""
    return bool(_settle_sent([delivery_id], Delivery.Reason.EVIDENCE, now))


def _ask(
    sources: Sequence[Evidence], deliveries: Iterable[Delivery], now: datetime
) -> dict[int, Verdict]:
    asked = {name: row for row in deliveries for name in message_ids(row)}
    said: dict[int, set[Verdict]] = {row.pk: set() for row in asked.values()}
    absent: dict[int, bool] = {}
    for source in sources:
        answers = source.look_up({name: row.changed_at for name, row in asked.items()}, now=now)
        found: dict[int, list[Verdict]] = {}
        for name, row in asked.items():
            found.setdefault(row.pk, []).append(answers.get(name, Verdict.UNKNOWN))
        for pk, verdicts in found.items():
            said[pk].update(verdicts)
            # Under each of the names that it may have gone by.
            absent[pk] = absent.get(pk, False) or set(verdicts) == {Verdict.ABSENT}
    return {
        pk: Verdict.ACCEPTED
        if Verdict.ACCEPTED in verdicts
        else (Verdict.ABSENT if absent.get(pk) else Verdict.UNKNOWN)
        for pk, verdicts in said.items()
    }


def _settle_sent(ids: Sequence[int], reason: str, now: datetime) -> int:
    return Delivery.objects.filter(pk__in=ids, state=Delivery.State.UNCERTAIN).update(
        state=Delivery.State.SENT, reason=reason, changed_at=now
    )


@transaction.atomic
def _settle_pending(delivery: Delivery, reason: str, now: datetime) -> int:
    """Back into the queue, unless its digest was stopped for good: then it is simply not sent."""
    # A sender that gives a batch back refers to the digest while it holds the batch: no key lock.
    digest = Digest.objects.select_for_update(of=("self",), no_key=True)
    digest.only("pk").get(pk=delivery.digest_id)
    uncertain = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.UNCERTAIN)
    if end := end_of_the_rest(delivery.digest_id):
        return uncertain.update(**end, changed_at=now)
    batch = Batch.objects.select_for_update().get(
        digest_id=delivery.digest_id, first_id__lte=delivery.pk, last_id__gte=delivery.pk
    )
    if batch.state == Batch.State.CLAIMED:
        # What is pending in it is its worker's, who never saw this one: it is due when the batch
        # is given back.
        return uncertain.update(
            state=Delivery.State.DEFERRED, reason=reason, next_attempt_at=now, changed_at=now
        )
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.OPEN, not_before=None)
    return uncertain.update(state=Delivery.State.PENDING, reason=reason, changed_at=now)
