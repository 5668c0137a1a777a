"""Is the post still at its address? Asked before a digest goes, and when its feed drops it.

A false alarm costs a reader an article, so only a 404 or 410 counts, it is asked twice, and a site
that answers so to everything (or to us) is believed nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urljoin

from django.db.models import Exists, OuterRef, Q

from newsletter import conf
from newsletter.articles.models import Article, ArticleAddress, ArticleQuerySet, Sighting
from newsletter.articles.withdrawals import restore, withdraw
from newsletter.exceptions import FeedError, FeedTooLarge
from newsletter.feeds.fetch import PAGE, fetch
from newsletter.feeds.models import host_of
from newsletter.feeds.turns import BUSY, host_turn

log = logging.getLogger(__name__)

ASK_AGAIN = timedelta(minutes=20)
_STANDING = (Article.State.NEW, Article.State.ACCEPTED)
_NEEDED = 2  # answers that it is missing, one after the other
_NEIGHBOURS = 2  # other articles of the site that are asked whether it answers at all


class Answer(Enum):
    THERE = "there"
    MISSING = "missing"
    UNCLEAR = "unclear"  # refused to us, broken, too slow: says nothing of the post


def meaning(status: int | None) -> Answer:
    """What an HTTP status says of a post; None: no answer."""
    if status in {404, 410}:
        return Answer.MISSING
    return Answer.THERE if status and 200 <= status < 300 else Answer.UNCLEAR


def doubtful(*, now: datetime) -> list[int]:
    """What was missing once, or was given up and is in its feed again."""
    once = Q(missing__gt=0, article__state__in=_STANDING)
    seen = Sighting.objects.filter(
        article=OuterRef("article"), last_seen_at__gt=OuterRef("gone_at")
    )
    again = Q(Exists(seen), article__state=Article.State.WITHDRAWN)
    due = ArticleAddress.objects.filter(once | again, next_at__lte=now).order_by("next_at", "pk")
    return list(due.values_list("article_id", flat=True)[:100])


def check_addresses(
    article_ids: Iterable[int],
    *,
    now: datetime,
    seconds: float = 60,
    pause: Callable[[], None] = lambda: None,
) -> bool:
    """Ask the addresses that were not asked lately, for about so long; whether some are left.

    Withdraws what is missing, and gives back to triage what is there again.
    """
    until = time.monotonic() + seconds
    for article in _due(list(article_ids), now):
        if time.monotonic() > until:
            return True
        with host_turn(article.url, now) as ours:
            if ours:
                _check(article, now, pause)
            else:
                _keep(article, next_at=now + BUSY)
        pause()
    return False


def _due(article_ids: list[int], now: datetime) -> ArticleQuerySet:
    standing = Q(state__in=_STANDING)
    doubted = Q(state=Article.State.WITHDRAWN, address__gone_at__isnull=False)
    asked = Q(address__next_at__gt=now)
    return (
        Article.objects.filter(standing | doubted, pk__in=article_ids)
        .exclude(asked)
        .select_related("address", "feed")
        .defer("body_html", "body_text")
    )


def _check(article: Article, now: datetime, pause: Callable[[], None]) -> None:
    known: ArticleAddress | None = getattr(article, "address", None)
    status = _status(article.url)
    answer = meaning(status)
    missing = (known.missing if known else 0) + 1 if answer is Answer.MISSING else 0
    gone_at = known.gone_at if known else None
    next_at = now + timedelta(hours=conf.get("ADDRESS_CHECK_HOURS"))
    if answer is Answer.THERE and gone_at:
        gone_at = None
        restore([article])
    elif answer is Answer.MISSING and not gone_at:
        if missing < _NEEDED:
            next_at = min(next_at, now + ASK_AGAIN)
        elif _site_answers(article, pause):
            gone_at = now
            withdraw([article.pk], now=now)
        else:
            missing = 0
            log.warning("%s answers 404 to everything: nothing is concluded", host_of(article.url))
    _keep(
        article,
        asked_at=now,
        next_at=next_at,
        http_status=status,
        missing=missing,
        gone_at=gone_at,
    )


def _keep(article: Article, **fields: object) -> None:
    ArticleAddress.objects.update_or_create(article=article, defaults=fields)


def _site_answers(article: Article, pause: Callable[[], None]) -> bool:
    """Whether another article of the site is there; where we know none, the site's front page."""
    host = host_of(article.url)
    others = (
        Article.objects.filter(feed=article.feed)
        .exclude(pk=article.pk)
        .exclude(state=Article.State.WITHDRAWN)
        .exclude(address__missing__gt=0)
        .latest_first()
        .values_list("url", flat=True)[:20]
    )
    urls = [url for url in others if host_of(url) == host][:_NEIGHBOURS]
    for url in urls or [urljoin(article.url, "/")]:
        pause()
        if meaning(_status(url)) is Answer.THERE:
            return True
    return False


def _status(url: str) -> int | None:
    try:
        return fetch(url, accept=PAGE).status
    except FeedTooLarge:
        return 200
    except FeedError as error:
        return error.http_status
