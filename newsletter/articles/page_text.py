"""The whole text of a post whose feed gave an excerpt, read from the post's own page.

What is to be fetched stands in the database, so that no poll waits for it and nothing is lost.
Until the text has come, and when it cannot be had, the excerpt stays.
"""

from __future__ import annotations

import html
import logging
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from newsletter.articles.drafting import Draft, draft
from newsletter.articles.extraction import PageUnreadable, main_text
from newsletter.articles.indexing import add_to_index
from newsletter.articles.models import Article, ArticleVersion, PageText
from newsletter.exceptions import FeedError, FeedInvalid, FeedTooLarge, FeedUnreachable
from newsletter.feeds.fetch import PAGE, fetch
from newsletter.feeds.models import Feed, host_of
from newsletter.feeds.parse import ParsedEntry
from newsletter.feeds.turns import BUSY, host_turn
from newsletter.feeds.wellformed import decode
from newsletter.signals import articles_ingested

log = logging.getLogger(__name__)

_WAITS = [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6)]
_LARGEST = 3_000_000  # bytes of a page
# The server's own trouble, or ours: it may be over in an hour.
_PASSING = {408, 425, 429}
_BODY = {  # what the page knows better than the feed's excerpt
    "excerpt", "body_html", "body_text", "language", "image_url", "image_alt", "original_author",
    "original_source", "original_date", "original_url", "attribution_title", "attribution_url",
    "content_hash",
}  # fmt: skip


def fetch_due(*, now: datetime, seconds: float, pause: Callable[[], None]) -> bool:
    """Fetch pages for about so long, one request at a time; whether more are due."""
    until = time.monotonic() + seconds
    troubled: set[str] = set()
    due = PageText.objects.filter(state=PageText.State.WAITING, next_at__lte=now)
    for page in due.select_related("article__feed").order_by("next_at", "pk")[:100]:
        if time.monotonic() > until:
            return True
        host = host_of(page.article.url)
        with host_turn(page.article.url, now) as ours:
            if not ours or host in troubled:
                # A server that does not answer must not keep the others waiting.
                page.next_at = now + (_WAITS[0] if host in troubled else BUSY)
                page.save(update_fields=["next_at"])
                continue
            if not _fetch(page, now):
                troubled.add(host)
        pause()
    return False


def _fetch(page: PageText, now: datetime) -> bool:
    """Whether the page's server answered."""
    try:
        made = _read(page.article)
        _take(page, made, now)
    except FeedError as error:
        _note_failure(page, error, now)
        return not isinstance(error, FeedUnreachable) or error.http_status is not None
    except Exception:
        # A defect of ours must not keep the other posts from their texts.
        log.exception("The page of article %s could not be read", page.article_id)
        _note_failure(page, FeedInvalid("defect", _("The log of the worker says why.")), now)
    return True


def _read(article: Article) -> Draft:
    """The article as its own page has it. Raises a FeedError."""
    said = {"url": article.url}
    try:
        fetched = fetch(article.url, accept=PAGE, max_bytes=_LARGEST)
    except FeedTooLarge as error:
        raise FeedTooLarge("too_large", _("The page at %(url)s is too large.") % said) from error
    if "html" not in fetched.content_type.lower():
        raise FeedInvalid("no_page", _("%(url)s is no web page.") % said)
    try:
        text = main_text(decode(fetched.body, fetched.content_type))
    except PageUnreadable as error:
        message = _("The page at %(url)s is too intricate to read.") % said
        raise FeedInvalid("unreadable_page", message) from error
    made = draft(
        ParsedEntry(
            guid="",
            url=article.url,
            title=article.title,
            summary_html=f"<p>{html.escape(article.excerpt)}</p>" if article.excerpt else "",
            content_html=text,
            author=article.author,
            categories=tuple(article.categories),
            published=article.published_at,
            updated=None,
            language="",
            image_url=article.image_url,
            image_alt=article.image_alt,
        ),
        feed_url=article.feed.url if article.feed else "",
        site_url=article.feed.site_url if article.feed else "",
        language=article.language,
    )
    if not text or not holds(article.excerpt, made.body_text):
        # A question about cookies, a log-in, another post.
        raise FeedInvalid(
            "other_text", _("The page at %(url)s does not hold the text of the excerpt.") % said
        )
    return made


def holds(excerpt: str, text: str) -> bool:
    """Whether `text` is the one that `excerpt` was taken from, judged by their words."""
    words = set(re.findall(r"\w{4,}", excerpt.lower())[:60])
    there = words & set(re.findall(r"\w{4,}", text.lower()))
    return len(there) >= 0.6 * len(words)


def _take(page: PageText, made: Draft, now: datetime) -> None:
    with transaction.atomic():
        article = Article.objects.select_for_update(of=("self",)).get(pk=page.article_id)
        still = PageText.objects.filter(pk=page.pk, entry_hash=page.entry_hash)
        fetched_before = page.fetched_at is not None
        page.state, page.error, page.fetched_at = PageText.State.DONE, "", now
        if not still.update(state=page.state, error="", fetched_at=now):
            return  # the feed gave the post anew while its page was read
        fuller = len(made.body_text) > len(article.body_text)
        if made.content_hash == article.content_hash or not (fuller or fetched_before):
            return  # the excerpt was all there is
        if fetched_before:  # an edit of the publisher's; the first time it is no change but more
            ArticleVersion.objects.create(
                article=article,
                replaced_at=now,
                title=article.title,
                body_html=article.body_html,
                content_hash=article.content_hash,
            )
        for name in _BODY:
            # What the excerpt said of its source counts where the page says nothing.
            if value := getattr(made, name):
                setattr(article, name, value)
        article.changed_at = now  # its themes are looked for again
        article.save(update_fields=[*_BODY, "changed_at"])
        add_to_index([article])
        transaction.on_commit(
            partial(
                articles_ingested.send_robust,
                sender=Feed,
                feed=article.feed,
                article_ids=(article.pk,),
            )
        )


def _note_failure(page: PageText, error: FeedError, now: datetime) -> None:
    status = error.http_status
    passing = isinstance(error, FeedUnreachable) and (
        status is None or status >= 500 or status in _PASSING
    )
    page.tries += 1
    page.error = str(error)
    if passing and page.tries <= len(_WAITS):
        wait = _WAITS[page.tries - 1]
        if error.retry_after:
            wait = max(wait, timedelta(seconds=error.retry_after))
        page.next_at = now + wait
    else:
        page.state = PageText.State.FAILED
    log.info("The page of article %s was not read: %s", page.article_id, error.code)
    page.save(update_fields=["tries", "error", "next_at", "state"])
