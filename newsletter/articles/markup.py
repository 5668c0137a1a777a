"""The tree of a post: read within limits, rid of clutter, flattened to blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from itertools import islice

import lxml.html
from lxml import etree
from lxml.html import HtmlElement

from newsletter.articles.canonical_url import without_tracking
from newsletter.articles.embeds import name_of, readable_address, source_of
from newsletter.articles.images import is_decoration, is_pixel, real_source

Resolve = Callable[[str], str]

_DROPPED = {
    "script", "style", "link", "meta", "title", "head", "form", "input", "button", "select",
    "textarea", "canvas", "template", "svg", "math", "map", "nav", "dialog", "base", "applet",
    "frame", "frameset", "option", "datalist", "source", "track", "param", "noframes", "marquee",
}  # fmt: skip
_PLAYERS = {"iframe", "video", "audio", "embed", "object", "amp-youtube", "amp-iframe"}
_CONTAINERS = {
    "div", "section", "article", "main", "center", "header", "footer", "aside", "body", "html",
    "details", "fieldset", "address", "hgroup", "search", "noscript",
}  # fmt: skip
_BLOCKS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre",
    "figure", "hr",
}  # fmt: skip
# Classes and ids that WordPress, its usual plugins and other systems give to what is no text.
_CLUTTER = re.compile(
    r"(?:^|\s)(?:sharedaddy|sd-(?:sharing|block|like|rating)\S*|jp-relatedposts\S*|jetpack-likes\S*|"
    r"wpcnt|addtoany\S*|a2a_\S*|addthis\S*|at-(?:above|below)-post\S*|share-?(?:buttons?|bar|this|links?|post)\S*|"
    r"social-?(?:share|sharing|buttons?|links?|icons?)\S*|ssba\S*|essb\S*|heateor\S*|the_champ\S*|"
    r"shareaholic\S*|sociable\S*|ss-inline-share\S*|mashsb\S*|dpsp\S*|swp_\S*|simplesocialbuttons\S*|"
    r"related-?posts?\S*|relatedposts\S*|yarpp\S*|crp_related\S*|rp4wp\S*|wp-block-jetpack-related\S*|"
    r"zem_rp\S*|wp_rp\S*|ez-toc\S*|lwptoc\S*|toc_container|feedflare|post-views\S*|"
    r"wp-block-jetpack-(?:sharing|like|subscriptions)\S*|jetpack_subscription\S*|mc4wp\S*|mailpoet\S*|"
    r"wp-block-social-links|wp-block-buttons--share|wp-polls\S*|sr-only|screen-reader-text|"
    r"author-?box\S*|saboxplugin\S*|printfriendly|pf-button\S*|wpdiscuz\S*|fb-like|fb-share-button|"
    r"twitter-share-button|adsbygoogle|advert\S*|code-block|cookie-?(?:notice|banner)\S*)(?=\s|$)",
    re.IGNORECASE,
)
_SHARES = re.compile(
    r"facebook\.com/(?:sharer|share\.php|dialog)|(?:twitter|x)\.com/(?:intent|share|home\?status)|"
    r"linkedin\.com/(?:shareArticle|sharing)|(?:wa\.me/\?|(?:api|web)\.whatsapp\.com/send|whatsapp://)|"
    r"(?:t\.me|telegram\.me)/share|pinterest\.[a-z.]+/pin/create|reddit\.com/submit|tumblr\.com/share|"
    r"threads\.net/intent|bsky\.app/intent|mastodonshare|[?&]share=(?:facebook|twitter|x|email|"
    r"linkedin|whatsapp|telegram|pinterest|print|tumblr|reddit|jetpack-)|addtoany\.com|"
    r"feeds\.wordpress\.com/1\.0/go|^mailto:\?",
    re.IGNORECASE,
)
_SHARE_HINTS = (
    "share", "sharing", "Share", "intent", "dialog", "status", "wa.me", "whatsapp", "pin/create",
    "submit", "addtoany", "1.0/go", "mailto:?",
)  # fmt: skip
_SHORTCODES = re.compile(
    r"\[/?(?:caption|gallery|embed|audio|video|playlist|vc_\w+|et_pb_\w+|fusion_\w+|av_\w+|"
    r"contact-form-7|wpforms|sharethis\w*|su_\w+|elementor\w*|rev_slider\w*|dropcap)\b[^\[\]]{0,1000}\]",
    re.IGNORECASE,
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-f]{1,8})|(\d{1,9}));?", re.IGNORECASE)
_BLANKS = "\xa0 \t\r\n\u200b"
_MAX_TAGS = 15_000
_MAX_IMAGES = 500
_MORE = re.compile(
    r"^\W*(?:\(?(?:more|continua|segue)[…. ]*\)?|"
    r"leggi\s+(?:tutto|l['’]articolo.*|di\s+più|il\s+resto.*)|"
    r"continua\s+a\s+leggere.*|continue\s+reading.*|read\s+(?:more|the\s+rest.*)|weiterlesen.*|"
    r"lire\s+la\s+suite.*|(?:seguir|sigue)\s+leyendo.*)\W*$",
    re.IGNORECASE,
)


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
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    document = f"<html><body>{html}</body></html>".encode("utf-8", "replace")
    try:
        root = lxml.html.document_fromstring(document, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return lxml.html.Element("body")
    body = root.find("body")
    if body is None:
        return lxml.html.Element("body")
    _cap_depth(body, max_depth)
    return body


def tidy(body: HtmlElement, resolve: Resolve) -> None:
    """Remove what is no text, turn embeds into links, make addresses absolute. In place."""
    images = 0
    for element in list(body.iter()):
        tag = element.tag
        if element is body or element.getparent() is None:
            continue
        if not isinstance(tag, str) or tag in _DROPPED:
            element.drop_tree()
            continue
        marks = f"{element.get('class', '')} {element.get('id', '')}"
        if len(marks) > 1 and is_clutter(marks):
            element.drop_tree()
        elif tag in _PLAYERS:
            _replace_by_link(element, resolve)
        elif tag == "img":
            images += 1
            if images > _MAX_IMAGES:
                element.drop_tree()
            else:
                _tidy_image(element, resolve)
        elif tag == "a":
            _tidy_link(element, resolve)
        elif tag == "h1":
            element.tag = "h2"  # the title is the only first heading
        elif tag == "noscript":
            # The image that a lazy loader would put in; its stand-in was resolved already.
            before = element.getprevious()
            if element.find(".//img") is None or (before is not None and before.tag == "img"):
                element.drop_tree()
        elif "font-size:0" in (style := element.get("style", "").replace(" ", "")) or (
            "display:none" in style
        ):
            element.drop_tree()


@lru_cache(maxsize=4096)
def is_clutter(marks: str) -> bool:
    """Whether these classes and ids are those of a share bar, a related-posts box and the like."""
    return bool(_CLUTTER.search(marks))


def blocks_of(body: HtmlElement) -> list[HtmlElement]:
    """The text as a flat list of blocks: containers unwrapped, loose text in paragraphs."""
    found: list[HtmlElement] = []
    _collect(body, found)
    blocks: list[HtmlElement] = []
    for block in found:
        if block.tag in {"blockquote", "ul", "ol", "table", "dl", "figure"}:
            _unwrap_inside(block)
        for piece in _split_at_double_breaks(block) if block.tag == "p" else [block]:
            _drop_empty(piece)
            _trim(piece)
            if piece.tag == "hr" or has_content(piece):
                blocks.append(piece)
    while blocks and blocks[-1].tag == "hr":
        blocks.pop()
    while blocks and blocks[0].tag == "hr":
        blocks.pop(0)
    return blocks


def has_content(element: HtmlElement) -> bool:
    for text in element.itertext():
        if text.strip(_BLANKS):
            return True
    return next(element.iter("img"), None) is not None


def _collect(container: HtmlElement, found: list[HtmlElement]) -> None:
    run = _paragraph()

    def end_run() -> None:
        nonlocal run
        if has_content(run):
            found.append(run)
        run = _paragraph()

    _append_text(run, container.text)
    for child in list(container):
        tail, child.tail = child.tail, None
        if child.tag in _CONTAINERS:
            end_run()
            _collect(child, found)
        elif child.tag in _BLOCKS:
            end_run()
            found.append(child)
        elif child.tag in {"span", "font", "a", "b", "strong", "em", "i", "ins", "tbody"} and (
            any(inner.tag in _BLOCKS or inner.tag in _CONTAINERS for inner in child.iter())
        ):
            # A block within an inline element: broken, common; the block wins.
            end_run()
            _collect(child, found)
        else:
            run.append(child)
        _append_text(run, tail)
    end_run()


def _paragraph() -> HtmlElement:
    element: HtmlElement = lxml.html.Element("p")
    return element


def _append_text(element: HtmlElement, text: str | None) -> None:
    if not text:
        return
    last = next(element.iterchildren(reversed=True), None)  # len() would count them all
    if last is not None:
        last.tail = (last.tail or "") + text
    else:
        element.text = (element.text or "") + text


def _split_at_double_breaks(block: HtmlElement) -> list[HtmlElement]:
    """ "a<br><br>b" is how some editors write two paragraphs."""
    if next(block.iterchildren("br"), None) is None:
        return [block]
    pieces = [_paragraph()]
    pieces[0].text = block.text
    children = list(block)
    for number, child in enumerate(children):
        is_second = (
            child.tag == "br"
            and number
            and children[number - 1].tag == "br"
            and not (children[number - 1].tail or "").strip()
        )
        tail = child.tail
        if is_second:
            pieces.append(_paragraph())
            pieces[-1].text = tail
            continue
        child.tail = None
        pieces[-1].append(child)
        _append_text(pieces[-1], tail)
    for piece in pieces:
        while (last := next(piece.iterchildren(reversed=True), None)) is not None:
            if last.tag != "br" or (last.tail or "").strip():
                break
            piece.remove(last)
        while (first := next(piece.iterchildren(), None)) is not None:
            if first.tag != "br" or (piece.text or "").strip():
                break
            piece.text = (piece.text or "") + (first.tail or "")
            first.tail = None
            piece.remove(first)
    return pieces


def _unwrap_inside(block: HtmlElement) -> None:
    for element in list(block.iter()):
        if element is block or element.tag not in _CONTAINERS:
            continue
        if any(child.tag in _BLOCKS or child.tag in _CONTAINERS for child in element):
            element.drop_tag()
        else:
            element.tag = "p"


def _drop_empty(block: HtmlElement) -> None:
    for element in reversed(list(block.iter("p", "li", "span", "strong", "em", "b", "i", "a",
                                            "h2", "h3", "h4", "h5", "h6", "blockquote",
                                            "figcaption", "figure", "ul", "ol"))):  # fmt: skip
        if element is block or element.getparent() is None or has_content(element):
            continue
        element.drop_tag() if str(element.text_content()) else element.drop_tree()


def _trim(block: HtmlElement) -> None:
    """No white space at the edges of a paragraph."""
    if block.tag not in {"p", "h2", "h3", "h4", "h5", "h6"}:
        return
    block.text = (block.text or "").lstrip() or None
    last = next(block.iterchildren(reversed=True), None)
    if last is None:
        block.text = (block.text or "").rstrip()
    else:
        last.tail = (last.tail or "").rstrip() or None


def _tidy_image(image: HtmlElement, resolve: Resolve) -> None:
    source = resolve(real_source(image))
    alt = re.sub(r"\s+", " ", image.get("alt") or "").strip()
    if is_decoration(image, source):
        parent = image.getparent()
        letter = alt if len(alt) <= 4 else ""
        image.tail = letter + (image.tail or "")
        if parent is not None:
            image.drop_tree()
        return
    if not source or is_pixel(image, source):
        image.drop_tree()
        return
    for name in list(image.attrib):
        if name not in {"width", "height", "title"}:
            del image.attrib[name]
    image.set("src", source)
    image.set("alt", alt[:500])


def _is_share(href: str) -> bool:
    # The words first: the pattern's many alternatives cost more than all else done to a link.
    return any(hint in href for hint in _SHARE_HINTS) and bool(_SHARES.search(href))


def _tidy_link(link: HtmlElement, resolve: Resolve) -> None:
    href = (link.get("href") or "").strip()
    if not href:
        return
    if _is_share(href) or "more-link" in link.get("class", ""):
        link.drop_tree()
        return
    text = "".join(link.itertext())
    if len(text) < 120 and _MORE.match(text):
        link.drop_tree()
        return
    if href.startswith("#"):
        # A jump within the page leads nowhere in a mail.
        del link.attrib["href"]
        return
    resolved = resolve(href)
    if resolved:
        link.set("href", without_tracking(resolved))
    else:
        del link.attrib["href"]


def _replace_by_link(player: HtmlElement, resolve: Resolve) -> None:
    address = readable_address(resolve(source_of(player)))
    parent = player.getparent()
    if not address or parent is None:
        player.drop_tree()
        return
    paragraph = _paragraph() if parent.tag in _CONTAINERS or parent.tag == "figure" else None
    link: HtmlElement = lxml.html.Element("a")
    link.set("href", address)
    link.text = name_of(address, player.get("title") or "")
    replacement = link
    if paragraph is not None:
        paragraph.append(link)
        replacement = paragraph
    replacement.tail = player.tail
    parent.replace(player, replacement)


def copy_of(element: HtmlElement) -> HtmlElement:
    copied: HtmlElement = deepcopy(element)
    return copied


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


def _cap_depth(body: HtmlElement, max_depth: int) -> None:
    if not etree.XPath(f"boolean({'/'.join('*' * max_depth)})")(body):
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
