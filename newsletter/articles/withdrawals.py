"""Posts that their publisher took back before they were sent."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import pairwise

from django.db.models import F

from newsletter.articles.models import Article, ArticleAddress, Sighting
from newsletter.articles.triage import triage
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.feeds.parse import ParsedFeed

log = logging.getLogger(__name__)

_STANDING = (Article.State.NEW, Article.State.ACCEPTED)


def flag_vanished(feed: Feed, parsed: ParsedFeed, *, now: datetime) -> int:
    """Mark as withdrawn what `parsed`, ingested at `now`, should still list and does not.

    A feed is a window on the latest posts, and what is older than its last entry has only rolled
    out. Nothing is concluded from a feed that is not in order of publication (a sticky post, a
    feed sorted by change), that has undated or broken entries, that lost many posts at once (a
    move, a new setting), or while another feed still lists the post.
    """
    dates = [entry.published for entry in parsed.entries]
    known = [moment for moment in dates if moment is not None]
    if not known or len(known) < len(dates) or parsed.problems:
        return 0
    if any(earlier < later for earlier, later in pairwise(known)):
        return 0
    missing = Sighting.objects.filter(
        feed=feed,
        # Not what was back-filled: a blog may keep some of its posts out of its feed.
        first_seen_at__gt=F("article__published_at"),
        last_seen_at__lt=now,
        article__state__in=_STANDING,
        article__published_at__gt=known[-1],
        article__published_at__lte=now,
    ).select_related("article")
    believable = max(2, len(known) // 2)
    articles = [sighting.article for sighting in missing[: believable + 1]]
    if len(articles) > believable:
        log.warning("%s lost %d posts at once: none is called withdrawn", feed, len(articles))
        return 0
    gone = [article for article in articles if not _is_listed_elsewhere(article, feed)]
    # What was the latest may also be missing because a cache gave us yesterday's feed.
    newest = {
        article.pk for article in gone if article.published_at and article.published_at > known[0]
    }
    _doubt(newest, now)
    return withdraw([article.pk for article in gone if article.pk not in newest], now=now)


def restore(articles: Iterable[Article]) -> None:
    """Back to triage: the publisher shows them again."""
    for article in articles:
        article.state, article.triaged_at, article.triaged_by = Article.State.NEW, None, None
        article.save(update_fields=["state", "triaged_at", "triaged_by"])


def withdraw(article_ids: list[int], *, now: datetime) -> int:
    if not article_ids:
        return 0
    log.info("Withdrawn by their publisher: articles %s", article_ids)
    return triage(article_ids, Article.State.WITHDRAWN, by=None, now=now)


def _is_listed_elsewhere(article: Article, feed: Feed) -> bool:
    for sighting in article.sightings.exclude(feed=feed):
        # Unchanged feeds are not parsed: what was there when it last was is there still.
        later = FetchRecord.objects.filter(
            feed=sighting.feed_id, at__gt=sighting.last_seen_at, entries__gt=0
        )
        if not later.exists():
            return True
    return False


def _doubt(article_ids: Collection[int], now: datetime) -> None:
    """Have their addresses asked, in the background; the feed's silence is one answer already."""
    ArticleAddress.objects.filter(article__in=article_ids, missing=0).update(missing=1)
    ArticleAddress.objects.bulk_create(
        [ArticleAddress(article_id=pk, next_at=now, missing=1) for pk in sorted(article_ids)],
        ignore_conflicts=True,
    )
