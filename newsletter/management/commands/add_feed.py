from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from newsletter.archive.own_feeds import against_own_feeds
from newsletter.exceptions import FeedInvalid, FeedRefused
from newsletter.feeds.discovery import discover
from newsletter.feeds.models import Feed
from newsletter.management.base import OperatorCommand, Outcome

ADDRESS_LENGTH = 1000  # as Feed.url


class Command(OperatorCommand):
    help = (
        "Finds a site's feed, or reads the one given, and adds it. Its articles arrive with the "
        "next tick, or with poll_feeds."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("url", help="The feed's address, or the site's: https://blog.example/")
        parser.add_argument("--title", default="", help="Default: the feed's own title.")
        parser.add_argument(
            "--auto-accept",
            action="store_true",
            help="Its posts skip the inbox: a blog of yours.",
        )
        parser.add_argument(
            "--full-text", action="store_true", help="You may show the whole text, not an excerpt."
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        url = options["url"].strip()
        _refuse_own(url)
        found = discover(url)
        parsed = found.parsed
        address = found.url
        _refuse_own(address, found.fetched.url)
        if len(address) > ADDRESS_LENGTH:
            raise FeedInvalid("too_long", f"The address is too long to be stored: {address[:80]}…")
        feed, created = Feed.objects.get_or_create(
            url=address,
            defaults={
                "title": (options["title"] or parsed.title or address)[:255],
                "site_url": parsed.site_url[:1000],
                "language": parsed.language[:10],
                "auto_accept": options["auto_accept"],
                "rights": Feed.Rights.FULL if options["full_text"] else Feed.Rights.EXCERPT,
                "next_poll_at": datetime.now(UTC),
            },
        )
        data = {
            "feed": feed.pk,
            "url": feed.url,
            "title": feed.title,
            "created": created,
            "entries": len(parsed.entries),
        }
        verb = "added" if created else "is already there"
        line = f"Feed {feed.pk} {verb}: {feed.title}, {len(parsed.entries)} entries now."
        return Outcome(data, [line])


def _refuse_own(*addresses: str) -> None:
    why_not = against_own_feeds()
    for address in addresses:
        if reason := why_not(address):
            raise FeedRefused("own_archive", reason)
