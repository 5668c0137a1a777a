from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from newsletter.archive.own_feeds import against_own_feeds
from newsletter.feeds.opml import import_opml
from newsletter.management.base import OperatorCommand, Outcome


class Command(OperatorCommand):
    help = "Adds the feeds of an OPML file, as feed readers export it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", help="The OPML file.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be added.")

    def act(self, options: dict[str, Any]) -> Outcome:
        try:
            body = Path(options["file"]).read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        result = import_opml(
            body,
            now=datetime.now(UTC),
            dry_run=options["dry_run"],
            against=against_own_feeds(),
        )
        if not (result.added or result.known or result.refused):
            raise CommandError(
                f"{options['file']}: there is no feed in it. Is it whole? Export it again as OPML."
            )
        verb = "would be added" if options["dry_run"] else "added"
        lines = [f"{verb}: {outline.url} {outline.title}" for outline in result.added]
        lines += [f"refused, {refusal.reason}: {refusal.url}" for refusal in result.refused]
        counts = f"{len(result.added)} {verb}, {len(result.known)} already there"
        refused = f", {len(result.refused)} refused" if result.refused else ""
        lines.append(f"{counts}{refused}.")
        return Outcome(asdict(result), lines)
