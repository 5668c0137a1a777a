from __future__ import annotations

import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from newsletter.articles.backfill import backfill
from newsletter.feeds.models import Feed
from newsletter.management.base import OperatorCommand, Outcome, words_of_the_site
from newsletter.management.progress import Progress


class Command(OperatorCommand):
    help = "Fetches a feed's older posts, page by page; repeated, it goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("feed", type=int, metavar="ID", help="`poll_feeds --json` lists them.")
        parser.add_argument(
            "--pages", type=_pages, default=100, metavar="N", help="At most so many (100)."
        )
        parser.add_argument(
            "--pause",
            type=_seconds,
            default=1.0,
            metavar="SECONDS",
            help="Between two requests (1).",
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        feed = Feed.objects.filter(pk=options["feed"]).first()
        if feed is None:
            raise CommandError(
                f"There is no feed {options['feed']}. `poll_feeds --json` lists them."
            )
        progress = Progress("Pages", self.stderr)
        try:
            with words_of_the_site():
                done = backfill(
                    feed,
                    clock=lambda: datetime.now(UTC),
                    most_pages=options["pages"],
                    pause=lambda: time.sleep(options["pause"]),
                    progress=lambda run: progress.show(
                        run.pages, run.pages_in_all or run.pages + 1
                    ),
                )
        finally:
            progress.close()
        data = {"feed": feed.pk, "pages": done.pages, "articles_new": done.new}
        return Outcome(data, [f"{feed}: {done.new} new articles, {done.pages} pages."], done.error)


def _pages(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"at least 1, not {text}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise ArgumentTypeError(f"0 or more seconds, at most an hour, not {text}")
    return seconds
