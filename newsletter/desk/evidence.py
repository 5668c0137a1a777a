"""Why an article was given a theme, as an editor would say it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.themes.models import ThemeAssignment


@dataclass(frozen=True)
class Chip:
    """A theme as the lists show it: its name, how sure we are, and the words that gave it."""

    theme_id: int
    name: str
    glyph: str
    colour: str
    percent: int
    confirmed: bool
    why: str


def chip(assignment: ThemeAssignment) -> Chip:
    theme = assignment.theme
    return Chip(
        theme_id=theme.pk,
        name=theme.local_name,
        glyph=theme.glyph_text,
        colour=theme.colour,
        percent=round(assignment.confidence * 100),
        confirmed=assignment.decision == ThemeAssignment.Decision.CONFIRMED,
        why=explain(assignment),
    )


def explain(assignment: ThemeAssignment) -> str:
    """One line: where the suggestion came from and the words that gave it, most telling first."""
    if assignment.source == ThemeAssignment.Source.EDITOR:
        return _("Chosen by an editor")
    reason = f"{assignment.get_source_display()}, {round(assignment.confidence * 100)}%"
    words = [
        _("“%(term)s” in the title") % {"term": found["term"]}
        if found.get("in_title")
        else f"“{found['term']}”"
        for found in assignment.evidence
        if found.get("term")
    ]
    return f"{reason}: {', '.join(words)}" if words else reason
