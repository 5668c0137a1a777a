"""What people and the clock decide about a whole digest: start, hold, pause, cancel, end."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.delivery.claim import end_of_the_rest, unclaimed_rows
from newsletter.delivery.freeze import accounting
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest
from newsletter.exceptions import DigestNotReady
from newsletter.signals import digest_sent, sending_wanted

logger = logging.getLogger(__name__)

Status, State = Digest.Status, Delivery.State


def grace() -> timedelta:
    return timedelta(hours=float(conf.get("GRACE_HOURS")))


def start_due(*, now: datetime) -> list[int]:
    """Start the approved digests whose slot has come; the ones started now.

    One whose slot, or whose later approval, lies longer back than GRACE_HOURS is held instead:
    after a long downtime or a restored backup nothing goes out without a person's word.
    """
    started: list[int] = []
    waiting = Digest.objects.filter(status=Status.APPROVED, slot__lte=now, paused_at=None)
    for digest in waiting.order_by("slot", "pk").only("slot", "approved_at"):
        due_at = max(digest.slot, digest.approved_at or digest.slot)
        if now - due_at > grace():
            reason = _(
                "Its time passed more than %(hours)s hours ago while nothing was running. "
                "Send it now or cancel it."
            ) % {"hours": conf.get("GRACE_HOURS")}
            _move(digest.pk, Status.APPROVED, Status.HELD, reason=reason)
        elif _move(digest.pk, Status.APPROVED, Status.SENDING, **_begun(now)):
            started.append(digest.pk)
    return started


def send_now(digest_id: int, *, now: datetime) -> None:
    """A person's word: an approved or held digest goes out, whatever its slot says.

    One that is being sent already stays as it is. Raises DigestNotReady for any other.
    """
    digest = Digest.objects.get(pk=digest_id)
    if digest.status == Status.SENDING:
        return
    ready = digest.is_frozen and digest.status in (Status.APPROVED, Status.HELD)
    # It was said of the whole issue: a pause from before does not keep it.
    if not ready or not _move(
        digest_id, digest.status, Status.SENDING, paused_at=None, **_begun(now)
    ):
        raise DigestNotReady(
            _("%(digest)s cannot be sent: it is “%(status)s”. Approve it first.")
            % {"digest": digest, "status": digest.get_status_display()}
        )
    want_sending(digest_id)


def hold_stale(*, now: datetime) -> list[int]:
    """Hold the digests that were being sent when everything stopped, longer than the grace ago.

    That is what a database restored from an old backup looks like: its mails may have gone.
    """
    held: list[int] = []
    stale = Digest.objects.filter(
        status=Status.SENDING, paused_at=None, going_since__lt=now - grace()
    ).exclude(rested_at__gte=now - grace())
    for digest_id, sent_at in stale.values_list("pk", "sent_at"):
        rows = Delivery.objects.filter(digest_id=digest_id)
        unsent = rows.filter(state__in=[State.PENDING, State.DEFERRED])
        last = rows.aggregate(last=Max("changed_at"))["last"]
        if last and now - last > grace() and unsent.exists():
            reason = (
                _("The retry was interrupted for too long. Send it now or call off the retry.")
                if sent_at
                else _("Sending was interrupted for too long. Send it now or cancel it.")
            )
            if _move(digest_id, Status.SENDING, Status.HELD, reason=reason):
                held.append(digest_id)
    return held


def pause(
    digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None, reason: str = ""
) -> bool:
    """Stop sending for now; at most the message a worker has in hand still goes."""
    changed = Digest.objects.filter(
        pk=digest_id, status__in=[Status.APPROVED, Status.SENDING], paused_at=None
    ).update(paused_at=now, status_reason=reason[:300])
    if changed:
        logger.info("Digest %s paused by %s", digest_id, getattr(by, "pk", None))
    return bool(changed)


def resume(digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None) -> bool:
    """Go on with a paused digest."""
    paused = Digest.objects.filter(pk=digest_id, paused_at__isnull=False)
    # A person has just spoken: what was idle for long is not stale, and has its whole time.
    paused.filter(status=Status.SENDING).update(going_since=now)
    changed = paused.update(paused_at=None, status_reason="")
    if changed:
        want_sending(digest_id)
        logger.info("Digest %s resumed by %s", digest_id, getattr(by, "pk", None))
    return bool(changed)


@transaction.atomic
def cancel(digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None) -> int:
    """Never send the rest; how many will not get it. Raises DigestNotReady once it is sent.

    A message that a worker is handing over at this moment is still counted as what it becomes, and
    what a worker has claimed is given up by that worker, which notices before its next message.
    """
    changed = (
        # One that was sent and is being tried again went out: it stays in the archive.
        Digest.objects.filter(pk=digest_id, sent_at=None)
        .exclude(status__in=[Status.SENT, Status.CANCELLED, Status.SKIPPED])
        .update(status=Status.CANCELLED, status_reason=_("Cancelled by hand."), paused_at=None)
    )
    if not changed:
        digest = Digest.objects.get(pk=digest_id)
        if digest.status == Status.CANCELLED:
            return 0
        raise DigestNotReady(
            _("%(digest)s cannot be cancelled: it is “%(status)s”.")
            % {"digest": digest, "status": digest.get_status_display()}
        )
    left = end_the_rest(digest_id, now=now)
    logger.info("Digest %s cancelled by %s: %s not sent", digest_id, getattr(by, "pk", None), left)
    return left


@transaction.atomic
def end_the_rest(digest_id: int, *, now: datetime) -> int:
    """Give up what a cancelled or called off digest has not sent, but for what a worker holds."""
    end = end_of_the_rest(digest_id)
    if end is None:
        return 0
    pending = unclaimed_rows(digest_id).filter(state=State.PENDING)
    deferred = Delivery.objects.filter(digest_id=digest_id, state=State.DEFERRED)
    return sum(
        rows.update(**end, next_attempt_at=None, changed_at=now) for rows in (pending, deferred)
    )


def expire(*, now: datetime) -> int:
    """Give up on what was deferred until its digest's deadline; how many.

    A mail that was on its way when its digest was cancelled, and was not taken, is given up, too.
    """
    stopped = Digest.objects.filter(
        Q(status=Status.CANCELLED) | Q(status=Status.SENDING, called_off_at__isnull=False)
    )
    for state in (State.PENDING, State.DEFERRED):
        left = Delivery.objects.filter(digest_id=OuterRef("pk"), state=state)
        for digest_id in stopped.filter(Exists(left)).values_list("pk", flat=True):
            end_the_rest(digest_id, now=now)
    limit = now - timedelta(hours=float(conf.get("DELIVERY_DEADLINE_HOURS")))
    return Delivery.objects.filter(
        digest__in=Digest.objects.filter(going_since__lt=limit, status=Status.SENDING),
        state=State.DEFERRED,
    ).update(
        state=State.FAILED,
        reason=Delivery.Reason.EXPIRED,
        next_attempt_at=None,
        changed_at=now,
    )


def finish(digest_id: int, *, now: datetime) -> bool:
    """Close the digest if every delivery came to an end and the counts add up."""
    going_out = Digest.objects.filter(pk=digest_id, status=Status.SENDING)
    looked_at = going_out.values_list("sent_at").first()
    if looked_at is None:
        return False
    rows = Delivery.objects.filter(digest_id=digest_id)
    open_states = [state for state in State if state not in Delivery.TERMINAL]
    if any(rows.filter(state=state).exists() for state in open_states):
        return False
    if Batch.objects.filter(digest_id=digest_id, state=Batch.State.CLAIMED).exists():
        return False  # who holds it gives it back in a moment and comes here again
    digest = going_out.first()
    if digest is None:
        return False
    account = accounting(digest)
    if not account.adds_up:
        logger.error("Digest %s does not add up: %s", digest_id, account)
        note_trouble(digest_id, _("The numbers of its deliveries do not add up."))
        return False
    with transaction.atomic():
        # Closed by somebody else and tried again meanwhile, it is not what we looked at.
        same = going_out.filter(sent_at=looked_at[0])
        if not same.update(status=Status.SENT, status_reason="", paused_at=None, sent_at=now):
            return False
        Batch.objects.filter(digest_id=digest_id).update(
            state=Batch.State.DONE, owner="", lease_until=None, not_before=None
        )
        digest.refresh_from_db()
        transaction.on_commit(partial(digest_sent.send, sender=Digest, digest=digest))
    return True


def note_trouble(digest_id: int, reason: str) -> None:
    """Say on the digest's page what keeps it from going out."""
    Digest.objects.filter(pk=digest_id, status=Status.SENDING, paused_at=None).update(
        status_reason=reason[:300]
    )


def note_rest(digest_id: int, *, now: datetime) -> None:
    """It waits because it should (a limit, quiet hours): that is neither stale nor late."""
    Digest.objects.filter(pk=digest_id, status=Status.SENDING).update(rested_at=now)


def clear_trouble(digest_id: int) -> None:
    Digest.objects.filter(pk=digest_id, status=Status.SENDING, paused_at=None).update(
        status_reason=""
    )


def want_sending(digest_id: int) -> None:
    """Ring at once instead of at the next tick; with nobody to hear it, the tick still comes."""
    transaction.on_commit(
        partial(sending_wanted.send_robust, sender=Digest, digest_id=digest_id), robust=True
    )


def _begun(now: datetime) -> dict[str, Any]:
    """Going from now on; when it first went out is what the archive and the reports tell."""
    return {"sending_at": Coalesce("sending_at", Value(now)), "going_since": now}


def _move(digest_id: int, from_: str, to: str, *, reason: str = "", **fields: Any) -> bool:
    """Change the status, unless somebody else has just done so."""
    changed = Digest.objects.filter(pk=digest_id, status=from_).update(
        status=to, status_reason=reason[:300], **fields
    )
    return bool(changed)
