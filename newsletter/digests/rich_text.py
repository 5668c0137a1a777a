"""An editor's formatted words, reduced to what a mail and a page can both show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nh3
from lxml import html as lxml_html
from wagtail.rich_text import expand_db_html

from newsletter import conf
from newsletter.digests.wording import one_line

_TAGS = {"p", "br", "b", "strong", "i", "em", "a", "ul", "ol", "li"}
_SCHEMES = {"http", "https", "mailto", "tel"}
_OWN_PAGE = re.compile(r'href="(?=/(?!/))')


def clean_rich_text(stored: str) -> str:
    """HTML of paragraphs, lists, emphasis and whole addresses, from what Wagtail stores."""
    expanded = _OWN_PAGE.sub(f'href="{conf.site_url()}', expand_db_html(stored))
    return nh3.clean(
        expanded, tags=_TAGS, attributes={"a": {"href"}}, url_schemes=_SCHEMES, link_rel=None
    )


def plain_paragraphs(html: str) -> Iterator[tuple[str, list[str]]]:
    """Each paragraph or point of a list as one line, with the addresses it links to."""
    if not html.strip():
        return
    for number, element in _blocks(lxml_html.fragment_fromstring(html, create_parent="div")):
        text = one_line(element.text_content())
        if text:
            links = [link.get("href", "") for link in element.iter("a")]
            yield f"{number}{text}", [link for link in links if link and link != text]


def _blocks(root: lxml_html.HtmlElement) -> Iterator[tuple[str, lxml_html.HtmlElement]]:
    for element in root.iter("p", "li"):
        if element.tag == "p":
            yield "", element
            continue
        parent = element.getparent()
        ordered = parent is not None and parent.tag == "ol"
        yield (f"{parent.index(element) + 1}. " if ordered else "- "), element
