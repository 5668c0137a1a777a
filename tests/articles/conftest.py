"""Feeds served over HTTP and polled as the site does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html import escape

import pytest

from newsletter.articles.ingest import Ingested
from newsletter.feeds.models import Feed
from tests.builders import NOW
from tests.polled import poll_now
from tests.servers import FeedServer

Poll = Callable[..., Ingested | None]
LONG = "Il testo dell’assemblea racconta che cosa è stato deciso dai lavoratori del gruppo. " * 3


def post(
    number: int = 1,
    title: str = "",
    *,
    link: str = "https://blog.example/{n}/",
    guid: str = "https://blog.example/?p={n}",
    date: str = "Mon, 13 Jul 2026 07:30:12 +0000",
    text: str = LONG,
    summary: str = "",
    extra: str = "",
) -> str:
    """An RSS item."""
    guid_tag = f"<guid isPermaLink='false'>{escape(guid.format(n=number))}</guid>" if guid else ""
    return (
        f"<item><title>{escape(title or f'Notizia {number}')}</title>"
        f"<link>{escape(link.format(n=number))}</link>{guid_tag}"
        + (f"<pubDate>{date}</pubDate>" if date else "")
        + (f"<description>{escape(summary)}</description>" if summary else "")
        + (f"<content:encoded><![CDATA[<p>{text}</p>]]></content:encoded>" if text else "")
        + f"{extra}</item>"
    )


def rss(*items: str, channel: str = "<language>it-IT</language>") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>Blog</title><link>https://blog.example/</link>{channel}"
        f"{''.join(items)}</channel></rss>"
    )


@pytest.fixture
def polled(feed_server: FeedServer) -> Poll:
    """Serves the items at a path and polls the feed there: `polled(post(1), at="/feed/")`."""

    def poll_items(
        *items: str, at: str = "/feed/", now: datetime = NOW, **fields: object
    ) -> Ingested | None:
        url = feed_server.serve(at, rss(*items))
        defaults: dict[str, object] = {"title": "Blog", "site_url": "https://blog.example/"}
        feed, _made = Feed.objects.get_or_create(url=url, defaults=defaults | fields)
        return poll_now(feed.pk, now=now)

    return poll_items
