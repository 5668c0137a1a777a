"""Decisions on articles, in the history that Wagtail shows of each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from wagtail.models import ModelLogEntry

from newsletter.articles.models import Article

AT_ONCE = 2000


def note(article_ids: Iterable[int], action: str, *, by: Any, now: datetime) -> None:
    """One entry an article, written in bulk: Wagtail's own way is three queries for each."""
    kind = ContentType.objects.get_for_model(Article)
    ids = list(article_ids)
    for start in range(0, len(ids), AT_ONCE):
        titles = Article.objects.filter(pk__in=ids[start : start + AT_ONCE])
        ModelLogEntry.objects.bulk_create(
            ModelLogEntry(
                content_type=kind,
                object_id=str(pk),
                label=own or title,
                action=action,
                timestamp=now,
                user=by,
                # Wagtail shows one entry of each: shared, all articles but one would miss theirs.
                uuid=uuid4(),
            )
            for pk, own, title in titles.values_list("pk", "editor_title", "title")
        )
