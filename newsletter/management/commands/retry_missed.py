from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from newsletter.delivery.missed import call_off, missed, retry_missed
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.named import numbered_digest


class Command(OperatorCommand):
    help = "Sends a finished digest to those who missed it for a reason that may have gone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, metavar="ID")
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--dry-run", action="store_true", help="Only say how many.")
        way.add_argument("--call-off", action="store_true", help="End the retry that is going on.")

    def act(self, options: dict[str, Any]) -> Outcome:
        digest, now = numbered_digest(options["digest"]), datetime.now(UTC)
        if options["dry_run"]:
            count = len(missed(digest, now=now))
            said = f"{digest}: {count:,} would be tried again."
        elif options["call_off"]:
            count = call_off(digest.pk, now=now)
            said = f"{digest}: called off, {count:,} were not tried again."
        else:
            count = retry_missed(digest.pk, now=now)
            said = f"{digest}: {count:,} are tried again; a worker or send_digest sends them."
        return Outcome({"digest": digest.pk, "missed": count}, [said])
