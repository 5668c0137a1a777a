"""A post's HTML as a tree: read within limits, whatever it holds."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Any

from lxml import etree
from lxml.html import HtmlElement, HTMLParser

_SHORTCODES = re.compile(
    r"\[/?(?:caption|gallery|embed|audio|video|playlist|vc_\w+|et_pb_\w+|fusion_\w+|av_\w+|"
    r"contact-form-7|wpforms|sharethis\w*|su_\w+|elementor\w*|rev_slider\w*|dropcap)\b[^\[\]]{0,1000}\]",
    re.IGNORECASE,
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-f]{1,8})|(\d{1,9}));?", re.IGNORECASE)
_MAX_TAGS = 15_000


def _parser() -> HTMLParser:
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    # One class for all elements: lxml.html's own look-up is a call of Python for each of them.
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))
    return parser


_PARSER = _parser()


def new_element(tag: str, text: str = "") -> HtmlElement:
    element: HtmlElement = _PARSER.makeelement(tag)
    element.text = text or None
    return element


def read_tree(html: str, *, max_chars: int, max_depth: int) -> HtmlElement:
    """A body element; what is longer or deeper than allowed is cut off."""
    if len(html) > max_chars:
        html = html[:max_chars].rsplit("<", 1)[0]
    html = _without_comments(html)
    # lxml walks siblings one by one: what takes a moment for a post takes minutes for a bomb.
    for sign, most in (("<", _MAX_TAGS), ("&", 4 * _MAX_TAGS)):
        if html.count(sign) > most:
            html = html[: next(islice(re.finditer(sign, html), most, None)).start()]
    if "[" in html:
        html = _SHORTCODES.sub(" ", html)
    html = _CONTROL.sub("", html)
    if "&#" in html:
        html = _REFERENCE.sub(_valid_reference, html)
    document = f"<html><body>{html}</body></html>".encode("utf-8", "replace")
    try:
        root = etree.fromstring(document, _PARSER)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return new_element("body")
    body: HtmlElement | None = root.find("body") if root is not None else None
    if body is None:
        return new_element("body")
    _cap_depth(body, max_depth)
    return body


def _valid_reference(found: re.Match[str]) -> str:
    """Nothing for a reference to what XML cannot hold ("&#12;"), which lxml would choke on."""
    code = int(found[1], 16) if found[1] else int(found[2])
    return found[0] if code <= 0x10FFFF and not _CONTROL.match(chr(code)) else ""


def _without_comments(html: str) -> str:
    if "<!--" not in html:
        return html
    pieces: list[str] = []
    position = 0
    while (start := html.find("<!--", position)) >= 0:
        pieces.append(html[position:start])
        end = html.find("-->", start + 4)
        if end < 0:
            return "".join(pieces)
        position = end + 3
    return "".join(pieces) + html[position:]


@lru_cache(maxsize=4)
def _deeper_than(depth: int) -> Any:
    return etree.XPath(f"boolean({'/'.join('*' * depth)})")


def _cap_depth(body: HtmlElement, max_depth: int) -> None:
    if not _deeper_than(max_depth)(body):
        return
    depth = {body: 0}
    for element in list(body.iter()):
        if element is body:
            continue
        parent = element.getparent()
        level = depth.get(parent, max_depth) + 1
        depth[element] = level
        if level == max_depth:
            text = str(element.text_content())
            for child in list(element):
                element.remove(child)
            element.text = text
