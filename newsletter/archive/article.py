"""What a reader finds on an article's page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from newsletter.archive.published import related_to, standing_assignments
from newsletter.articles.models import Article
from newsletter.feeds.models import Feed
from newsletter.themes.models import ThemeAssignment

_TERMS = 3
_ALSO = 10


def reason(assignment: ThemeAssignment) -> str:
    """Why an article stands under a theme, in a sentence for anybody."""
    terms = [str(one.get("term", "")) for one in assignment.evidence if isinstance(one, dict)]
    terms = [term for term in terms if term]
    quoted = _quoted(terms)
    if assignment.source == ThemeAssignment.Source.EDITOR or not quoted:
        if assignment.decision == ThemeAssignment.Decision.CONFIRMED:
            return _("Chosen by the editors.")
        return _("Suggested automatically.")
    if assignment.source == ThemeAssignment.Source.CATEGORY:
        # The category comes first (themes.rules); what follows is what the text says.
        filed = _("The blog files it under %(terms)s.") % {"terms": _quoted(terms[:1])}
        said = _("The text says %(terms)s.") % {"terms": _quoted(terms[1:])}
        return f"{filed} {said}" if terms[1:] else filed
    if assignment.source == ThemeAssignment.Source.LEARNED:
        return _("Like others that the editors put here: it says %(terms)s.") % {"terms": quoted}
    return _("The text says %(terms)s.") % {"terms": quoted}


def _quoted(terms: list[str]) -> str:
    return ", ".join(f"«{term}»" for term in terms[:_TERMS])


def also_in(article: Article) -> list[Article]:
    """The other accepted pieces of its story, the first that told it first."""
    if not article.story_id:
        return []
    pieces = Article.objects.accepted().filter(story=article.story_id).exclude(pk=article.pk)
    return list(
        pieces.select_related("feed")
        .defer("body_html", "body_text")
        .order_by("listed_at", "pk")[:_ALSO]
    )


def article_context(article: Article) -> dict[str, Any]:
    """Four queries, five for a piece of a story: the themes, the candidates that share them, their
    words, the related articles.
    """
    themes = list(standing_assignments().filter(article=article))
    full = bool(
        article.feed
        and article.feed.rights == Feed.Rights.FULL
        and article.state == Article.State.ACCEPTED
        and article.body_html
    )
    return {
        "article": article,
        "also": also_in(article),
        "full": full,
        "withdrawn": article.state == Article.State.WITHDRAWN,
        "themes": [(assignment.theme, reason(assignment)) for assignment in themes],
        "related": related_to(article, [one.theme_id for one in themes]) if themes else [],
    }
