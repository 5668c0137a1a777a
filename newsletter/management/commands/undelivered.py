from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from wagtail.log_actions import log

from newsletter.desk.undelivered import csv_lines, in_words, rows_of
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.named import numbered_digest


class Command(OperatorCommand):
    help = "Who did not get a digest, and why: how many, or each of them with --csv."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, metavar="ID")
        parser.add_argument(
            "--csv", action="store_true",
            help="A line for each on standard output, with the address and the server's answer.",
        )  # fmt: skip

    def act(self, options: dict[str, Any]) -> Outcome:
        digest = numbered_digest(options["digest"])
        if options["csv"] and not options["json"]:
            # As when somebody takes it out in the admin: it stands in the digest's history.
            log(instance=digest, action="newsletter.undelivered_export")
            for line in csv_lines(digest):
                self.stdout.write(line, ending="")
            return Outcome({})
        numbers = Counter((state, reason) for _id, state, reason, _answer in rows_of(digest))
        told = [
            {"state": state, "reason": reason, "number": number}
            for (state, reason), number in sorted(numbers.items())
        ]
        lines = [
            f"{number:,} {': '.join(filter(None, in_words(state, reason)))}"
            for (state, reason), number in sorted(numbers.items())
        ]
        missing = sum(numbers.values())
        return Outcome(
            {"digest": digest.pk, "undelivered": missing, "by_reason": told},
            [f"{digest}: {missing:,} have not got it.", *(f"    {line}" for line in lines)],
        )
