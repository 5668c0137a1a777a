"""Articles' stems, kept in the database: taken apart once, when an article is tagged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from django.db import IntegrityError, transaction

from newsletter.articles.models import Article
from newsletter.themes.documents import fingerprint, read
from newsletter.themes.models import ArticleStems

CHUNK = 500


class Kept(NamedTuple):
    fingerprint: str
    packed: bytes


def keep(found: Mapping[int, Kept]) -> None:
    """In rising order: two workers then lock the same rows in the same sequence."""
    ArticleStems.objects.bulk_create(
        [
            ArticleStems(article_id=pk, fingerprint=one.fingerprint, packed=one.packed)
            for pk, one in sorted(found.items())
        ],
        update_conflicts=True,
        unique_fields=["article"],
        update_fields=["fingerprint", "packed"],
    )


def packed_stems(article_ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """In the sequence of `article_ids`, a few in memory at a time; those that are gone left out.

    What is not kept, or was made of another text or by another version, is taken apart and kept.
    """
    ids = list(article_ids)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        rows = Article.objects.filter(pk__in=chunk).values_list(
            "pk", "title", "body_text", "excerpt", "language",
            "stems__fingerprint", "stems__packed",
        )  # fmt: skip
        found: dict[int, bytes] = {}
        fresh: dict[int, Kept] = {}
        for pk, title, body, excerpt, language, kept, packed in rows.iterator():
            text = body or excerpt
            current = fingerprint(title, text, language)
            if kept == current:
                found[pk] = bytes(packed)
            else:
                found[pk] = read(title, text, language).stems().packed()
                fresh[pk] = Kept(current, found[pk])
        with suppress(IntegrityError), transaction.atomic():  # an article was deleted just now
            keep(fresh)
        yield from ((pk, found[pk]) for pk in chunk if pk in found)
