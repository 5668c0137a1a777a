"""A free block as it is frozen: plain values, apart from how they look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsletter.digests.pictures import scaled
from newsletter.digests.rich_text import clean_rich_text
from newsletter.digests.wording import one_line, paragraphs


@dataclass(frozen=True)
class BlockContent:
    """Which fields are filled depends on `kind`: text, picture, event, action or poll."""

    kind: str
    id: str = ""  # Wagtail's, a UUID; lasts as long as the block
    heading: str = ""
    html: str = ""  # of a text: cleaned, with whole addresses
    words: str = ""  # paragraphs, an empty line between them
    url: str = ""
    label: str = ""
    picture: str = ""  # SHA-256 of its bytes
    alt: str = ""
    width: int = 0
    height: int = 0
    starts: str = ""  # ISO, UTC
    ends: str = ""  # ISO, UTC; of a poll: its last day
    place: str = ""


def blocks_as_edited(stream: Iterable[Any]) -> tuple[BlockContent, ...]:
    """The blocks of a StreamField; a picture that is no longer in the library is left out."""
    return tuple(_frozen(stream))


def _frozen(stream: Iterable[Any]) -> Iterator[BlockContent]:
    for child in stream:
        value, known = child.value, {"kind": child.block_type, "id": str(child.id or "")}
        match child.block_type:
            case "text":
                html, heading = clean_rich_text(value["text"].source), one_line(value["heading"])
                if html or heading:  # a draft may hold a text that nobody has begun
                    yield BlockContent(**known, heading=heading, html=html)
            case "picture":
                if value["image"] and (picture := scaled(value["image"])):
                    yield BlockContent(
                        **known,
                        picture=picture.sha256,
                        width=picture.width,
                        height=picture.height,
                        alt=one_line(value["alt"]),
                        words=one_line(value["caption"]),
                        url=_web_address(value["link"]),
                    )
            case "event":
                yield BlockContent(
                    **known,
                    heading=one_line(value["title"]),
                    words=paragraphs(value["text"]),
                    place=one_line(value["place"]),
                    starts=_iso(value["starts"]),
                    ends=_iso(value["ends"]),
                    url=_web_address(value["link"]),
                )
            case "action":
                yield BlockContent(
                    **known,
                    heading=one_line(value["heading"]),
                    words=paragraphs(value["text"]),
                    label=one_line(value["label"]),
                    url=_web_address(value["link"]),
                )
            case "poll":
                yield BlockContent(
                    **known,
                    heading=one_line(value["question"]),
                    words=paragraphs(value["text"]),
                    ends=value["closes"].isoformat() if value["closes"] else "",
                    url=_web_address(value["link"]),
                )


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def _web_address(written: str | None) -> str:
    written = (written or "").strip()
    return written if written.lower().startswith(("http://", "https://")) else ""
