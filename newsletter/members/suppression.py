"""Addresses that must not be mailed: how they come to be, and who may lift that."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from newsletter.members.models import Lifting, Member, Suppression

logger = logging.getLogger(__name__)

Reason = Suppression.Reason

# What the owner of the mailbox ends by asking for mail again and pressing the button in it.
ENDED_BY_CONFIRMING = (Reason.BOUNCE, Reason.RETURNED, Reason.ERASED)
# The weakest first: a stronger reason takes the place of a weaker one.
_STRENGTH = [Reason.RETURNED, Reason.BOUNCE, Reason.ERASED, Reason.COMPLAINT, Reason.MANUAL]


@transaction.atomic
def suppress(address_hash: str, reason: Suppression.Reason, *, now: datetime) -> bool:
    """Mail nothing to it from now on; False when it was for this or a stronger reason already."""
    known, created = Suppression.objects.select_for_update().get_or_create(
        address_hash=address_hash, defaults={"reason": reason, "created_at": now}
    )
    if created:
        return True
    if _STRENGTH.index(reason) <= _STRENGTH.index(Reason(known.reason)):
        return False
    Suppression.objects.filter(pk=known.pk).update(reason=reason, created_at=now)
    return True


@transaction.atomic
def lift(suppression: Suppression, *, by: AbstractBaseUser, why: str, now: datetime) -> bool:
    """A person lets the address be mailed again; what came back before counts no more.

    Not what its owner's erasure left: only they can end that. False when it is lifted already.
    """
    if (
        suppression.reason == Reason.ERASED
        or not Suppression.objects.filter(pk=suppression.pk).delete()[0]
    ):
        return False
    Lifting.objects.create(
        address_hash=suppression.address_hash,
        reason=suppression.reason,
        at=now,
        by_id=by.pk,
        why=why,
    )
    logger.info("Suppression %s (%s) lifted by %s", suppression.pk, suppression.reason, by.pk)
    return True


def welcome_back(member: Member, *, now: datetime, takes_complaint_back: bool = False) -> None:
    """They pressed the button in a mail that reached them: the mailbox is there, and wants mail.

    A report of spam stays, unless they take it back in so many words.
    """
    ended = list(ENDED_BY_CONFIRMING)
    if takes_complaint_back:
        ended.append(Reason.COMPLAINT)
    known = Suppression.objects.filter(address_hash=member.address_hash, reason__in=ended)
    for suppression in known.select_for_update():
        suppression.delete()
        Lifting.objects.create(address_hash=member.address_hash, reason=suppression.reason, at=now)


def stopped_because(member: Member) -> str:
    """The reason why nothing is sent to them although they receive; empty when there is none."""
    known = Suppression.objects.filter(address_hash=member.address_hash)
    return known.values_list("reason", flat=True).first() or ""


def complained(member: Member) -> bool:
    """Whether their mail program reported ours as spam, and they have not taken it back."""
    return Suppression.objects.filter(
        address_hash=member.address_hash, reason=Reason.COMPLAINT
    ).exists()
