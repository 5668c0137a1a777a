"""Which of the accepted articles an issue proposes, in which order, and which leads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

LEAD_REASONS = ("note", "picture", "theme", "newest")


@dataclass(frozen=True)
class ThemeScore:
    theme_id: int
    confidence: float  # 1.0 when an editor confirmed it
    order: int = 0  # of the theme among themes, for the order of the sections


@dataclass(frozen=True)
class Candidate:
    article_id: int
    listed_at: datetime
    themes: tuple[ThemeScore, ...] = ()
    story_id: int | None = None
    has_note: bool = False
    has_image: bool = False
    was_deferred: bool = False  # an editor left it for this issue

    @property
    def section(self) -> ThemeScore | None:
        """The strongest theme; of equals, the first in the order of themes."""
        return max(
            self.themes,
            key=lambda score: (score.confidence, -score.order, -score.theme_id),
            default=None,
        )


@dataclass(frozen=True)
class Chosen:
    article_id: int
    theme_id: int | None
    is_lead: bool
    lead_reason: str = ""  # one of LEAD_REASONS


def choose_articles(candidates: Iterable[Candidate], *, limit: int) -> list[Chosen]:
    """At most `limit` articles, in the order of the issue: the lead, then by section.

    One article of each story. Those that an editor left for this issue come before all others, then
    those an editor wrote a note for. The rest
    is taken in turns, the newest of each section first, so that somebody who chose a quiet theme
    finds something too. Sections stand in the order of the themes, articles without a theme last;
    within a section the newest first.
    """
    queues: dict[int | None, list[Candidate]] = {}
    for candidate in sorted(_one_per_story(candidates), key=_interest, reverse=True):
        queues.setdefault(_section_id(candidate), []).append(candidate)

    # Each round takes the next of every section; an editor's word puts an article before all.
    ranked = sorted(
        (
            (_round(candidate, place), candidate)
            for queue in queues.values()
            for place, candidate in enumerate(queue)
        ),
        key=lambda ranked: (-ranked[0], _interest(ranked[1])),
        reverse=True,
    )
    chosen = [candidate for _, candidate in ranked[: max(limit, 0)]]
    lead = choose_lead(chosen)
    rest = sorted(
        (candidate for candidate in chosen if candidate is not lead),
        key=lambda candidate: (candidate.listed_at, candidate.article_id),
        reverse=True,
    )
    rest.sort(key=_section_order)
    return [
        Chosen(
            candidate.article_id,
            _section_id(candidate),
            is_lead=candidate is lead,
            lead_reason=_lead_reason(candidate) if candidate is lead else "",
        )
        for candidate in ([lead] if lead else []) + rest
    ]


def _round(candidate: Candidate, place: int) -> int:
    if candidate.was_deferred:
        return -2
    return -1 if candidate.has_note else place


def _lead_reason(lead: Candidate) -> str:
    """What told for it, in the order in which `choose_lead` asks."""
    if lead.has_note:
        return "note"
    if lead.has_image:
        return "picture"
    return "theme" if lead.section else "newest"


def choose_lead(candidates: Sequence[Candidate]) -> Candidate | None:
    """The opening article: one with an editor's note, else with a picture, else the surest theme.

    The newest of equals. Confidences count in tenths: a hundredth more is no news judgement.
    """
    return max(
        candidates,
        key=lambda candidate: (
            candidate.has_note,
            candidate.has_image,
            round(candidate.section.confidence, 1) if candidate.section else 0.0,
            candidate.listed_at,
            candidate.article_id,
        ),
        default=None,
    )


def _one_per_story(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Of the articles that tell one story, the one with a note, else the first that told it."""
    told: dict[int, Candidate] = {}
    alone = []
    for candidate in sorted(candidates, key=lambda one: (one.listed_at, one.article_id)):
        if candidate.story_id is None:
            alone.append(candidate)
        elif candidate.story_id not in told or (
            candidate.has_note and not told[candidate.story_id].has_note
        ):
            told[candidate.story_id] = candidate
    return alone + list(told.values())


def _interest(candidate: Candidate) -> tuple[bool, datetime, int]:
    return (candidate.has_note, candidate.listed_at, candidate.article_id)


def _section_id(candidate: Candidate) -> int | None:
    return candidate.section.theme_id if candidate.section else None


def _section_order(candidate: Candidate) -> tuple[bool, int, int]:
    section = candidate.section
    return (False, section.order, section.theme_id) if section else (True, 0, 0)
