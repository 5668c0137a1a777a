"""The tree of a post as a flat list of blocks."""

from __future__ import annotations

from copy import deepcopy

from lxml.html import HtmlElement

from newsletter.articles.markup import new_element

CONTAINERS = {
    "div", "section", "article", "main", "center", "header", "footer", "aside", "body", "html",
    "details", "fieldset", "address", "hgroup", "search", "noscript",
}  # fmt: skip
_BLOCKS = {
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre",
    "figure", "hr",
}  # fmt: skip
_BLANKS = "\xa0 \t\r\n\u200b"


def blocks_of(body: HtmlElement) -> list[HtmlElement]:
    """The text as a flat list of blocks: containers unwrapped, loose text in paragraphs."""
    found: list[HtmlElement] = []
    _drop_empty(body)
    _collect(body, found)
    blocks: list[HtmlElement] = []
    for block in found:
        if block.tag in {"blockquote", "ul", "ol", "table", "dl", "figure"}:
            _unwrap_inside(block)
        for piece in _split_at_double_breaks(block) if block.tag == "p" else [block]:
            _trim(piece)
            if piece.tag == "hr" or has_content(piece):
                blocks.append(piece)
    while blocks and blocks[-1].tag == "hr":
        blocks.pop()
    while blocks and blocks[0].tag == "hr":
        blocks.pop(0)
    return blocks


def has_content(element: HtmlElement) -> bool:
    text = element.text
    if text and text.strip(_BLANKS):
        return True  # most of the time, without walking
    for text in element.itertext():
        if text.strip(_BLANKS):
            return True
    return next(element.iter("img"), None) is not None


def copy_of(element: HtmlElement) -> HtmlElement:
    copied: HtmlElement = deepcopy(element)
    return copied


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
        if child.tag in CONTAINERS:
            end_run()
            _collect(child, found)
        elif child.tag in _BLOCKS:
            end_run()
            found.append(child)
        elif child.tag in {"span", "font", "a", "b", "strong", "em", "i", "ins", "tbody"} and (
            any(inner.tag in _BLOCKS or inner.tag in CONTAINERS for inner in child.iter())
        ):
            # A block within an inline element: broken, common; the block wins.
            end_run()
            _collect(child, found)
        else:
            run.append(child)
        _append_text(run, tail)
    end_run()


def _paragraph() -> HtmlElement:
    return new_element("p")


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
        if element is block or element.tag not in CONTAINERS:
            continue
        if any(child.tag in _BLOCKS or child.tag in CONTAINERS for child in element):
            element.drop_tag()
        else:
            element.tag = "p"


_MAY_BE_EMPTY = (
    "p", "li", "span", "strong", "em", "b", "i", "a", "h2", "h3", "h4", "h5", "h6", "blockquote",
    "figcaption", "figure", "ul", "ol",
)  # fmt: skip


def _drop_empty(body: HtmlElement) -> None:
    for element in reversed(list(body.iter(*_MAY_BE_EMPTY))):
        text = element.text
        if (text and text.strip(_BLANKS)) or has_content(element):
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
