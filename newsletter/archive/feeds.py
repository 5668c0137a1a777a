"""The archive as RSS, Atom and JSON Feed, whole or by theme."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.syndication.views import Feed as SyndicationView
from django.http import HttpRequest
from django.utils.feedgenerator import (
    Atom1Feed,
    Rss201rev2Feed,
    SyndicationFeed,
    rfc3339_date,
)
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.archive.links import Links
from newsletter.archive.published import in_order, of_theme
from newsletter.articles.models import Article
from newsletter.themes.models import Theme

LENGTH = 30
# What XML 1.0 forbids: one such sign in a title would cost the whole feed.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def printable(text: str) -> str:
    return _FORBIDDEN.sub("", text)


class JSONFeed(SyndicationFeed):
    """https://www.jsonfeed.org/version/1.1/"""

    content_type = "application/feed+json; charset=utf-8"

    def write(self, outfile: Any, encoding: str) -> None:
        feed: dict[str, Any] = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.feed["title"],
            "home_page_url": self.feed["link"],
            "feed_url": self.feed["feed_url"],
            "description": self.feed["description"],
            "language": self.feed["language"],
            "items": [self._entry(item) for item in self.items],
        }
        outfile.write(json.dumps(feed, ensure_ascii=False).encode(encoding))

    @staticmethod
    def _entry(item: dict[str, Any]) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "id": item["unique_id"],
            "url": item["link"],
            "external_url": item.get("source_url") or item["link"],
            "title": item["title"],
            "date_published": rfc3339_date(item["pubdate"]),
            "tags": list(item["categories"]),
        }
        # The one or the other, as the specification asks.
        whole = item.get("content_html")
        entry |= {"content_html": whole} if whole else {"content_text": item["description"]}
        if item["author_name"]:
            entry["authors"] = [{"name": item["author_name"]}]
        return entry


KINDS: dict[str, type[SyndicationFeed]] = {
    "rss": Rss201rev2Feed,
    "atom": Atom1Feed,
    "json": JSONFeed,
}


class ArchiveFeed(SyndicationView):
    """A view: `ArchiveFeed(links, "rss", theme=None, site_name="…")(request)`."""

    def __init__(self, links: Links, kind: str, *, theme: Theme | None, site_name: str) -> None:
        self.links = links
        self.kind = kind
        self.theme = theme
        self.site_name = site_name
        self.feed_type = KINDS[kind]

    def title(self) -> str:
        name = printable(self.site_name)
        return f"{name}: {printable(self.theme.local_name)}" if self.theme else name

    def link(self) -> str:
        path = self.links.theme(self.theme) if self.theme else self.links.root
        return conf.site_url(path)

    def feed_url(self) -> str:
        return conf.site_url(self.links.feed(self.kind, self.theme))

    def description(self) -> str:
        if self.theme:
            about = self.theme.description or self.theme.local_name
            return printable(about)
        return _("The latest articles, chosen by the editors")

    subtitle = description  # Atom's word for it

    def items(self) -> Iterable[Article]:
        articles = of_theme(self.theme.pk) if self.theme else Article.objects.accepted()
        newest = articles.order_by("-listed_at", "-pk").values_list("pk", flat=True)
        return in_order(list(newest[:LENGTH]))

    def item_title(self, item: Article) -> str:
        return printable(item.display_title)

    def item_description(self, item: Article) -> str:
        note = _("Why it matters: %(note)s") % {"note": item.note} if item.note else ""
        source = _("Source: %(name)s") % {"name": item.source_name} if item.source_name else ""
        parts = [item.display_excerpt, note, source]
        return printable("\n\n".join(part for part in parts if part))

    def item_link(self, item: Article) -> str:
        return conf.site_url(self.links.article(item))

    def item_guid(self, item: Article) -> str:
        # Not the address: that one follows the title when it is mended.
        return conf.site_url(f"{self.links.root}articolo/{item.pk}")

    item_guid_is_permalink = False

    def item_author_name(self, item: Article) -> str:
        return printable(item.original_author or item.author)

    def item_pubdate(self, item: Article) -> datetime:
        return item.listed_at

    def item_updateddate(self, item: Article) -> datetime:
        return item.changed_at

    def item_categories(self, item: Article) -> list[str]:
        standing: list[Any] = item.standing
        return [printable(assignment.theme.local_name) for assignment in standing]

    def item_extra_kwargs(self, item: Article) -> dict[str, str]:
        return {"source_url": item.url}

    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().__call__(request, *args, **kwargs)
        # Feeds are read by programs, over and over.
        response["Cache-Control"] = "public, max-age=600"
        return response
