from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from newsletter.delivery.control import pause
from newsletter.digests.models import Digest
from newsletter.management.steering import SteeringCommand, nothing_to


class Command(SteeringCommand):
    help = "Stops sending a digest for now; each sender still sends the mail in hand."
    action = "newsletter.pause"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="Shown to the editors on its page.")

    def steer(self, digest: Digest, options: dict[str, Any], now: datetime) -> dict[str, Any]:
        if not pause(digest.pk, now=now, reason=options["reason"]):
            raise nothing_to("paused", digest)
        return {}

    def said(self, digest: Digest, told: dict[str, Any]) -> str:
        return f"{digest} is paused until somebody resumes it."
