from __future__ import annotations

from datetime import datetime
from typing import Any

from newsletter.delivery.control import cancel
from newsletter.digests.models import Digest
from newsletter.management.steering import SteeringCommand, nothing_to

_OVER = (Digest.Status.SENT, Digest.Status.CANCELLED, Digest.Status.SKIPPED)


class Command(SteeringCommand):
    help = "Ends a digest for good: whoever has not had it yet will not get it."
    action = "newsletter.cancel"

    def steer(self, digest: Digest, options: dict[str, Any], now: datetime) -> dict[str, Any]:
        if digest.status in _OVER or digest.sent_at:
            raise nothing_to("cancelled", digest)
        return {"not_sent": cancel(digest.pk, now=now)}

    def said(self, digest: Digest, told: dict[str, Any]) -> str:
        return f"{digest} is cancelled: {told['not_sent']:,} will not get it."
