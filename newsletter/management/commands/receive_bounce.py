from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from newsletter.delivery.bounces.reading import MOST_BYTES
from newsletter.delivery.bounces.receiving import receive

logger = logging.getLogger(__name__)

# What Postfix sets for a command in an alias; pipe(8) passes --recipient instead.
_RECIPIENT_VARIABLES = ("ORIGINAL_RECIPIENT", "RECIPIENT")
_CHUNK = 65536


class Command(BaseCommand):
    help = "Takes in one mail that came back, from standard input; made for a mail server's pipe."
    # A mail that comes in must not wait for the checks of a whole site.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--recipient",
            action="append",
            default=[],
            metavar="ADDRESS",
            help="The address that the mail came to, where its header does not tell.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with 0 for whatever could be read, a forgery too: no mail may bounce back again."""
        told = [os.environ[name] for name in _RECIPIENT_VARIABLES if name in os.environ]
        raw = sys.stdin.buffer.read(MOST_BYTES)
        while sys.stdin.buffer.read(_CHUNK):
            pass  # or the mail server takes the broken pipe for a failure
        try:
            worth = receive(raw, recipients=(*options["recipient"], *told), now=datetime.now(UTC))
        except Exception as error:
            # Nothing was remembered: the mail server keeps the mail, and tries again.
            logger.warning("A bounce waits: %s", type(error).__name__)
            self.stderr.write("The report could not be taken in now; try again later.")
            sys.exit(os.EX_TEMPFAIL)
        if options["verbosity"] > 1:
            self.stdout.write(str(worth.label))
