"""Search that forgives accents and endings, newest first."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from django.db.models import QuerySet
from wagtail.search.backends import get_search_backend
from wagtail.search.query import And, Phrase, PlainText, SearchQuery

from newsletter.archive.published import in_order
from newsletter.articles.models import Article
from newsletter.themes.stemming import fold, tokens

PAGE_SIZE = 20
LAST_PAGE = 50
_MAX_LENGTH = 200
_MAX_WORDS = 8
# A shorter word is taken as it stands: "ai" must not find "aiuto".
_SHORTEST_STEM = 4


@dataclass(frozen=True)
class Found:
    articles: list[Article]
    page: int
    has_more: bool


def words_of(query: str) -> list[str]:
    """What is looked for: folded words, cut to what their inflections share where they have any.

    Both languages of the archive have a say, because nobody tells us which one a reader means.
    """
    query = query[:_MAX_LENGTH]
    kept: dict[str, None] = {}
    for token in tokens(query, "it") or tokens(query, "en"):
        if not token.stem:
            continue
        word = fold(query[token.start : token.end])
        stems = [token.stem, *(t.stem for t in tokens(word, "en"))]
        shared = min((_common_beginning(word, stem) for stem in stems if stem), key=len)
        kept[shared if len(shared) >= _SHORTEST_STEM else word] = None
    # Nothing but articles and prepositions: look for them rather than for nothing.
    return list(kept)[:_MAX_WORDS] or re.findall(r"[^\W_]+", fold(query))[:_MAX_WORDS]


def _common_beginning(word: str, stem: str) -> str:
    # A stem is not always the word's beginning: English "policy" becomes "polici".
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(word, stem, strict=False))
    return "".join(sign for sign, _ in same)


def _query(words: list[str]) -> SearchQuery:
    # A phrase of one word matches that word only; plain text, see below, whatever begins with it.
    parts = [PlainText(w) if len(w) >= _SHORTEST_STEM else Phrase(w) for w in words]
    return parts[0] if len(parts) == 1 else And(parts)


def find_articles(articles: QuerySet[Article], query: str, *, page: int = 1) -> Found:
    """The page of `articles` that hold every word, by date.

    Ordering by relevance costs the square of the number of hits on SQLite, and readers of news
    want the latest.
    """
    words = words_of(query)
    page = max(1, min(page, LAST_PAGE))
    if not words:
        return Found([], page, has_more=False)
    backend = get_search_backend()
    # Wagtail's database backends match prefixes only in autocomplete fields, titles here; the
    # same switch on the full search covers the text too. Other backends do not look at it.
    compiler = type("PrefixSearch", (backend.query_compiler_class,), {"LAST_TERM_IS_PREFIX": True})
    ordered = articles.order_by("-listed_at").only("pk")
    results = backend.results_class(
        backend, compiler(ordered, _query(words), fields=None, order_by_relevance=False)
    )
    start = (page - 1) * PAGE_SIZE
    hits = [hit.pk for hit in results[start : start + PAGE_SIZE + 1]]
    has_more = len(hits) > PAGE_SIZE and page < LAST_PAGE
    return Found(in_order(hits[:PAGE_SIZE]), page, has_more=has_more)
