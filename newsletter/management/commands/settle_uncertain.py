from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any, Literal

from django.core.management.base import CommandError

from newsletter.delivery.models import Delivery
from newsletter.delivery.reconcile import resolve
from newsletter.digests.models import Digest
from newsletter.management.steering import SteeringCommand


class Command(SteeringCommand):
    help = "Says what became of a digest's uncertain mails: they arrived, or they go once more."
    action = "newsletter.settle_uncertain"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        word = parser.add_mutually_exclusive_group(required=True)
        word.add_argument("--sent", action="store_true", help="The mail server took them.")
        word.add_argument(
            "--resend", action="store_true", help="Send them again; who has one gets a second."
        )
        parser.add_argument(
            "--delivery", type=int, action="append", metavar="N",
            help="Only this one, as its page and its Message-ID number it; may be repeated.",
        )  # fmt: skip

    def steer(self, digest: Digest, options: dict[str, Any], now: datetime) -> dict[str, Any]:
        uncertain = digest.deliveries.filter(state=Delivery.State.UNCERTAIN).order_by("pk")
        if options["delivery"]:
            uncertain = uncertain.filter(pk__in=options["delivery"])
        word: Literal["sent", "resend"] = "sent" if options["sent"] else "resend"
        ids = list(uncertain.values_list("pk", flat=True))
        settled = sum(resolve(pk, word, now=now) for pk in ids)
        if not settled:
            raise CommandError(f"None of these mails of {digest} is uncertain.")
        return {"settled": settled, "as": word}

    def said(self, digest: Digest, told: dict[str, Any]) -> str:
        what = "counted as sent" if told["as"] == "sent" else "to be sent again"
        return f"{digest}: {told['settled']:,} {what}."
