"""A free block as a reader meets it, in their language: the same for mail, text and page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from newsletter.digests.block_content import BlockContent
from newsletter.digests.links import event_url, picture_url
from newsletter.digests.slots import without_slot
from newsletter.digests.wording import date_in_words, weekday_in_words


@dataclass(frozen=True)
class BlockView:
    kind: str
    heading: str
    html: str
    words: list[str]  # paragraphs
    url: str
    label: str  # of the button or link that leads to `url`
    src: str
    alt: str
    width: int
    height: int
    when: str
    place: str
    calendar: str  # address of the event's .ics file


@dataclass(frozen=True)
class Surroundings:
    """What the blocks of one issue have in common."""

    digest_uid: str
    time_zone: str
    language: str
    # Where a picture comes from: "mail" carries it as a part of its own, else its address or,
    # while it is a draft, its very bytes.
    in_mail: bool
    pictures: Mapping[str, bytes]


def views_of(blocks: tuple[BlockContent, ...], surroundings: Surroundings) -> list[BlockView]:
    """In the order of the issue. To be called with the surroundings' language in force."""
    return [_view(block, surroundings) for block in blocks]


def content_id(sha256: str) -> str:
    """The name of a picture's part within its mail (RFC 2392)."""
    return f"{sha256[:32]}@bollettino"


def _view(block: BlockContent, around: Surroundings) -> BlockView:
    is_event = block.kind == "event"
    return BlockView(
        kind=block.kind,
        heading=without_slot(block.heading),
        html=without_slot(block.html),
        words=[without_slot(part) for part in block.words.split("\n\n") if part],
        url=without_slot(block.url),
        label=without_slot(block.label) or _label(block.kind),
        src=_src(block, around),
        alt=without_slot(block.alt),
        width=block.width,
        height=block.height,
        when=_when(block, around),
        place=without_slot(block.place),
        calendar=event_url(around.digest_uid, block.id) if is_event and block.id else "",
    )


def _label(kind: str) -> str:
    return {"poll": _("Take part in the poll"), "event": _("Read more")}.get(kind, "")


def _src(block: BlockContent, around: Surroundings) -> str:
    if not block.picture:
        return ""
    if around.in_mail:
        return f"cid:{content_id(block.picture)}"
    if data := around.pictures.get(block.picture):
        return f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"
    return picture_url(around.digest_uid, block.picture)


def _when(block: BlockContent, around: Surroundings) -> str:
    if block.kind == "poll" and block.ends:
        last = date.fromisoformat(block.ends)
        return _("Open until %(day)s") % {"day": date_in_words(last, around.language)}
    if block.kind != "event" or not block.starts:
        return ""
    zone = ZoneInfo(around.time_zone)
    starts = datetime.fromisoformat(block.starts).astimezone(zone)
    said = _moment(starts, around.language)
    if not block.ends:
        return said
    ends = datetime.fromisoformat(block.ends).astimezone(zone)
    if ends.date() == starts.date():
        return f"{said}–{ends:%H:%M}"
    return f"{said} – {_moment(ends, around.language)}"


def _moment(moment: datetime, language: str) -> str:
    """ "giovedì 16 luglio 2026, 10:00"."""
    day = moment.date()
    weekday = weekday_in_words(day, language)
    return f"{weekday} {date_in_words(day, language)}, {moment:%H:%M}"
