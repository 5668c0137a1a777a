"""What a reader may see, and in what order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from newsletter.articles.models import Article, ArticleQuerySet
from newsletter.digests.models import Digest, DigestItem
from newsletter.themes.models import ThemeAssignment

FROZEN = (Digest.Status.APPROVED, Digest.Status.SENDING, Digest.Status.SENT)


def reachable_issues() -> QuerySet[Digest]:
    """Issues whose address answers: mails that are on their way already point there."""
    return Digest.objects.filter(status__in=FROZEN, content__isnull=False)


def issues_out(now: datetime) -> QuerySet[Digest]:
    """Issues that the archive announces: sent, or approved and due; newest first.

    An approved issue keeps its secret until its slot: the archive never comes before the mail.
    """
    out = Q(status__in=[Digest.Status.SENDING, Digest.Status.SENT]) | Q(slot__lte=now)
    return (
        reachable_issues()
        .filter(out, newsletter__is_public=True)
        .select_related("newsletter")
        .order_by("-slot", "-pk")
    )


def readable_articles() -> ArticleQuerySet:
    """Accepted articles, and those that an issue already carried to its readers."""
    carried = DigestItem.objects.filter(article=OuterRef("pk"), digest__status__in=FROZEN)
    readable: ArticleQuerySet = Article.objects.filter(
        Q(state=Article.State.ACCEPTED) | Exists(carried)
    )
    return readable


def standing_assignments() -> QuerySet[ThemeAssignment]:
    return (
        ThemeAssignment.objects.standing()
        .filter(theme__is_active=True)
        .select_related("theme")
        .order_by("-confidence", "theme__sort_order")
    )


def for_listing(articles: QuerySet[Article]) -> QuerySet[Article]:
    """With what a row shows (source, themes), without the long texts it does not."""
    return (
        articles.select_related("feed")
        .defer("body_html", "body_text")
        .prefetch_related(
            Prefetch("assignments", queryset=standing_assignments(), to_attr="standing")
        )
    )


def of_theme(theme_id: int) -> QuerySet[Article]:
    return Article.objects.accepted().filter(
        assignments__theme_id=theme_id,
        assignments__decision__in=[
            ThemeAssignment.Decision.SUGGESTED,
            ThemeAssignment.Decision.CONFIRMED,
        ],
    )


def related_to(article: Article, theme_ids: Iterable[int], *, limit: int = 3) -> list[Article]:
    """Accepted articles that share most themes with this one, the latest first among equals."""
    # Only the newest of each theme are weighed: the cost must not grow with the archive.
    candidates = (
        ThemeAssignment.objects.standing()
        .filter(theme_id__in=list(theme_ids)[:3])
        .exclude(article_id=article.pk)
        .order_by("-article_id")
        .values_list("article_id", flat=True)[:150]
    )
    shared: dict[int, int] = {}
    for pk in candidates:
        shared[pk] = shared.get(pk, 0) + 1
    best = sorted(shared, key=lambda pk: (-shared[pk], -pk))[: limit * 4]
    found = for_listing(Article.objects.accepted().filter(pk__in=best)).in_bulk(best)
    return [found[pk] for pk in best if pk in found][:limit]
