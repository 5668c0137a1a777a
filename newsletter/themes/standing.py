"""What the models in use say of themselves: read from their figures, without loading them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.themes.models import LearnedModel, Theme
from newsletter.themes.quality import Share
from newsletter.themes.sources import ENOUGH_TAGS, FEWEST_OWN_TAGS

# As in `calibration`, which is not imported here: it needs numpy.
WANTED_PERCENT = 90


@dataclass(frozen=True)
class Acceptance:
    """Whether sure suggestions of a theme may pass unseen, and the numbers that say so."""

    from_percent: int | None  # of probability; None: not yet
    tags: Share  # at or above it, or above the lowest that could be

    @property
    def is_allowed(self) -> bool:
        return self.from_percent is not None

    @property
    def borrows(self) -> bool:
        """Too few of its own: those of all themes together prove it, too."""
        return self.is_allowed and self.tags.of < ENOUGH_TAGS

    @property
    def missing(self) -> int:
        """How many more suggestions as sure as that must be reviewed, at the least."""
        return max(FEWEST_OWN_TAGS - self.tags.of, 0)


@dataclass(frozen=True)
class Standing:
    """A theme in the model of one language, tested on articles that it had not seen."""

    language: str
    trained_at: datetime
    reviewed: int
    precision: Share
    recall: Share
    acceptance: Acceptance
    taken_for: tuple[tuple[Theme, int], ...]  # said wrongly where this one was missed
    mistaken: tuple[tuple[Theme, int], ...]  # missed where this one was said wrongly


def standings_of(theme: Theme) -> list[Standing]:
    """One for each language that was learned and knows the theme."""
    themes = {one.pk: one for one in Theme.objects.all()}
    rows = LearnedModel.objects.current().order_by("language")
    found = []
    for language, at, facts in rows.values_list("language", "started_at", "facts"):
        numbers = facts.get("by_theme", {}).get(str(theme.pk))
        if numbers and facts.get("reviewed"):
            found.append(_standing(theme, language, at, facts, numbers, themes))
    return found


def _standing(
    theme: Theme, language: str, at: datetime, facts: Any, numbers: Any, themes: dict[int, Theme]
) -> Standing:
    lowest = numbers["accepted_from"]
    pairs = [(themes.get(said), themes.get(missed), n) for said, missed, n in facts["confused"]]
    return Standing(
        language=language,
        trained_at=at,
        reviewed=facts["reviewed"],
        precision=Share(numbers["right"], numbers["said"]),
        recall=Share(numbers["right"], numbers["given"]),
        acceptance=Acceptance(
            None if lowest is None else round(100 * lowest),
            Share(numbers["accepted_right"], numbers["accepted_tags"]),
        ),
        taken_for=tuple((one, n) for one, missed, n in pairs if one and missed == theme),
        mistaken=tuple((one, n) for said, one, n in pairs if one and said == theme),
    )
