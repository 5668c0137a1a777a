from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from newsletter.delivery.freeze import approve
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.named import numbered_digest


class Command(OperatorCommand):
    help = "Approves a digest: its content and who gets it are fixed from now on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, metavar="ID")

    def act(self, options: dict[str, Any]) -> Outcome:
        digest = numbered_digest(options["digest"])
        accounting = approve(digest.pk, now=datetime.now(UTC))
        data = {
            "digest": digest.pk,
            "candidates": accounting.candidates,
            "deliveries": accounting.deliveries,
            "exclusions": accounting.exclusions,
        }
        left_out = accounting.candidates - accounting.deliveries
        return Outcome(
            data,
            [
                f"{digest} is approved: {accounting.deliveries} mails "
                f"({accounting.candidates} candidates, {left_out} left out with a reason)."
            ],
        )
