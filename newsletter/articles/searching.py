"""Searching articles by Wagtail's backend, quickly also for a word that most of them say."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast
from wagtail.search.backends import get_search_backend
from wagtail.search.query import MatchAll, Not, SearchQuery

from newsletter.articles.models import Article

# A word that so many articles say is looked for article by article.
_COMMON = 2_000


def search(
    articles: QuerySet[Article], query: str | SearchQuery, *, beginnings: bool = False
) -> Any:
    """Those of `articles` that the query finds, in their own order: relevance costs the square of
    the number of hits on SQLite.

    `beginnings`: a word is also found by how it begins, in texts too. Wagtail's database backends
    do that in autocomplete fields only, titles here, unless the same switch is set on the full
    search; other backends do not look at it.
    """
    base = get_search_backend().query_compiler_class
    return _results(base, articles, query, LAST_TERM_IS_PREFIX=beginnings)


def complete(articles: QuerySet[Article], words: str) -> Any:
    """Those of `articles` whose titles have words that begin as the last of these, in their own
    order: for while somebody types.
    """
    return _results(get_search_backend().autocomplete_query_compiler_class, articles, words)


def _results(base: type, articles: QuerySet[Article], query: Any, **switches: bool) -> Any:
    bases = (_ByArticle, base) if _is_full_text_of_sqlite(base) else (base,)
    compiler = type("ArticleSearch", bases, switches)
    return get_search_backend().results_class(
        get_search_backend(), compiler(articles, query, fields=None, order_by_relevance=False)
    )


def ids_of(results: Any) -> list[int]:
    """The ids of all results in one question, where the backend can say them without the texts."""
    if hasattr(results, "get_queryset"):
        return list(results.get_queryset().values_list("pk", flat=True))
    return [article.pk for article in results]


def _is_full_text_of_sqlite(compiler: Any) -> bool:
    known = {"FTS_TABLE_FIELDS", "build_search_query", "get_config"}
    return connection.vendor == "sqlite" and all(hasattr(compiler, name) for name in known)


class _ByArticle:
    """Wagtail has SQLite write down every entry that says the word, each read from a table with all
    the texts: 0.1 s for a word in 100,000 articles. Such a word is soon met where one looks, so
    each article's own entry is asked instead.
    """

    queryset: QuerySet[Article]
    query: Any
    fields: Any
    FTS_TABLE_FIELDS: list[str]

    def search(self, config: Any, start: Any, stop: Any, score_field: Any = None) -> QuerySet:
        from wagtail.search.backends.database.sqlite.query import MatchExpression, normalize
        from wagtail.search.backends.database.sqlite.sqlite import SQLiteFTSIndexEntry

        asked = normalize(self.query)
        if not isinstance(asked, MatchAll | Not):
            wanted = self.build_search_query(asked, config=config)  # type: ignore[attr-defined]
            match = MatchExpression(self.fields or self.FTS_TABLE_FIELDS, wanted)
            says = SQLiteFTSIndexEntry.objects.filter(match).values("pk")
            if says[: _COMMON + 1].count() > _COMMON:
                entry = SQLiteFTSIndexEntry._meta.get_field("index_entry").related_model
                own = entry.objects.filter(
                    content_type=ContentType.objects.get_for_model(Article),
                    object_id=Cast(OuterRef("pk"), TextField()),
                    pk__in=says,
                )
                return self.queryset.filter(Exists(own))[start:stop]
        found: QuerySet = super().search(config, start, stop, score_field)  # type: ignore[misc]
        return found
