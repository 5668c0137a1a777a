"""The pieces of a story, as the inbox and an article's page show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Window
from django.db.models.functions import RowNumber

from newsletter.articles.models import Article, Story
from newsletter.articles.stories.editing import possible_duplicates
from newsletter.articles.stories.models import Resemblance

MOST_PIECES = 20  # listed; a story of hundreds says how many more
_SHOWN = (
    "pk", "title", "editor_title", "story_id", "state", "url", "listed_at", "published_at",
    "attribution_title", "feed__title", "feed__url",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the inbox and an article's page say of its story."""

    similar: int = 0  # other articles that tell the same
    others: tuple[Article, ...] = ()  # the first of them
    doubtful: bool = False  # another looks like it

    @property
    def more(self) -> int:
        return self.similar - len(self.others)


def with_stories(articles: list[Article]) -> list[Article]:
    """Brings each article's story (as `told`), in three queries for all."""
    stories = {article.story_id for article in articles if article.story_id}
    ids = {article.pk for article in articles}
    counts: dict[int | None, int] = dict(
        Story.objects.filter(pk__in=stories)
        .annotate(pieces=Count("articles"))
        .values_list("pk", "pieces")
    )
    pieces: dict[int | None, list[Article]] = {}
    place = Window(RowNumber(), partition_by="story", order_by=["listed_at", "pk"])
    shown = _pieces().filter(story__in=stories).annotate(place=place)
    for piece in shown.filter(place__lte=MOST_PIECES + 1):  # the article's own is one of them
        pieces.setdefault(piece.story_id, []).append(piece)
    doubts = Resemblance.objects.possible().touching(ids)
    doubtful = {pk for pair in doubts.values_list("first_id", "second_id") for pk in pair}
    for article in articles:
        others = [one for one in pieces.get(article.story_id, []) if one.pk != article.pk]
        article.told = Told(
            similar=max(counts.get(article.story_id, 1) - 1, 0),
            others=tuple(others[:MOST_PIECES]),
            doubtful=article.pk in doubtful,
        )
    return articles


def doubts_of(article: Article) -> list[tuple[Article, int]]:
    """Possible duplicates, with how much of the shorter text stands in the other, in per cent."""
    return [(other, round(share * 100)) for other, share in possible_duplicates(article)]


def _pieces() -> Any:
    """Without the texts, which may be long and many; the first that told it first."""
    return Article.objects.select_related("feed").only(*_SHOWN).order_by("listed_at", "pk")
