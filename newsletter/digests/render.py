"""What a mail looks like: the same model as HTML and as plain text, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Literal

import css_inline
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.digests.block_view import BlockView, Surroundings, views_of
from newsletter.digests.content import DigestContent, ItemContent
from newsletter.digests.links import PersonalLinks, personal_links, web_view_url
from newsletter.digests.plain_text import plain_text
from newsletter.digests.slots import TOKEN_SLOT, without_slot
from newsletter.digests.wording import date_in_words, default_subject, shorten

# mail: with the slot for each member's links. test: as a mail, its personal links lead nowhere.
# preview: the same, looked at in a browser.
# web: for everybody, without personal links and without a link to itself.
Mode = Literal["mail", "test", "preview", "web"]

PREHEADER_LENGTH = 140
_NOWHERE = PersonalLinks(preferences="#", unsubscribe="#", pause="#")


@dataclass(frozen=True)
class Rendered:
    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Row:
    """An item as a reader sees it."""

    title: str
    excerpt: str
    url: str
    byline: str
    note: list[str]  # paragraphs
    language: str  # empty: the mail's own


@dataclass(frozen=True)
class Section:
    name: str
    glyph: str
    colour: str
    rows: list[Row]


@dataclass(frozen=True)
class Page:
    """All that the two templates show."""

    language: str
    editors_language: str  # of the introduction and the notes
    subject: str
    preheader: str
    masthead: str  # the paper's name
    edition: str  # the newsletter, when it is not the paper's name
    issue: str  # "N. 42 · 16 luglio 2026"
    urgent: bool
    introduction: list[str]
    opening: list[BlockView]
    closing: list[BlockView]
    lead: Row | None
    lead_section: Section | None  # its theme, without rows
    sections: list[Section]
    newsletter: str
    postal_address: str
    personal: PersonalLinks | None
    web_view: str  # empty on the web itself


def render(
    content: DigestContent,
    *,
    positions: Iterable[int],
    language: str,
    mode: Mode = "mail",
    pictures: Mapping[str, bytes] | None = None,
) -> Rendered:
    """The issue with the items at `positions`, in their order, worded in `language`.

    In mode `mail` the HTML and the text hold TOKEN_SLOT in the personal links and nowhere else.
    Nothing is fetched, from us or from the network, and nothing in the mail makes a reader's
    program fetch anything: its pictures are parts of it (see `block_view.content_id`). Where it
    is only looked at they come from `pictures`, by SHA-256, or from the issue's own address.
    """
    wanted = set(positions)
    items = [item for item in content.items if item.position in wanted]
    with translation.override(language):
        page = page_of(content, items, language, mode, pictures or {})
        html = render_to_string("newsletter/email/digest.html", {"page": page})
        text = plain_text(page)
    return Rendered(page.subject, _inliner().inline(html), text)


def in_the_dark(html: str) -> str:
    """The mail as a program with a dark screen shows it, on whatever screen."""
    return html.replace("@media (prefers-color-scheme: dark)", "@media all")


def without_pictures(html: str) -> str:
    """The mail as most programs show it until they are asked for the pictures."""
    return re.sub(r'(<img\b[^>]*?\bsrc=)"[^"]*"', r'\1"data:,"', html)


def page_of(
    content: DigestContent,
    items: Sequence[ItemContent],
    language: str,
    mode: Mode,
    pictures: Mapping[str, bytes],
) -> Page:
    newsletter = content.newsletter
    lead = next((item for item in items if item.is_lead), None)
    lead_row = _row(lead, language) if lead else None
    sections = _sections([item for item in items if item is not lead], language)
    around = Surroundings(
        content.digest_uid, newsletter.time_zone, language, mode in ("mail", "test"), pictures
    )
    day = date_in_words(content.local_day, language)
    return Page(
        language=language,
        editors_language=newsletter.language,
        subject=without_slot(_subject(content, items)),
        preheader=without_slot(content.preheader or _preheader(lead_row, sections)),
        masthead=newsletter.sender_name,
        edition=newsletter.name if newsletter.name != newsletter.sender_name else "",
        issue=_("N. %(number)d · %(date)s") % {"number": content.number, "date": day},
        urgent=newsletter.urgent,
        introduction=_paragraphs(content.introduction),
        opening=views_of(content.opening, around),
        closing=views_of(content.closing, around),
        lead=lead_row,
        lead_section=replace(_section(lead, language), rows=[]) if lead and lead.theme_id else None,
        sections=sections,
        newsletter=newsletter.name,
        postal_address=newsletter.postal_address,
        personal={
            "mail": personal_links(TOKEN_SLOT, newsletter.slug),
            "test": _NOWHERE,
            "preview": _NOWHERE,
            "web": None,
        }[mode],
        web_view="" if mode == "web" else web_view_url(content.digest_uid),
    )


def _subject(content: DigestContent, items: Sequence[ItemContent]) -> str:
    """The issue's subject; one that no editor wrote names an article that this mail has."""
    newsletter, lead = content.newsletter, content.lead or next(iter(content.items), None)
    if lead is None or not items or lead in items:
        return content.subject
    default = [newsletter.name, content.number, lead.title, newsletter.language]
    if content.subject != default_subject(*default):  # type: ignore[arg-type]
        return content.subject
    return default_subject(newsletter.name, content.number, items[0].title, newsletter.language)


def _preheader(lead: Row | None, sections: Sequence[Section]) -> str:
    """What the mail has besides the title that the subject names; of a single article, its text."""
    rows = [row for section in sections for row in section.rows]
    rows = [lead, *rows] if lead else rows
    if not rows:  # a notice in the editors' own words, whose subject says it
        return ""
    first, *others = rows
    return shorten(" · ".join(row.title for row in others[:4]) or first.excerpt, PREHEADER_LENGTH)


def _sections(items: Sequence[ItemContent], language: str) -> list[Section]:
    """By theme, in the order in which the themes first appear; no theme comes last."""
    sections: dict[int | None, Section] = {}
    for item in items:
        section = sections.setdefault(item.theme_id, _section(item, language))
        section.rows.append(_row(item, language))
    return sorted(sections.values(), key=lambda section: not section.colour)


def _section(item: ItemContent, language: str) -> Section:
    if item.theme_id is None:
        return Section(_("Other news"), "", "", [])
    return Section(
        item.section_name(language), item.theme_glyph_text, item.theme_colour or "#B21F1F", []
    )


def _row(item: ItemContent, language: str) -> Row:
    foreign = item.language and item.language.split("-")[0] != language.split("-")[0]
    return Row(
        title=without_slot(item.title),
        excerpt=without_slot(item.excerpt),
        url=without_slot(item.url),
        byline=without_slot(_byline(item, language)),
        note=_paragraphs(item.note),
        language=item.language if foreign else "",
    )


def _byline(item: ItemContent, language: str) -> str:
    """Who wrote it and when, and where we have it from."""
    if item.original_author or item.original_source:
        origin = ", ".join(
            part
            for part in (
                item.original_author,
                item.original_source,
                _day(item.original_date, language),
            )
            if part
        )
        source = _("via %(source)s") % {"source": item.source} if item.source else ""
        return " · ".join(part for part in (origin, source) if part)
    return " · ".join(part for part in (item.source, _day(item.published, language)) if part)


def _day(iso: str, language: str) -> str:
    return date_in_words(date.fromisoformat(iso), language) if iso else ""


def _paragraphs(text: str) -> list[str]:
    return [without_slot(part) for part in text.split("\n\n") if part]


@cache
def _inliner() -> css_inline.CSSInliner:
    # At-rules are the dark mode and the phone; without the option css-inline drops them.
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
