from __future__ import annotations

from datetime import datetime
from typing import Any

from newsletter.delivery.control import resume
from newsletter.digests.models import Digest
from newsletter.management.steering import SteeringCommand, nothing_to


class Command(SteeringCommand):
    help = "Goes on with a paused digest."
    action = "newsletter.resume"

    def steer(self, digest: Digest, options: dict[str, Any], now: datetime) -> dict[str, Any]:
        if not resume(digest.pk, now=now):
            raise nothing_to("resumed", digest)
        return {}

    def said(self, digest: Digest, told: dict[str, Any]) -> str:
        return f"{digest} goes on: a worker or send_digest sends it."
