"""The mail without HTML, for those who read that way: written, not stripped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from newsletter.digests.rich_text import plain_paragraphs

if TYPE_CHECKING:
    from newsletter.digests.block_view import BlockView
    from newsletter.digests.render import Page, Row

WIDTH = 72


def plain_text(page: Page) -> str:
    """Lines of at most 72 signs; an address stands on a line of its own, whole."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield page.masthead.upper()
    yield from _wrapped(" · ".join(part for part in (page.edition, page.issue) if part))
    yield "=" * WIDTH
    for paragraph in page.introduction:
        yield ""
        yield from _wrapped(paragraph)
    yield from _blocks(page.opening)
    if page.lead:
        yield ""
        yield from _row(page.lead)
    for section in page.sections:
        yield ""
        yield ""
        yield from _wrapped(f"{section.glyph} {section.name.upper()}".strip())
        yield "-" * WIDTH
        for place, row in enumerate(section.rows):
            if place:
                yield ""
            yield from _row(row)
    yield from _blocks(page.closing)
    yield ""
    yield ""
    yield "=" * WIDTH
    yield from _footer(page)


def _blocks(blocks: list[BlockView]) -> Iterator[str]:
    for block in blocks:
        yield ""
        yield from _wrapped(block.heading.upper() if block.kind == "text" else block.heading)
        if block.alt:
            yield from _wrapped(_("[Picture: %(shows)s]") % {"shows": block.alt})
        yield from _wrapped(block.when)
        yield from _wrapped(block.place)
        for text, links in plain_paragraphs(block.html):
            yield from _wrapped(text)
            yield from links
        for paragraph in block.words:
            yield from _wrapped(paragraph)
        if block.url:
            yield from ([f"{block.label}:"] if block.label else [])
            yield block.url
        if block.calendar:
            yield f"{_('Add it to your calendar')}:"
            yield block.calendar


def _row(row: Row) -> Iterator[str]:
    yield from _wrapped(row.title)
    if row.url:
        yield row.url
    if row.excerpt:
        yield from _wrapped(row.excerpt)
    if row.byline:
        yield from _wrapped(f"({row.byline})")
    if row.note:
        yield ""
        yield from _wrapped(f"{_('Why it matters')}: {row.note[0]}", indent="  | ")
        for paragraph in row.note[1:]:
            yield from _wrapped(paragraph, indent="  | ")


def _footer(page: Page) -> Iterator[str]:
    if page.web_view:
        yield from _link(_("Read it on the web"), page.web_view)
    if page.personal:
        yield from _wrapped(
            _("You get this mail because this address was signed up for “%(newsletter)s”.")
            % {"newsletter": page.newsletter}
        )
        yield ""
        yield from _link(_("Your preferences"), page.personal.preferences)
        yield from _link(_("Pause it"), page.personal.pause)
        yield from _link(_("Unsubscribe"), page.personal.unsubscribe)
    if page.postal_address:
        yield from _wrapped(page.masthead)
        yield from _wrapped(page.postal_address)


def _link(name: str, url: str) -> Iterator[str]:
    yield f"{name}:"
    yield url
    yield ""


def _wrapped(text: str, *, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
