"""A feed is polled as from its page: somebody waits for it, due or not."""

from __future__ import annotations

from datetime import datetime

from newsletter.articles.ingest import Ingested, poll
from newsletter.feeds.models import Feed


def poll_now(feed_id: int, *, now: datetime) -> Ingested | None:
    Feed.objects.filter(pk=feed_id).update(poll_wanted_at=now)
    return poll(feed_id, now=now)
