"""Trying once more those who missed a digest through no fault of their mailbox.

A delivery that was given up becomes `pending` again, its digest is being sent again, and senders
find it as they found it the first time: the same Message-ID, the same check of its member.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from newsletter.delivery.bounces.status import Meaning, meaning_of, status_of
from newsletter.delivery.control import end_the_rest, finish, want_sending
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest
from newsletter.exceptions import DigestNotReady
from newsletter.members.models import Subscription, Suppression

logger = logging.getLogger(__name__)

State, Reason, Status = Delivery.State, Delivery.Reason, Digest.Status

_AT_ONCE = 500
# Full mailboxes (RFC 3463: X.2.2; RFC 5321: 552, 452), and mail systems in trouble (X.3.*).
_FULL = "5.2.2"
_MAIL_SYSTEM = "5.3."
_NO_ROOM = (452, 552)


def is_worth_a_retry(reason: str, code: int | None, detail: str) -> bool:
    """Whether a failed delivery failed for a cause that may have gone.

    Time that ran out, or a retry that was called off; a refusal of our server, our sender or our
    content; a full mailbox. Not a mailbox that does not exist, nor a refused recipient of whom the
    server says no more than no.
    Pure.
    """
    if reason in (Reason.EXPIRED, Reason.CALLED_OFF):
        return True
    if reason not in (Reason.REFUSED, Reason.CONTENT):
        return False
    status = status_of("", f"{code or 550} {detail}")
    meaning = meaning_of(status)
    if reason == Reason.CONTENT or meaning is Meaning.ABOUT_US:
        return meaning is not Meaning.GONE
    return status == _FULL or status.startswith(_MAIL_SYSTEM) or (code in _NO_ROOM and not status)


def missed(digest: Digest, *, now: datetime) -> list[int]:
    """The deliveries of a finished digest that may be tried once more, in their order.

    None of whom has had it, may have had it, has left, pauses, or must not be mailed any more.
    """
    if digest.status != Status.SENT or digest.delivery_counts is not None:
        return []
    told = _still_wanted(digest, now).values_list("pk", "reason", "smtp_code", "detail")
    return [
        pk
        for pk, reason, code, detail in told.order_by("pk").iterator()
        if is_worth_a_retry(reason, code, detail)
    ]


def retry_missed(digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None) -> int:
    """Send a finished digest to those who missed it; how many. Raises DigestNotReady if nobody did.

    It is `sending` until each of them came to an end, with a whole DELIVERY_DEADLINE_HOURS ahead.
    """
    digest = Digest.objects.get(pk=digest_id)
    # Looked up before anything is locked: among a million deliveries it takes a while.
    ids = missed(digest, now=now)
    if not ids:
        raise DigestNotReady(_nobody(digest))
    with transaction.atomic():
        if not _begin_again(digest, now):
            said = _("Somebody else has just had %(digest)s tried again.")
            raise DigestNotReady(said % {"digest": digest})
        for chunk in _chunks(ids):
            Delivery.objects.filter(pk__in=chunk, state=State.FAILED).update(
                state=State.PENDING, reason="", changed_at=now
            )
        waiting = Delivery.objects.filter(
            digest_id=OuterRef("digest_id"), state=State.PENDING,
            pk__gte=OuterRef("first_id"), pk__lte=OuterRef("last_id"),
        )  # fmt: skip
        Batch.objects.filter(Exists(waiting), digest_id=digest_id).update(
            state=Batch.State.OPEN, not_before=None
        )
        want_sending(digest_id)
    logger.info("Digest %s: %s tried again by %s", digest_id, len(ids), getattr(by, "pk", None))
    return len(ids)


def call_off(digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None) -> int:
    """End a retry, also one that is held: how many will not get it for now. Raises DigestNotReady
    if there is none.

    They may be tried again later. A mail that a worker is handing over at this moment still goes;
    the digest is `sent` again once it is known what became of that.
    """
    changed = Digest.objects.filter(
        pk=digest_id,
        status__in=[Status.SENDING, Status.HELD],
        sent_at__isnull=False,
        called_off_at=None,
    ).update(status=Status.SENDING, called_off_at=now, paused_at=None, status_reason="")
    if not changed:
        digest = Digest.objects.get(pk=digest_id)
        raise DigestNotReady(_("Nobody is being tried again: %(digest)s.") % {"digest": digest})
    left = end_the_rest(digest_id, now=now)
    finish(digest_id, now=now)
    logger.info("Digest %s: retry called off by %s", digest_id, getattr(by, "pk", None))
    return left


def _still_wanted(digest: Digest, now: datetime) -> QuerySet[Delivery]:
    """Its failed deliveries to members who would get it if it were sent for the first time."""
    suppressed = Suppression.objects.filter(address_hash=OuterRef("member__address_hash"))
    subscribed = Subscription.objects.filter(
        Q(paused_until=None) | Q(paused_until__lte=now),
        member=OuterRef("member"), newsletter=digest.newsletter_id,
        state=Subscription.State.ACTIVE,
    )  # fmt: skip
    return Delivery.objects.filter(
        Exists(subscribed), ~Exists(suppressed), digest=digest, state=State.FAILED,
        member__confirmed_at__isnull=False,
    )  # fmt: skip


def _begin_again(digest: Digest, now: datetime) -> bool:
    """Unless it was tried again, or forgotten, since it was looked at."""
    # `sending_at` stays: it dates the issue in the archive and in the reports.
    changed = Digest.objects.filter(
        pk=digest.pk, status=Status.SENT, sent_at=digest.sent_at, delivery_counts__isnull=True
    ).update(
        status=Status.SENDING, status_reason="", going_since=now, sent_at=now, called_off_at=None
    )
    return bool(changed)


def _nobody(digest: Digest) -> str:
    if digest.status != Status.SENT:
        said = _("%(digest)s is “%(status)s”: only what was sent can be tried again.")
    else:
        said = _("Nobody missed %(digest)s for a reason that may have gone.")
    return said % {"digest": digest, "status": digest.get_status_display()}


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    return (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
