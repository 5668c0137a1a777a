"""What a reader may see, and in what order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from newsletter.articles.models import Article, ArticleQuerySet
from newsletter.digests.models import Digest, DigestItem
from newsletter.themes.models import ThemeAssignment
from newsletter.themes.similarity import likeness, words_of

_COMMON = 1000
_WEIGHED = 60  # articles whose words are compared for "related"
_READ = 500  # letters of each excerpt
# Against the share of common themes: texts on the same matter are rarely more alike than .4.
_WORDS_COUNT = 3.0
FROZEN = (Digest.Status.APPROVED, Digest.Status.SENDING, Digest.Status.SENT)


def reachable_issues() -> QuerySet[Digest]:
    """Issues whose address answers: mails that are on their way already point there.

    Each with `out_at`, the moment its mails began to go. That may be before the slot (an editor's
    "send now") or after it; the slot stands for it until they go.
    """
    return Digest.objects.filter(status__in=FROZEN, content__isnull=False).annotate(
        out_at=Coalesce("sending_at", "slot")
    )


def issues_out(now: datetime) -> QuerySet[Digest]:
    """Issues that the archive announces: sent, or approved and due; newest first.

    An approved issue keeps its secret until its slot: the archive never comes before the mail.
    """
    out = Q(status__in=[Digest.Status.SENDING, Digest.Status.SENT]) | Q(slot__lte=now)
    return (
        reachable_issues()
        .filter(out, newsletter__is_public=True)
        .select_related("newsletter")
        .order_by("-out_at", "-pk")
    )


def readable_articles() -> ArticleQuerySet:
    """Accepted articles, and those that an issue already carried to its readers."""
    carried = DigestItem.objects.filter(
        article=OuterRef("pk"), digest__status__in=FROZEN, deferred=False
    )
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


def in_order(pks: Sequence[int]) -> list[Article]:
    """The articles ready to be listed, in the order of `pks`.

    Long lists are found by key first and read after: sorting whole rows, texts and all, made
    a search for a common word take three times as long.
    """
    found = for_listing(Article.objects.all()).in_bulk(pks)
    return [found[pk] for pk in pks if pk in found]


def of_theme(theme_id: int, *, articles: int = 0) -> QuerySet[Article]:
    """Accepted articles of a theme. `articles`, about how many, picks the shorter way there."""
    if articles > _COMMON:
        # From the newest article on, a common theme soon fills a page; a rare one would walk
        # through all of them.
        standing = ThemeAssignment.objects.standing().filter(
            article=OuterRef("pk"), theme_id=theme_id
        )
        return Article.objects.accepted().filter(Exists(standing))
    return Article.objects.accepted().filter(
        assignments__theme_id=theme_id,
        assignments__decision__in=[
            ThemeAssignment.Decision.SUGGESTED,
            ThemeAssignment.Decision.CONFIRMED,
        ],
    )


def related_to(article: Article, theme_ids: Iterable[int], *, limit: int = 3) -> list[Article]:
    """Accepted articles that share themes and words with this one, the latest among equals.

    Other pieces of its story are not among them: they tell the same once more.
    """
    themes = list(theme_ids)[:3]
    # Only the newest of each theme are weighed: the cost must not grow with the archive.
    candidates = (
        ThemeAssignment.objects.standing()
        .filter(theme_id__in=themes)
        .exclude(article_id=article.pk)
        .order_by("-article_id")
        .values_list("article_id", flat=True)[:150]
    )
    shared = Counter(candidates)
    likely = sorted(shared, key=lambda pk: (-shared[pk], -pk))[:_WEIGHED]
    rows = (
        Article.objects.accepted()
        .filter(pk__in=likely)
        .values_list("pk", "story", "language", "title", "excerpt")
    )
    words = {
        pk: words_of(f"{title}\n{excerpt[:_READ]}", language)
        for pk, story, language, title, excerpt in rows
        if story is None or story != article.story_id
    }
    own = words_of(f"{article.title}\n{article.excerpt[:_READ]}", article.language)
    alike = likeness(own, words)

    def score(pk: int) -> float:
        return shared[pk] / len(themes) + _WORDS_COUNT * alike[pk]

    best = sorted(words, key=lambda pk: (-round(score(pk), 3), -pk))[:limit]
    return in_order(best)
