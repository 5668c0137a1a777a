from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.delivery.control import send_now
from newsletter.delivery.models import Delivery
from newsletter.delivery.progress import Progress as Ledger
from newsletter.delivery.progress import progress as ledger_of
from newsletter.delivery.send import send_batches
from newsletter.digests.models import Digest
from newsletter.management.base import OperatorCommand, Outcome, words_of_the_site
from newsletter.management.named import numbered_digest
from newsletter.management.progress import Progress

ROUND = timedelta(seconds=1)  # between two looks at the ledger


class Command(OperatorCommand):
    help = (
        "Sends an approved digest now, here, whatever its slot. Stopped, it goes on when repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, metavar="ID")

    def act(self, options: dict[str, Any]) -> Outcome:
        digest = numbered_digest(options["digest"])
        if digest.status == Digest.Status.SENT:
            return self._tell(digest, "")
        send_now(digest.pk, now=datetime.now(UTC))
        bar = Progress("Mail", self.stderr)
        try:
            while True:
                with words_of_the_site():
                    done = send_batches(digest.pk, budget=ROUND)
                ledger = ledger_of(digest)
                bar.show(ledger.deliveries - ledger.left, ledger.deliveries)
                if done.ended != "budget":
                    break
        finally:
            bar.close()
        digest.refresh_from_db()
        problem = ""
        if digest.status != Digest.Status.SENT:
            problem = _what_is_left(digest, ledger, done.detail)
        return self._tell(digest, problem)

    def _tell(self, digest: Digest, problem: str) -> Outcome:
        ledger = ledger_of(digest)
        data = {
            "digest": digest.pk,
            "status": digest.status,
            "deliveries": ledger.deliveries,
            "states": ledger.states,
            "exclusions": ledger.exclusions,
        }
        sent = ledger.states[Delivery.State.SENT]
        return Outcome(data, [f"{digest}: {sent} of {ledger.deliveries} delivered."], problem)


def _what_is_left(digest: Digest, ledger: Ledger, detail: str) -> str:
    states = ", ".join(f"{number} {state}" for state, number in ledger.states.items() if number)
    why = detail or digest.status_reason
    return f"{digest} is not finished ({states})." + (f" {why}" if why else "")
