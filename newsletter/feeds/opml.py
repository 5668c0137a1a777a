"""Lists of feeds as feed readers exchange them (http://opml.org/spec2.opml)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from lxml import etree

from newsletter.exceptions import FeedInvalid
from newsletter.feeds.models import Feed
from newsletter.feeds.wellformed import decode

_MOST_FEEDS = 5_000


@dataclass(frozen=True)
class Outline:
    url: str
    title: str
    site_url: str


@dataclass(frozen=True)
class Imported:
    added: tuple[Outline, ...]
    known: tuple[Outline, ...]
    refused: tuple[Outline, ...]  # not a web address, or too long


def read_opml(body: bytes) -> list[Outline]:
    """The feeds of an OPML file, each once, folders flattened. Raises FeedInvalid."""
    text = re.sub(r"^\s*<\?xml.*?\?>", "", decode(body), count=1, flags=re.DOTALL)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or root.tag != "opml":
        raise FeedInvalid("not_opml", _("This is not an OPML file: export it again as OPML."))
    found: dict[str, Outline] = {}
    for element in root.iter("outline"):
        said = {name.lower(): value.strip() for name, value in element.attrib.items()}
        if url := said.get("xmlurl", ""):
            title = said.get("title") or said.get("text", "")
            found.setdefault(url, Outline(url, title, said.get("htmlurl", "")))
    return list(found.values())[:_MOST_FEEDS]


def import_opml(body: bytes, *, now: datetime, dry_run: bool = False) -> Imported:
    """Add the feeds of the file that are not there yet; they are polled at the next tick."""
    outlines = read_opml(body)
    there = set(
        Feed.objects.filter(url__in=[outline.url for outline in outlines]).values_list(
            "url", flat=True
        )
    )
    refused = tuple(o for o in outlines if not _is_web_address(o.url))
    known = tuple(o for o in outlines if o.url in there)
    added = tuple(o for o in outlines if o.url not in there and o not in refused)
    if not dry_run:
        for outline in added:
            Feed.objects.create(
                url=outline.url,
                title=outline.title[:255],
                site_url=outline.site_url if _is_web_address(outline.site_url) else "",
                next_poll_at=now,
            )
    return Imported(added, known, refused)


def export_opml(feeds: Iterable[Feed], *, title: str) -> bytes:
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    for feed in feeds:
        name = str(feed)
        outline = etree.SubElement(body, "outline", type="rss", text=name, title=name)
        outline.set("xmlUrl", feed.url)
        if feed.site_url:
            outline.set("htmlUrl", feed.site_url)
    data: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
    return data


def _is_web_address(url: str) -> bool:
    return bool(re.match(r"https?://[^\s/]+", url, re.IGNORECASE)) and len(url) <= 1000
