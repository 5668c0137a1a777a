"""A newsletter's issues as RSS, Atom and JSON Feed: what each says, whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from newsletter import conf
from newsletter.archive.feeds import ArchiveFeed, printable
from newsletter.archive.issue import issue_of
from newsletter.archive.links import Links
from newsletter.archive.published import issues_out
from newsletter.digests.models import Newsletter

LENGTH = 10


class IssueFeed(ArchiveFeed):
    """A view: `IssueFeed(links, "rss", newsletter, site_name="…")(request)`."""

    def __init__(self, links: Links, kind: str, newsletter: Newsletter, *, site_name: str) -> None:
        super().__init__(links, kind, theme=None, site_name=site_name)
        self.newsletter = newsletter

    def title(self) -> str:
        return f"{printable(self.site_name)}: {printable(self.newsletter.name)}"

    def link(self) -> str:
        return conf.site_url(self.links.newsletter(self.newsletter))

    def feed_url(self) -> str:
        return conf.site_url(self.links.issue_feed(self.kind, self.newsletter))

    def description(self) -> str:
        return printable(self.newsletter.description or self.newsletter.name)

    subtitle = description

    def items(self) -> Iterable[Any]:
        return issues_out(timezone.now()).filter(newsletter=self.newsletter)[:LENGTH]

    def item_title(self, item: Any) -> str:
        return printable((item.content or {}).get("subject", ""))

    def item_description(self, item: Any) -> str:
        context = {"issue": issue_of(item)}
        return printable(render_to_string("newsletter/archive/feed_issue.html", context))

    def item_link(self, item: Any) -> str:
        return conf.site_url(self.links.issue(item))

    def item_guid(self, item: Any) -> str:
        return f"urn:uuid:{item.uid}"

    def item_author_name(self, item: Any) -> str:
        return printable(item.newsletter.sender_name)

    def item_pubdate(self, item: Any) -> datetime:
        out_at: datetime = item.out_at
        return out_at

    item_updateddate = item_pubdate

    def item_categories(self, item: Any) -> list[str]:
        return []

    def item_extra_kwargs(self, item: Any) -> dict[str, str]:
        return {"content_html": self.item_description(item)}
