"""What a feed would bring, as it would look in the inbox; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from newsletter.articles.canonical_url import server_of
from newsletter.articles.drafting import Draft, draft
from newsletter.articles.excerpt import is_truncated
from newsletter.articles.identity import distinct_keys, identity_keys
from newsletter.articles.models import Article, Identity
from newsletter.feeds.parse import ParsedEntry, ParsedFeed

_NO_FEED = 0  # no feed has this id: keys within a feed match nothing
_MOSTLY = 0.8
_LONGER_THAN_A_SUMMARY = 1_000  # characters


@dataclass(frozen=True)
class Sample:
    """An entry as an article, and the article that it already is here, if any."""

    made: Draft
    known: Article | None
    whole: bool  # the feed gives more than an excerpt


@dataclass(frozen=True)
class Trial:
    samples: tuple[Sample, ...]
    entries: int
    known: int  # of all entries, those that are here already
    full_text: bool | None  # None: some entries are whole and some are not
    undated: int


def try_out(parsed: ParsedFeed, *, url: str, count: int) -> Trial:
    """The first `count` usable entries as articles, and what holds for all of them."""
    site_url = parsed.site_url or url
    host = server_of(site_url)
    pairs = [
        (entry, identity_keys(entry, feed_id=_NO_FEED, feed_host=host, site_url=site_url))
        for entry in parsed.entries
    ]
    keys = distinct_keys(pairs)
    owners = dict(
        Identity.objects.filter(key__in=[key for own in keys for key in own]).values_list(
            "key", "article_id"
        )
    )
    known = [_owner(own, owners) for own in keys]
    samples: list[tuple[Draft, int | None, bool]] = []
    for entry, article_id in zip(parsed.entries, known, strict=True):
        if len(samples) == count:
            break
        try:
            made = draft(entry, feed_url=url, site_url=site_url, language=parsed.language)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue  # as at the ingest, where it is counted as skipped
        if made.url and (made.title or made.body_text):
            samples.append((made, article_id, _is_whole(entry, made)))
    articles = Article.objects.in_bulk([pk for _made, pk, _whole in samples if pk])
    return Trial(
        samples=tuple(
            Sample(made, articles.get(pk) if pk else None, whole) for made, pk, whole in samples
        ),
        entries=len(parsed.entries),
        known=sum(1 for pk in known if pk),
        full_text=_verdict([whole for _made, _pk, whole in samples]),
        undated=sum(1 for one in parsed.entries if not (one.published or one.updated)),
    )


def _owner(keys: Sequence[str], owners: Mapping[str, int | None]) -> int | None:
    return next((owners[key] for key in keys if owners.get(key)), None)


def _is_whole(entry: ParsedEntry, made: Draft) -> bool:
    # Some feeds put the whole text where the summary belongs.
    long_enough = bool(entry.content_html) or len(made.body_text) > _LONGER_THAN_A_SUMMARY
    return long_enough and not is_truncated(made.body_text)


def _verdict(wholes: Sequence[bool]) -> bool | None:
    share = sum(wholes) / len(wholes) if wholes else 0.0
    if share >= _MOSTLY:
        return True
    return False if share <= 1 - _MOSTLY else None
