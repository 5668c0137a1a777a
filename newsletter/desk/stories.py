"""The pieces of a story, as the inbox and an article's page show them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from newsletter.articles.models import Article, Story
from newsletter.articles.stories.editing import possible_duplicates
from newsletter.articles.stories.models import Resemblance

MOST_PIECES = 20  # listed; a story of hundreds says how many more
_SHOWN = (
    "pk", "title", "editor_title", "story_id", "state", "url", "listed_at", "published_at",
    "attribution_title", "feed__title", "feed__url",
)  # fmt: skip


def with_pieces(articles: list[Article]) -> list[Article]:
    """Brings each article's story (`others`, `similar`) and doubts (`doubtful`): three queries."""
    stories = {article.story_id for article in articles if article.story_id}
    ids = {article.pk for article in articles}
    counts = dict(
        Story.objects.filter(pk__in=stories)
        .annotate(pieces=Count("articles"))
        .values_list("pk", "pieces")
    )
    pieces: dict[int | None, list[Article]] = {}
    for piece in _pieces().filter(story__in=stories)[: MOST_PIECES * len(articles)]:
        pieces.setdefault(piece.story_id, []).append(piece)
    doubts = Resemblance.objects.filter(
        Q(first__in=ids) | Q(second__in=ids), state=Resemblance.State.POSSIBLE
    )
    doubtful = {pk for pair in doubts.values_list("first_id", "second_id") for pk in pair}
    for article in articles:
        others = [one for one in pieces.get(article.story_id, []) if one.pk != article.pk]
        setattr(article, "others", others[:MOST_PIECES])  # noqa: B010
        count = max(counts.get(article.story_id or 0, 1) - 1, 0)
        setattr(article, "similar", count)  # noqa: B010
        setattr(article, "more", count - len(others[:MOST_PIECES]))  # noqa: B010
        setattr(article, "doubtful", article.pk in doubtful)  # noqa: B010
    return articles


def story_context(article: Article) -> dict[str, Any]:
    others: list[Article] = []
    count = 0
    if article.story_id:
        pieces = _pieces().filter(story=article.story_id).exclude(pk=article.pk)
        count, others = pieces.count(), list(pieces[:MOST_PIECES])
    return {
        "others": others,
        "similar": count,
        "more": count - len(others),
        "doubts": [(other, round(share * 100)) for other, share in possible_duplicates(article)],
    }


def _pieces() -> Any:
    """Without the texts; those that an editor has to look at come before the others."""
    return Article.objects.select_related("feed").only(*_SHOWN).order_by("story", "listed_at", "pk")
