"""What is not needed any more is not kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from newsletter import conf
from newsletter.members.models import AddressChange, Member, SignupAttempt, Subscription

CHUNK = 1000


def delete_unconfirmed(*, now: datetime) -> int:
    """Addresses that nobody confirmed in time, with all that hangs on them; how many went.

    So go wishes that members did not confirm, and the traces that limit the forms.
    """
    too_old = now - timedelta(days=int(conf.get("CONFIRMATION_DAYS")))
    SignupAttempt.objects.filter(at__lt=now - timedelta(days=1)).delete()
    AddressChange.objects.filter(created_at__lt=too_old).delete()
    Subscription.objects.filter(
        state=Subscription.State.PENDING,
        created_at__lt=too_old,
        member__confirmed_at__isnull=False,
    ).update(state=Subscription.State.ENDED, ended_at=now)
    deleted = 0
    while ids := list(
        Member.objects.unconfirmed_since(too_old).values_list("pk", flat=True)[:CHUNK]
    ):
        # Asked again: one of them may have confirmed in this moment.
        Member.objects.unconfirmed_since(too_old).filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted
