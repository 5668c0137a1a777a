"""How many senders may serve one domain at once: places in the database, each with a lease.

A sender keeps its place from one mail to the next, and gives it back at the end of its round. Who
dies keeps it until the lease has run out.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from newsletter import conf
from newsletter.delivery.pace.models import Slot, Throttle


class Slots:
    """One sender's places. A name without a limit costs nothing."""

    def __init__(self, most: Mapping[str, int]) -> None:
        self.most = most
        self._owner = secrets.token_hex(8)
        self._until: dict[str, datetime] = {}

    def take(self, name: str, now: datetime) -> bool:
        """Whether a place is ours, for half a lease at least; False: all are taken."""
        most = self.most.get(name)
        if most is None:
            return True
        lease = timedelta(seconds=float(conf.get("LEASE_SECONDS")))
        until = self._until.get(name)
        if until is not None and now < until - lease / 2:
            return True
        if not _take(name, self._owner, most, now, now + lease):
            self._until.pop(name, None)
            return False
        self._until[name] = now + lease
        return True

    def give_back(self) -> None:
        if self._until:
            Slot.objects.filter(owner=self._owner).delete()
            self._until = {}


@transaction.atomic
def _take(name: str, owner: str, most: int, now: datetime, until: datetime) -> bool:
    # Whoever wants a place of this name waits here for its turn; SQLite has one writer anyway.
    Throttle.objects.select_for_update().get_or_create(
        name=f"slots {name}", defaults={"filled_at": now}
    )
    Slot.objects.filter(name=name, until__lte=now).exclude(owner=owner).delete()
    if Slot.objects.filter(name=name).exclude(owner=owner).count() >= most:
        return False
    Slot.objects.update_or_create(name=name, owner=owner, defaults={"until": until})
    return True
