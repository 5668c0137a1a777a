"""An issue on the web: what its mail says, in the same order."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language

from newsletter.digests.block_content import BlockContent
from newsletter.digests.block_view import BlockView, Surroundings, views_of
from newsletter.digests.content import DigestContent, ItemContent
from newsletter.digests.models import Digest
from newsletter.digests.wording import default_subject


@dataclass(frozen=True)
class Section:
    """The items that stand under one theme; without a name, those that have none."""

    name: str
    slug: str
    glyph: str
    colour: str
    items: tuple[ItemContent, ...]


@dataclass(frozen=True)
class Issue:
    digest: Digest
    content: DigestContent
    lead: ItemContent | None
    sections: tuple[Section, ...]

    @property
    def introduction(self) -> list[str]:
        return [part for part in self.content.introduction.split("\n\n") if part]

    @property
    def opening(self) -> list[BlockView]:
        return self._views(self.content.opening)

    @property
    def closing(self) -> list[BlockView]:
        return self._views(self.content.closing)

    def _views(self, blocks: tuple[BlockContent, ...]) -> list[BlockView]:
        series = self.content.newsletter
        around = Surroundings(
            self.content.digest_uid, series.time_zone, get_language() or series.language, False, {}
        )
        return views_of(blocks, around)

    @property
    def first(self) -> ItemContent | None:
        """The lead, else what stands first; a notice in the editors' own words has none."""
        return self.lead or next(iter(self.content.items), None)

    @property
    def names_its_lead(self) -> bool:
        """Whether the subject only repeats the headline that stands below it on the page."""
        first = self.first
        series = self.content.newsletter
        return first is not None and self.content.subject == default_subject(
            series.name, self.content.number, first.title, series.language
        )

    @property
    def others(self) -> tuple[ItemContent, ...]:
        return tuple(item for section in self.sections for item in section.items)


def sections_of(items: tuple[ItemContent, ...], language: str) -> tuple[Section, ...]:
    """Items by theme, themes in the order in which they first appear, no theme last."""
    by_theme: dict[int | None, list[ItemContent]] = {}
    for item in items:
        by_theme.setdefault(item.theme_id, []).append(item)
    in_order = sorted(by_theme.values(), key=lambda group: group[0].theme_id is None)
    return tuple(
        Section(
            name=group[0].section_name(language),
            slug=group[0].theme_slug,
            glyph=group[0].theme_glyph,
            colour=group[0].theme_colour,
            items=tuple(group),
        )
        for group in in_order
    )


def issue_of(digest: Digest) -> Issue:
    """A frozen digest ready to be shown."""
    if digest.content is None:
        raise ValueError(f"{digest} is not frozen: nothing of it may be shown")
    content = DigestContent.from_json(digest.content)
    lead = content.lead
    rest = tuple(item for item in content.items if item is not lead)
    return Issue(digest, content, lead, sections_of(rest, content.newsletter.language))
