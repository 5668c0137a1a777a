from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from newsletter.digests.compile import compile_digest
from newsletter.digests.models import Digest
from newsletter.digests.schedule import next_slot
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.named import named_newsletter


class Command(OperatorCommand):
    help = "Proposes a newsletter's next digest as a draft. Run again, it finds the same one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("newsletter", metavar="NEWSLETTER", help="Its slug.")
        parser.add_argument(
            "--now", action="store_true", help="A digest of this moment, whatever the schedule."
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        newsletter = named_newsletter(options["newsletter"])
        now = datetime.now(UTC)
        slot = now.replace(microsecond=0) if options["now"] else next_slot(newsletter, after=now)
        if slot is None:
            raise CommandError(
                f"“{newsletter.name}” has no schedule: it goes out by hand. Say --now."
            )
        digest = compile_digest(newsletter, slot=slot, now=now)
        items = digest.items.count()
        data = {
            "digest": digest.pk,
            "newsletter": newsletter.slug,
            "number": digest.number,
            "slot": digest.slot.isoformat(),
            "status": digest.status,
            "reason": digest.status_reason,
            "items": items,
        }
        if digest.status == Digest.Status.SKIPPED:
            return Outcome(data, [f"“{newsletter.name}” skipped: {digest.status_reason}"])
        # As the admin says it: in the site's time.
        when = f"{timezone.localtime(digest.slot):%Y-%m-%d %H:%M %Z}"
        line = f"Digest {digest.pk}, {digest}: {items} articles, goes out {when}"
        return Outcome(data, [f"{line} ({digest.status})."])
