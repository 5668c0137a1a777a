"""A long list of articles, page by page, at the same cost on the first page and the last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from newsletter.archive.published import in_order
from newsletter.articles.models import Article

PAGE_SIZE = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"(-?\d{1,17})-(\d{1,18})")


@dataclass(frozen=True)
class Listing:
    articles: list[Article]
    newer: str  # a query string such as "?after=…"; empty at the newest end
    older: str

    @property
    def is_first(self) -> bool:
        return not self.newer


def cursor_of(article: Article) -> str:
    return f"{(article.listed_at - _EPOCH) // timedelta(microseconds=1)}-{article.pk}"


def _position(cursor: str) -> tuple[datetime, int] | None:
    match = _CURSOR.fullmatch(cursor)
    if not match:
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError:
        return None


def list_articles(
    articles: QuerySet[Article], params: Mapping[str, str], *, size: int = PAGE_SIZE
) -> Listing:
    """The page that `?before=` or `?after=` asks for; a cursor that is none gives the first."""
    rows = articles.values_list("pk", flat=True)
    before, after = _position(params.get("before", "")), _position(params.get("after", ""))
    if before:
        moment, pk = before
        rows = rows.filter(Q(listed_at__lt=moment) | Q(pk__lt=pk), listed_at__lte=moment)
    elif after:
        moment, pk = after
        rows = rows.filter(Q(listed_at__gt=moment) | Q(pk__gt=pk), listed_at__gte=moment)
        pks = list(rows.order_by("listed_at", "pk")[: size + 1])
        page = in_order(pks[:size][::-1])
        if len(pks) <= size or not page:
            return list_articles(articles, {}, size=size)
        return Listing(page, f"?after={cursor_of(page[0])}", f"?before={cursor_of(page[-1])}")
    pks = list(rows.order_by("-listed_at", "-pk")[: size + 1])
    more, page = len(pks) > size, in_order(pks[:size])
    return Listing(
        articles=page,
        newer=f"?after={cursor_of(page[0])}" if before and page else "",
        older=f"?before={cursor_of(page[-1])}" if more and page else "",
    )
