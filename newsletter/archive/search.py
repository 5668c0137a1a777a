"""Search that forgives accents, endings and errors of typing, newest first."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from django.db.models import QuerySet
from wagtail.search.query import And, Phrase, PlainText, SearchQuery

from newsletter.archive.published import in_order
from newsletter.archive.spelling import latest_words, respelled
from newsletter.articles.models import Article
from newsletter.articles.searching import search
from newsletter.themes.stemming import fold, tokens

PAGE_SIZE = 20
LAST_PAGE = 50
_MAX_LENGTH = 200
_MAX_WORDS = 8
# A shorter word is taken as it stands: "ai" must not find "aiuto".
_SHORTEST_STEM = 4


@dataclass(frozen=True)
class Found:
    query: str  # what was looked for at last
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
    """The page of `articles` that hold every word, by date: readers of news want the latest."""
    words = words_of(query)
    page = max(1, min(page, LAST_PAGE))
    if not words:
        return Found(query, [], page, has_more=False)
    ordered = articles.order_by("-listed_at").only("pk")
    results = search(ordered, _query(words), beginnings=True)
    start = (page - 1) * PAGE_SIZE
    hits = [hit.pk for hit in results[start : start + PAGE_SIZE + 1]]
    has_more = len(hits) > PAGE_SIZE and page < LAST_PAGE
    return Found(query, in_order(hits[:PAGE_SIZE]), page, has_more=has_more)


def find_or_respell(articles: QuerySet[Article], query: str, *, page: int = 1) -> Found:
    """The same; when nothing has these words, what has the words that were perhaps meant."""
    found = find_articles(articles, query, page=page)
    if found.articles or page > 1 or not words_of(query):
        return found
    meant = respelled(query[:_MAX_LENGTH], latest_words(articles))
    other = find_articles(articles, meant) if meant else found
    return other if other.articles else found
