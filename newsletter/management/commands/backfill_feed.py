from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from newsletter.articles.backfill import backfill
from newsletter.feeds.models import Feed
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.progress import Progress


class Command(OperatorCommand):
    help = "Fetches a feed's older posts, page by page; repeated, it goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("feed", type=int, metavar="ID", help="`poll_feeds --json` lists them.")
        parser.add_argument("--pages", type=int, default=100, help="At most so many (100).")
        parser.add_argument(
            "--pause", type=float, default=1.0, help="Seconds between two requests (1)."
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        feed = Feed.objects.filter(pk=options["feed"]).first()
        if feed is None:
            raise CommandError(
                f"There is no feed {options['feed']}. `poll_feeds --json` lists them."
            )
        progress = Progress("Pages", self.stderr)
        try:
            done = backfill(
                feed,
                now=datetime.now(UTC),
                most_pages=options["pages"],
                pause=lambda: time.sleep(options["pause"]),
                progress=lambda run: progress.show(run.pages, run.pages_in_all or run.pages + 1),
            )
        finally:
            progress.close()
        data = {"feed": feed.pk, "pages": done.pages, "articles_new": done.new}
        return Outcome(data, [f"{feed}: {done.new} new articles, {done.pages} pages."], done.error)
