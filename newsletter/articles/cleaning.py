"""The publisher's HTML → text that is safe to show, and what it says of its origin."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from urllib.parse import urljoin, urlsplit

import nh3
from lxml import etree
from lxml.html import HtmlElement

from newsletter import conf
from newsletter.articles.attribution import Source, read_paper, read_source_line
from newsletter.articles.blocks import blocks_of, copy_of, has_content
from newsletter.articles.canonical_url import without_tracking
from newsletter.articles.footers import Post, take_footer
from newsletter.articles.markup import read_tree, whole_text
from newsletter.articles.noise import (
    beginning,
    is_noise,
    without_contents,
    without_related,
    without_title,
)
from newsletter.articles.tidying import tidy

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Absolute already, and nothing in it to resolve: most addresses, without the cost of parsing.
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::\d+)?(?:/(?!\.)[^\\\x00-\x20\x7f]*)?\Z")
# What is left of a jump within the page.
_NOWHERE = re.compile(r'<a rel="noopener">(.*?)</a>', re.DOTALL)
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "dfn", "dl",
    "dt", "em", "figcaption", "figure", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins",
    "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "strong", "sub", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}


@dataclass(frozen=True)
class Cleaned:
    html: str
    text: str  # plain, blocks on lines of their own
    attribution_title: str = ""
    attribution_url: str = ""
    original_author: str = ""
    original_source: str = ""
    original_date: date | None = None
    original_url: str = ""
    image_url: str = ""
    image_alt: str = ""


def clean(
    html: str,
    *,
    base_url: str,
    entry_url: str,
    site_url: str,
    title: str = "",
    text_only: bool = False,
) -> Cleaned:
    """Safe HTML with absolute addresses, without clutter, footer and source line.

    What footer and source line say is kept in the fields; `text_only` leaves `html` empty, for a
    summary beside the full text. Never raises on bad HTML: what cannot
    be read is left out.
    """

    def resolve(address: str) -> str:
        return _absolute(address, base_url or entry_url or site_url)

    body = read_tree(
        html,
        max_chars=int(conf.get("MAX_ENTRY_BYTES")),
        max_depth=int(conf.get("MAX_ENTRY_DEPTH")),
    )
    tidy(body, resolve)
    beginnings = {block: beginning(block) for block in blocks_of(body)}
    blocks = [block for block, text in beginnings.items() if not is_noise(block, text, entry_url)]
    blocks = without_contents(without_title(blocks, title))
    post = Post(entry_url, site_url, title)
    site_title, site_href, footer = take_footer(blocks, post)
    blocks = [block for block in blocks if block not in footer and has_content_or_rule(block)]
    blocks = without_related(blocks, beginnings, entry_url)
    source, blocks = _take_source(blocks)
    image_url, image_alt = _first_image(blocks)
    return Cleaned(
        html="" if text_only else _safe(_markup(blocks)),
        text="\n".join(filter(None, map(_block_text, blocks))),
        attribution_title=site_title[:255],
        attribution_url=_web(site_href),
        original_author=source.author,
        original_source=source.source,
        original_date=source.day,
        original_url=_web(without_tracking(source.url)),
        image_url=_web(image_url),
        image_alt=image_alt,
    )


def has_content_or_rule(block: HtmlElement) -> bool:
    return block.tag == "hr" or has_content(block)


def _markup(blocks: list[HtmlElement]) -> str:
    return "".join(
        etree.tostring(block, encoding="unicode", method="html", with_tail=False)
        for block in blocks
    )


def _safe(markup: str) -> str:
    # Last, so that nothing after the sanitiser can undo it; only tags go after it. Depth and size
    # are capped by now: nh3 is quadratic in the depth.
    html = nh3.clean(
        markup,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener",
        strip_comments=True,
    ).strip()
    return _NOWHERE.sub(r"\1", html) if '<a rel="noopener">' in html else html


def _absolute(address: str, base: str) -> str:
    if _PLAIN.match(address):
        return address
    address = _CONTROL.sub("", address).strip().replace(" ", "%20")
    if not address:
        return ""
    try:
        found = urljoin(base, address)
        parts = urlsplit(found)
    except ValueError:
        return ""
    if parts.scheme in {"mailto", "tel"}:
        return found
    return found if parts.scheme in {"http", "https"} and parts.hostname else ""


def _web(address: str) -> str:
    return address[:2000] if address.startswith(("http://", "https://")) else ""


def _take_source(blocks: list[HtmlElement]) -> tuple[Source, list[HtmlElement]]:
    """The source line, at the start or at the end, and the blocks without it."""
    with_text = list(islice((n for n, block in enumerate(blocks) if beginning(block)), 2))
    for number in with_text:
        if source := _source_in_first_line(blocks[number]):
            return source, blocks
        if len(with_text) == 1:
            break  # the line is all there is to read
        if source := _source_in_caption(blocks[number]):
            return source, [block for block in blocks if has_content_or_rule(block)]
        if blocks[number].find(".//img") is None and (source := read_source_line(blocks[number])):
            rest = blocks[number + 1 :]
            if rest[1:] and not (source.source or source.day) and (paper := read_paper(rest[0])):
                source = replace(paper, author=source.author, url=source.url or paper.url)
                rest = rest[1:]
            return source, blocks[:number] + rest
    backwards = (n for n in range(len(blocks) - 1, 0, -1) if beginning(blocks[n]))
    for number in islice(backwards, 2 if len(with_text) > 1 else 0):
        block = blocks[number]
        if block.find(".//img") is None and (source := read_source_line(block, last=True)):
            return source, blocks[:number] + blocks[number + 1 :]
    return Source(), blocks


def _source_in_caption(block: HtmlElement) -> Source | None:
    """A dated source line under a picture; without a date it is the picture's."""
    caption = block.find(".//figcaption")
    if caption is None or not (source := read_source_line(caption)) or source.day is None:
        return None
    caption.getparent().remove(caption)
    return source


def _source_in_first_line(block: HtmlElement) -> Source | None:
    """ "(Fonte) NAME – DATE<br>The text…": cuts the line from the block when it is one."""
    line_break = next((child for child in block if child.tag == "br"), None)
    if line_break is None or block.tag != "p":
        return None
    line = copy_of(block)
    end = block.index(line_break)
    for child in list(line)[end:]:
        line.remove(child)
    source = read_source_line(line)
    if source is None:
        return None
    block.text = line_break.tail
    for child in list(block)[: end + 1]:
        child.tail = None
        block.remove(child)
    return source


def _first_image(blocks: list[HtmlElement]) -> tuple[str, str]:
    for block in blocks:
        for image in block.iter("img"):
            width = image.get("width", "")
            if not (width.isdecimal() and int(width) < 100):
                return image.get("src", ""), image.get("alt", "")
    return "", ""


_LINES = {"p", "li", "tr", "br", "h2", "h3", "h4", "h5", "h6", "blockquote", "dd", "dt",
          "figcaption", "caption", "pre", "hr"}  # fmt: skip
_BREAKING = _LINES | {"td", "th"}


def _block_text(block: HtmlElement) -> str:
    if not any(element.tag in _BREAKING for element in block.iterdescendants()):
        return " ".join(whole_text(block).split())
    pieces: list[str] = []
    for event, element in etree.iterwalk(block, events=("start", "end")):
        if event == "start":
            if element.tag in _LINES:
                pieces.append("\n")
            elif element.tag in {"td", "th"}:
                pieces.append(" ")
            pieces.append(element.text or "")
        elif element is not block:
            if element.tag in _LINES:
                pieces.append("\n")
            pieces.append(element.tail or "")
    lines = "".join(pieces).split("\n")
    lines = [" ".join(line.split()) for line in lines]
    return "\n".join(filter(None, lines))
