from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from newsletter.articles.ingest import Ingested
from newsletter.articles.poller import poll_these
from newsletter.feeds.models import Feed
from newsletter.management.base import OperatorCommand, Outcome, words_of_the_site
from newsletter.management.progress import Progress
from newsletter.themes.tagging import tag_pending


class Command(OperatorCommand):
    help = "Polls the feeds in use now, due or not, and gives the new articles their themes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--feed", type=int, metavar="ID", help="Only this one.")

    def act(self, options: dict[str, Any]) -> Outcome:
        feeds = Feed.objects.polled().order_by("pk")
        if options["feed"] is not None:
            feeds = Feed.objects.filter(pk=options["feed"])
            if not feeds:
                raise CommandError(
                    f"There is no feed {options['feed']}. `poll_feeds --json` lists them."
                )
        rows = self._poll(list(feeds))
        tagged = tag_pending(now=datetime.now(UTC))
        data = {
            "feeds": rows,
            "articles_new": sum(row["new"] for row in rows),
            "articles_changed": sum(row["changed"] for row in rows),
            "articles_tagged": tagged,
        }
        failed = [row for row in rows if row["error"]]
        lines = [
            f"{row['title']}: {_why(row) or '{new} new, {changed} changed'.format(**row)}"
            for row in rows
        ]
        problem = (
            f"{len(failed)} of {len(rows)} feeds failed, the first {failed[0]['url']}: "
            f"{_why(failed[0])}"
            if failed
            else ""
        )
        return Outcome(data, lines or ["There are no feeds yet: add_feed URL"], problem)

    def _poll(self, feeds: list[Feed]) -> list[dict[str, Any]]:
        progress = Progress("Feeds", self.stderr)
        rows: list[dict[str, Any]] = []

        def took(feed: Feed, ingested: Ingested | None) -> None:
            failed = ("", "") if ingested else (feed.error, feed.error_code)
            rows.append(_row(feed, ingested, *failed))
            progress.show(len(rows), len(feeds))

        try:
            with words_of_the_site():
                left = poll_these(feeds, clock=lambda: datetime.now(UTC), took=took)
        finally:
            progress.close()
        rows += [_row(feed, None, "another worker is polling it now") for feed in left]
        return sorted(rows, key=lambda row: int(row["feed"]))


def _why(row: dict[str, Any]) -> str:
    """In English by its code; what stands in the admin is quoted, in whatever language."""
    if row["error_code"]:
        return f"failed ({row['error_code']}). The admin says: “{row['error']}”"
    return str(row["error"])


def _row(feed: Feed, ingested: Ingested | None, error: str, error_code: str = "") -> dict[str, Any]:
    return {
        "feed": feed.pk,
        "url": feed.url,
        "title": str(feed),
        "new": len(ingested.new) if ingested else 0,
        "changed": len(ingested.changed) if ingested else 0,
        "error": error,
        "error_code": error_code,
    }
