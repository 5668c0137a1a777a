"""What an operator does to a whole digest, as the buttons of its page do."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from wagtail.log_actions import log

from newsletter.digests.models import Digest
from newsletter.management.base import OperatorCommand, Outcome, words_of_the_site
from newsletter.management.named import numbered_digest


class SteeringCommand(OperatorCommand):
    """Subclasses say in `steer` what they do, and raise CommandError where there is nothing to do.

    It stands in the digest's history, without a name.
    """

    action = ""  # in the history: as the button's

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, metavar="ID")

    def steer(self, digest: Digest, options: dict[str, Any], now: datetime) -> dict[str, Any]:
        raise NotImplementedError

    def said(self, digest: Digest, told: dict[str, Any]) -> str:
        raise NotImplementedError

    def act(self, options: dict[str, Any]) -> Outcome:
        digest = numbered_digest(options["digest"])
        with words_of_the_site():
            told = self.steer(digest, options, datetime.now(UTC))
            log(instance=digest, action=self.action)
        digest.refresh_from_db()
        data = {"digest": digest.pk, "status": digest.status, "paused": bool(digest.paused_at)}
        return Outcome(data | told, [self.said(digest, told)])


def nothing_to(verb: str, digest: Digest) -> CommandError:
    status = f"{digest.status}, paused" if digest.paused_at else digest.status
    return CommandError(f"{digest} cannot be {verb}: it is {status}.")
