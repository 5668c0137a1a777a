"""Candidates → rows, in a number of queries that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from newsletter import conf
from newsletter.articles.drafting import Draft, content_hash, listed_at
from newsletter.articles.excerpt import is_excerpt_of
from newsletter.articles.indexing import add_to_index
from newsletter.articles.models import (
    Article,
    ArticleAddress,
    ArticleVersion,
    Identity,
    PageText,
    Sighting,
)
from newsletter.articles.rows import insert
from newsletter.articles.triage import triage
from newsletter.articles.withdrawals import restore
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import ParsedEntry
from newsletter.signals import articles_ingested

_AT_ONCE = 500
# What an upstream edit replaces; the rest is the editors' or says when and how it came.
_EDITED = (
    "title", "excerpt", "body_html", "body_text", "language", "author", "categories", "image_url",
    "image_alt", "original_author", "original_source", "original_date", "original_url",
    "attribution_title", "attribution_url", "content_hash",
)  # fmt: skip


_OF_THE_BODY = (
    "body_html", "body_text", "language", "image_url", "image_alt", "original_author",
    "original_source", "original_date", "original_url", "attribution_title", "attribution_url",
)  # fmt: skip


@dataclass(frozen=True)
class Ingested:
    new: tuple[int, ...]
    changed: tuple[int, ...]
    entries: int
    skipped: int  # deleted here, or not usable


@dataclass
class Candidate:
    entry: ParsedEntry
    keys: list[str]
    draft: Draft
    only_excerpt: bool = False
    article: Article | None = None


def store(
    feed: Feed,
    candidates: Sequence[Candidate],
    unusable: int,
    *,
    now: datetime,
    as_history: bool = False,
) -> Ingested:
    owner: dict[str, int | None] = {}
    every_key = [key for candidate in candidates for key in candidate.keys]
    for keys in _chunks(every_key):
        owner.update(Identity.objects.filter(key__in=keys).values_list("key", "article_id"))
    fresh: list[Candidate] = []
    met: dict[int, Candidate] = {}
    buried: list[Candidate] = []
    for candidate in candidates:
        owners = [owner[key] for key in candidate.keys if key in owner]
        article_id = next((found for found in owners if found is not None), None)
        if article_id is not None:
            met.setdefault(article_id, candidate)
        elif owners:
            buried.append(candidate)  # its article was deleted here, and stays so
        else:
            fresh.append(candidate)
    known = _articles(met)
    for article in known:
        met[article.pk].article = article
    # Flagged by a rule, not by a person: the publisher shows it again.
    restore(_shown_again(known))
    new = _create(feed, fresh, now, as_history=as_history)
    # Another presentation of the same posts may differ in its words: no edit, and none to undo.
    edited = [] if as_history else [c for c in met.values() if c.article is not None]
    changed = _update(feed, edited, now)
    seen = [c for c in (*fresh, *met.values()) if c.article is not None]
    _name([*seen, *buried], owner)
    _see(feed, seen, now, as_history=as_history)
    if feed.auto_accept:
        waiting = [a.pk for a in known if a.state == Article.State.NEW and a.triaged_at is None]
        triage([*(a.pk for a in new), *waiting], Article.State.ACCEPTED, by=None, now=now)
        if as_history:
            _date_back([article.pk for article in new])
    if not as_history:
        _want_pages(feed, fresh, now)
    add_to_index([*new, *changed])
    result = Ingested(
        new=tuple(article.pk for article in new),
        changed=tuple(article.pk for article in changed),
        entries=len(candidates) + unusable,
        skipped=len(buried) + unusable,
    )
    if result.new or result.changed:
        transaction.on_commit(
            partial(
                articles_ingested.send_robust,
                sender=Feed,
                feed=feed,
                article_ids=result.new + result.changed,
            )
        )
    return result


def _shown_again(known: Sequence[Article]) -> list[Article]:
    """Withdrawn, and listed. What is gone from its address may still stand in an old copy."""
    flagged = [a for a in known if a.state == Article.State.WITHDRAWN and a.triaged_by_id is None]
    gone = ArticleAddress.objects.filter(article__in=flagged, gone_at__isnull=False)
    ids = set(gone.values_list("article_id", flat=True)) if flagged else set()
    return [article for article in flagged if article.pk not in ids]


def _articles(ids: Iterable[int]) -> list[Article]:
    found: list[Article] = []
    for some in _chunks(list(ids)):
        found += Article.objects.filter(pk__in=some).order_by("pk")
    return found


def _create(
    feed: Feed, fresh: Sequence[Candidate], now: datetime, *, as_history: bool
) -> list[Article]:
    dates = [c.draft.published_at for c in fresh if c.draft.published_at is not None]
    for candidate in fresh:
        published = candidate.draft.published_at
        arrived = now
        if as_history:
            # Without a date it is as old as the oldest that came with it.
            arrived = min(published or min(dates, default=now), now)
        candidate.article = Article(
            feed=feed,
            arrived_at=arrived,
            changed_at=now,
            listed_at=listed_at(published, arrived),
            state=Article.State.NEW,
            **vars(candidate.draft),
        )
    return Article.objects.bulk_create(
        [candidate.article for candidate in fresh if candidate.article is not None],
        batch_size=_AT_ONCE,
    )


def _date_back(article_ids: Sequence[int]) -> None:
    """Accepted when they arrived: the next digest looks for what was accepted since the last."""
    for some in _chunks(article_ids):
        Article.objects.filter(pk__in=some).update(triaged_at=F("arrived_at"))


def _update(feed: Feed, known: Sequence[Candidate], now: datetime) -> list[Article]:
    """Take over edits. Only the article's own feed edits it, unless another gives more text.

    Overlapping feeds of one blog often differ: excerpts here, the full text there.
    """
    versions: list[ArticleVersion] = []
    changed: list[Article] = []
    pages = _pages(known)
    for candidate in known:
        article, made = candidate.article, candidate.draft
        if article is None or made.content_hash == article.content_hash:
            continue
        fuller = len(made.body_text) > 1.3 * len(article.body_text) + 100
        if article.feed_id not in {feed.pk, None} and not fuller:
            continue
        page = pages.get(article.pk)
        if page is not None and page.entry_hash == made.content_hash:
            continue  # the excerpt whose whole text we have
        if page is not None:
            _want_again(page, candidate, now)
        is_ours_cut = page is not None or is_excerpt_of(made.body_text, article.body_text)
        if candidate.only_excerpt and not fuller and is_ours_cut:
            made = _with_body_of(article, made)
            if made.content_hash == article.content_hash:
                continue
        versions.append(
            ArticleVersion(
                article=article,
                replaced_at=now,
                title=article.title,
                body_html=article.body_html,
                content_hash=article.content_hash,
            )
        )
        for name in _EDITED:
            setattr(article, name, getattr(made, name))
        if article.published_at is None and made.published_at is not None:
            article.published_at = made.published_at
            article.listed_at = listed_at(made.published_at, article.arrived_at)
        article.feed = feed
        article.changed_at = now
        changed.append(article)
    if changed:
        ArticleVersion.objects.bulk_create(versions, batch_size=_AT_ONCE)
        fields = [*_EDITED, "feed", "published_at", "listed_at", "changed_at"]
        Article.objects.bulk_update(changed, fields, batch_size=100)
    return changed


def _pages(known: Sequence[Candidate]) -> dict[int, PageText]:
    ids = [candidate.article.pk for candidate in known if candidate.article is not None]
    return {
        page.article_id: page
        for some in _chunks(ids)
        for page in PageText.objects.filter(article__in=some, fetched_at__isnull=False)
    }


def _want_again(page: PageText, candidate: Candidate, now: datetime) -> None:
    """The publisher changed the post: what its page says now counts, or the feed's own text."""
    if not candidate.only_excerpt:
        page.delete()
        return
    page.entry_hash, page.state = candidate.draft.content_hash, PageText.State.WAITING
    page.tries, page.next_at, page.error = 0, now, ""
    page.save()


def _with_body_of(article: Article, made: Draft) -> Draft:
    """An excerpt never takes the place of the text that it was taken from."""
    kept = {name: getattr(article, name) for name in _OF_THE_BODY}
    return replace(made, **kept, content_hash=content_hash(made.title, article.body_text))


def _want_pages(feed: Feed, fresh: Sequence[Candidate], now: datetime) -> None:
    if feed.page_text != Feed.PageText.EXCERPTS:
        return
    cut = [one for one in fresh if one.only_excerpt and one.article is not None]
    latest = cut[-int(conf.get("PAGE_TEXTS_PER_POLL")) :]  # the latest come last
    PageText.objects.bulk_create(
        [
            PageText(article=one.article, entry_hash=one.draft.content_hash, next_at=now)
            for one in latest
        ],
        ignore_conflicts=True,
    )


def _name(seen: Sequence[Candidate], owner: dict[str, int | None]) -> None:
    """Remember every key under which these articles may come again.

    In one order for all: two workers that store the same posts must not wait for each other.
    """
    names = {
        key: candidate.article for candidate in seen for key in candidate.keys if key not in owner
    }
    rows = [(key, article.pk if (article := names[key]) else None) for key in sorted(names)]
    insert(Identity, ["key", "article"], rows)


def _see(feed: Feed, seen: Sequence[Candidate], now: datetime, *, as_history: bool) -> None:
    there: set[int] = set()
    ids = [candidate.article.pk for candidate in seen if candidate.article is not None]
    for some in _chunks(ids):
        sightings = Sighting.objects.filter(feed=feed, article__in=some)
        there.update(sightings.values_list("article_id", flat=True))
        sightings.update(last_seen_at=now)
    insert(
        Sighting,
        ["article", "feed", "guid", "url", "first_seen_at", "last_seen_at"],
        [
            (
                article.pk,
                feed.pk,
                candidate.entry.guid,
                candidate.entry.url,
                # As old as the post: the feed itself may never have listed it.
                (article.published_at or article.arrived_at) if as_history else now,
                now,
            )
            for candidate in seen
            if (article := candidate.article) is not None and article.pk not in there
        ],
        ignore_conflicts=True,
    )


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
