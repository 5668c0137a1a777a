"""Why an article was given a theme, as an editor would say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from newsletter.themes.marking import STYLES, mark
from newsletter.themes.models import ThemeAssignment


@dataclass(frozen=True)
class Term:
    """A word that spoke for a theme. Only words of the text can be taught."""

    term: str
    percent: int  # of all that spoke for it
    in_title: bool
    from_text: bool  # else it is the blog's own category


@dataclass(frozen=True)
class Chip:
    """A theme as the lists show it: its name, how sure we are, and the words that gave it."""

    theme_id: int
    article_id: int
    name: str
    glyph: str
    colour: str
    percent: int
    confirmed: bool
    by_editor: bool
    source: str
    terms: tuple[Term, ...]
    number: int = 0  # in the legend of an article's page

    @property
    def style(self) -> int:
        """Which of the ways of underlining is this theme's."""
        return (self.number - 1) % STYLES + 1


def chip(assignment: ThemeAssignment, number: int = 0) -> Chip:
    theme = assignment.theme
    return Chip(
        theme_id=theme.pk,
        article_id=assignment.article_id,
        name=theme.local_name,
        glyph=theme.glyph_text,
        colour=theme.colour,
        percent=round(assignment.confidence * 100),
        confirmed=assignment.decision == ThemeAssignment.Decision.CONFIRMED,
        by_editor=assignment.source == ThemeAssignment.Source.EDITOR,
        source=assignment.get_source_display(),
        terms=terms_of(assignment),
        number=number,
    )


def terms_of(assignment: ThemeAssignment) -> tuple[Term, ...]:
    filed = assignment.source == ThemeAssignment.Source.CATEGORY
    return tuple(
        Term(
            term=str(found["term"]),
            percent=round(float(found.get("share") or 0) * 100),
            in_title=bool(found.get("in_title")),
            from_text=not (filed and place == 0),  # the category comes first (themes.rules)
        )
        for place, found in enumerate(assignment.evidence)
        if isinstance(found, dict) and found.get("term")
    )


def explain(assignment: ThemeAssignment) -> str:
    """One line: where the suggestion came from and the words that gave it, most telling first."""
    if assignment.source == ThemeAssignment.Source.EDITOR:
        return _("Chosen by an editor")
    reason = f"{assignment.get_source_display()}, {round(assignment.confidence * 100)}%"
    words = [
        _("“%(term)s” in the title") % {"term": one.term} if one.in_title else f"“{one.term}”"
        for one in terms_of(assignment)
    ]
    return f"{reason}: {', '.join(words)}" if words else reason


def marked(html: str, chips: Sequence[Chip], language: str) -> str:
    """Cleaned HTML with the words of these themes marked, each with its theme's number."""
    terms = {one.number: [term.term for term in one.terms if term.from_text] for one in chips}
    return mark(html, terms, language) if any(terms.values()) else html


def marked_title(title: str, chips: Sequence[Chip], language: str) -> SafeString:
    return mark_safe(marked(escape(title), chips, language))  # noqa: S308 (escaped, then marked)
