"""Lists of feeds as feed readers exchange them (http://opml.org/spec2.opml)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from lxml import etree

from newsletter import conf
from newsletter.exceptions import FeedInvalid
from newsletter.feeds.connection import is_allowed
from newsletter.feeds.discovery import is_comments
from newsletter.feeds.models import Feed, host_of
from newsletter.feeds.wellformed import decode

LARGEST_FILE = 5_000_000  # bytes; 5,000 feeds with long names are 2 MB
MOST_FEEDS = 5_000
LONGEST_ADDRESS = 1_000  # what Feed holds
LONGEST_TITLE = 255


@dataclass(frozen=True)
class Outline:
    url: str
    title: str
    site_url: str


@dataclass(frozen=True)
class Refusal:
    url: str
    title: str
    reason: str


@dataclass(frozen=True)
class Imported:
    added: tuple[Outline, ...]
    known: tuple[Outline, ...]
    refused: tuple[Refusal, ...]


def read_opml(body: bytes) -> list[Outline]:
    """The feeds of an OPML file, each once, folders flattened. Raises FeedInvalid."""
    if len(body) > LARGEST_FILE:
        raise FeedInvalid("too_large", too_large())
    text = re.sub(r"^\s*<\?xml.*?\?>", "", decode(body), count=1, flags=re.DOTALL)
    if "<!ENTITY" in text:
        # No reader writes them; they can make a small file as large as the memory.
        raise FeedInvalid(
            "not_opml", _("This file defines entities, which no list of feeds needs: not read.")
        )
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
            title = (said.get("title") or said.get("text", ""))[:LONGEST_TITLE]
            found.setdefault(_bare(url), Outline(url, title, said.get("htmlurl", "")))
    if len(found) > MOST_FEEDS:
        raise FeedInvalid(
            "too_many",
            _("This file lists %(count)d feeds; at most %(most)d are read at once. Split it.")
            % {"count": len(found), "most": MOST_FEEDS},
        )
    return list(found.values())


def too_large() -> str:
    return _("This file is larger than %(limit)d MB: it is no list of feeds.") % {
        "limit": LARGEST_FILE // 1_000_000
    }


def _nothing_against(url: str) -> str:
    return ""


def sort_out(
    outlines: Iterable[Outline], *, against: Callable[[str], str] = _nothing_against
) -> Imported:
    """What of these would be added, what is there already, and what cannot be, with the reason.

    `against` has a reason for an address that only the stages above know to be no source.
    """
    there = {_bare(url) for url in Feed.objects.values_list("url", flat=True)}
    added: list[Outline] = []
    known: list[Outline] = []
    refused: list[Refusal] = []
    for outline in outlines:
        if _bare(outline.url) in there:
            known.append(outline)
        elif reason := _why_not(outline.url) or against(outline.url):
            refused.append(Refusal(outline.url, outline.title, reason))
        else:
            added.append(outline)
    return Imported(tuple(added), tuple(known), tuple(refused))


def add_feeds(outlines: Iterable[Outline], *, now: datetime) -> None:
    """They are polled at the next tick."""
    for outline in outlines:
        Feed.objects.get_or_create(
            url=outline.url,
            defaults={
                "title": outline.title,
                "site_url": outline.site_url if not _why_not(outline.site_url) else "",
                "next_poll_at": now,
            },
        )


def import_opml(
    body: bytes,
    *,
    now: datetime,
    dry_run: bool = False,
    against: Callable[[str], str] = _nothing_against,
) -> Imported:
    """Add the feeds of the file that are not there yet."""
    result = sort_out(read_opml(body), against=against)
    if not dry_run:
        add_feeds(result.added, now=now)
    return result


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


def _bare(url: str) -> str:
    """The address without what makes no difference: its scheme and a slash at the end."""
    return re.sub(r"^https?://", "", url.strip(), flags=re.IGNORECASE).rstrip("/")


def _why_not(url: str) -> str:
    if not re.match(r"https?://[^\s/]+", url, re.IGNORECASE) or not (host := host_of(url)):
        return _("not a web address")
    if len(url) > LONGEST_ADDRESS:
        return _("the address is too long")
    try:
        if not is_allowed(host, host.strip("[]"), conf.get("ALLOW_PRIVATE_FEED_HOSTS")):
            return _("a private address")
    except ValueError:  # a name: where it leads is looked at when it is fetched
        pass
    if is_comments(url):
        return _("a feed of comments")
    return ""
