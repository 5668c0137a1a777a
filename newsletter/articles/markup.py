"""A post's HTML as a tree: read within limits, whatever it holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import unescape
from itertools import islice
from typing import Any

from lxml import etree
from lxml.html import HtmlElement, HTMLParser

# By names that are no word, and a few of WordPress's own: "[sociale]" is an editor's addition.
_SHORTCODES = re.compile(
    r"\[/?(?:vc_\w+|et_pb_\w+|fusion_\w+|av_\w+|su_\w+|wp_\w+|ngg_?\w*|nggallery|mc4wp_form|"
    r"elementor[\w-]*|rev_slider\w*|sharethis[\w-]*|jetpack[_-]\w+|one_(?:half|third|fourth)\w*|"
    r"two_third\w*|contact-form(?:-7)?|wpforms|forminator_\w+|gravityform|adrotate|embedyt|wpvideo|"
    r"powerpress|smartslider3|pdf-embedder|dflip|googlemaps?)(?:\s[^\[\]]{0,3000})?/?\]|"
    r"\[/?(?:caption|gallery|embed|playlist|toc|dropcap)(?:\s+[\w-]+=[^\[\]]{0,3000})?\s*/?\]",
    re.IGNORECASE,
)
_QUOTE = r"(?:[\"'“”‘’″′«»]|&(?:quot|#0?3[49]|#82(?:16|17|20|21|42|43));)"
# '[box type="shadow"]', of whatever plugin; not '[href="x"]', which is CSS.
_SHORTCODE_WITH_WORDS = re.compile(
    rf"\[/?[a-z][\w-]{{1,40}}\s[^\[\]]{{0,200}}?=\s*{_QUOTE}[^\[\]]{{0,3000}}\]", re.IGNORECASE
)
_CLOSING = re.compile(r"\[/([a-z][\w-]{1,30})\]", re.IGNORECASE)
_CAPTION = re.compile(
    r"\[(?:wp_)?caption[^\[\]]{0,3000}\]\s*((?:<a\b[^<>]{0,2000}>\s*)?<img\b[^<>]{0,4000}>(?:\s*</a>)?)"
    r"([^\[\]]{0,3000})\[/(?:wp_)?caption\]",
    re.IGNORECASE,
)
_ADDRESS = r"https?://(?:&(?:amp|#0?38);|[^\s\[\]<>\"'“”‘’″′«»&]){4,500}"
_EMBEDDED = re.compile(
    r"\[(embed|youtube|embedyt|vimeo|video|audio|soundcloud|spotify|tweet|twitter|instagram|facebook|"
    rf"embedplusvideo)\b[^\[\]]{{0,600}}?({_ADDRESS})[^\[\]]{{0,1000}}\](?:\s*\[/\1\])?|"
    rf"\[(embed|youtube|embedyt|video|audio)\b[^\[\]]{{0,600}}\]\s*({_ADDRESS})\s*\[/\3\]",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z]", re.IGNORECASE)
_ESCAPED_TAG = re.compile(r"&lt;(?:/(?:p|div|a|strong|em|b|i|h[1-6]|li)|br ?/?)&gt;", re.IGNORECASE)
# "&amp;#8217;", "&amp;egrave;": not "&amp;lt;", which may be meant.
_ESCAPED_TWICE = re.compile(
    r"&amp;(#\d{1,6}|#x[0-9a-f]{1,5}|nbsp|hellip|[lr][sd]quo|[lr]aquo|[mn]dash|euro|bull|middot|deg|"
    r"[a-z](?:grave|acute|circ|uml|tilde|cedil|ring)|szlig|aelig|oslash|ccedil);",
    re.IGNORECASE,
)
_CODE = re.compile(r"<(pre|code)\b", re.IGNORECASE)
_CODE_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("pre", "code")}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])
_REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,8})|(\d{1,9}));?", re.IGNORECASE)
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
    if "[" in html or "&amp;" in html or "&lt;" in html:
        html = _outside_code(html, _mended)
    data = _without_control(html)
    if b"&#" in data:
        data = _REFERENCE.sub(_valid_reference, data)
    try:
        root = etree.fromstring(b"<html><body>%b</body></html>" % data, _PARSER)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return new_element("body")
    body: HtmlElement | None = root.find("body") if root is not None else None
    if body is None:
        return new_element("body")
    _cap_depth(body, max_depth)
    return body


def _outside_code(html: str, change: Callable[[str], str]) -> str:
    pieces: list[str] = []
    position = 0
    while opening := _CODE.search(html, position):
        closing = _CODE_ENDS[opening[1].lower()].search(html, opening.end())
        end = closing.start() if closing else len(html)
        pieces += [change(html[position : opening.start()]), html[opening.start() : end]]
        position = end
    return "".join([*pieces, change(html[position:])])


def _mended(html: str) -> str:
    """Without what WordPress's plugins left unread, and escaped once."""
    if "&lt;" in html and not _TAG.search(html) and _ESCAPED_TAG.search(html):
        html = unescape(html)
    if "&amp;" in html:
        html = _ESCAPED_TWICE.sub(r"&\1;", html)
    return _shortcodes_gone(html)


def _shortcodes_gone(html: str) -> str:
    if "[" not in html:
        return html
    html = _CAPTION.sub(r"<figure>\1<figcaption>\2</figcaption></figure>", html)
    html = _EMBEDDED.sub(lambda found: f"<p>{found[2] or found[4]}</p>", html)
    html = _SHORTCODES.sub(" ", html)
    html = _SHORTCODE_WITH_WORDS.sub(" ", html)
    for name in sorted({found[1] for found in islice(_CLOSING.finditer(html), 200)})[:20]:
        html = re.sub(rf"\[/?{re.escape(name)}(?:\s[^\[\]]{{0,1000}})?\]", " ", html)
    return html


def whole_text(element: HtmlElement) -> str:
    """All text within, without a call of Python for each piece of it."""
    text: str = etree.tostring(element, method="text", encoding="unicode", with_tail=False)
    return text


def _without_control(html: str) -> bytes:
    """UTF-8 without what XML cannot hold. On bytes: a pattern would look at each letter."""
    data = html.encode("utf-8", "ignore").translate(None, _CONTROL_BYTES)
    return data.replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")


def _valid_reference(found: re.Match[bytes]) -> bytes:
    """Nothing for a reference to what XML cannot hold ("&#12;"), which lxml would choke on."""
    code = int(found[1], 16) if found[1] else int(found[2])
    return found[0] if code <= 0x10FFFF and not _CONTROL.match(chr(code)) else b""


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
