"""Whom an issue is addressed to, of those who get its newsletter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from newsletter.digests.series import Newsletter
from newsletter.themes.models import Theme

if TYPE_CHECKING:
    from newsletter.digests.models import Digest


@dataclass(frozen=True)
class Addressees:
    """Each part that is filled narrows further; all empty: everybody who gets the newsletter."""

    theme_ids: list[int] = field(default_factory=list)  # chose one of them, or all themes
    newsletter_ids: list[int] = field(default_factory=list)  # get one of these as well
    language: str = ""
    # As they were called when it was approved; shorter where one has been deleted.
    theme_names: list[str] = field(default_factory=list)
    newsletter_names: list[str] = field(default_factory=list)

    @property
    def everybody(self) -> bool:
        return not (self.theme_ids or self.newsletter_ids or self.language)

    @property
    def whole(self) -> bool:
        """Every theme and newsletter that it names is still there."""
        return len(self.theme_ids) == len(self.theme_names) and len(self.newsletter_ids) == len(
            self.newsletter_names
        )


def addressees_as_edited(draft: Digest) -> Addressees:
    themes = Theme.objects.in_bulk(draft.to_themes)
    newsletters = Newsletter.objects.in_bulk(draft.to_newsletters)
    return Addressees(
        theme_ids=sorted(draft.to_themes),
        newsletter_ids=sorted(draft.to_newsletters),
        language=draft.to_language,
        theme_names=[themes[pk].name for pk in sorted(themes)],
        newsletter_names=[newsletters[pk].name for pk in sorted(newsletters)],
    )
