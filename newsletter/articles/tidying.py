"""What is no text goes: scripts, share bars, pixels; players become links. In place."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from lxml.html import HtmlElement

from newsletter.articles.blocks import CONTAINERS
from newsletter.articles.canonical_url import without_tracking
from newsletter.articles.embeds import name_of, readable_address, source_of
from newsletter.articles.images import is_decoration, is_pixel, real_source
from newsletter.articles.markup import new_element

Resolve = Callable[[str], str]

_DROPPED = {
    "script", "style", "link", "meta", "title", "head", "form", "input", "button", "select",
    "textarea", "canvas", "template", "svg", "math", "map", "nav", "dialog", "base", "applet",
    "frame", "frameset", "option", "datalist", "source", "track", "param", "noframes", "marquee",
}  # fmt: skip
_PLAYERS = {"iframe", "video", "audio", "embed", "object", "amp-youtube", "amp-iframe"}
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
_MAX_IMAGES = 500
_MORE = re.compile(
    r"^\W*(?:\(?(?:more|continua|segue)[…. ]*\)?|"
    r"leggi\s+(?:tutto|l['’]articolo(?!\s+original).*|di\s+più|il\s+resto.*)|"
    r"continua\s+a\s+leggere.*|continue\s+reading.*|read\s+(?:more|the\s+rest.*)|weiterlesen.*|"
    r"lire\s+la\s+suite.*|(?:seguir|sigue)\s+leyendo.*)\W*$",
    re.IGNORECASE,
)
# Needs a look only when it has an attribute.
_INNOCENT = {
    "p", "br", "b", "strong", "i", "em", "u", "span", "div", "ul", "ol", "li", "blockquote", "h2",
    "h3", "h4", "h5", "h6", "table", "tbody", "thead", "tr", "td", "th", "figure", "figcaption",
    "a", "pre", "code", "sub", "sup", "small", "hr", "section", "article", "center", "font",
}  # fmt: skip


def tidy(body: HtmlElement, resolve: Resolve) -> None:
    """Remove what is no text, turn embeds into links, make addresses absolute. In place."""
    images = 0
    for element in list(body.iter()):
        tag = element.tag
        if tag in _INNOCENT and not element.keys():
            continue  # most elements
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
        link.attrib.pop("href", None)  # href="" would lead back to the reader's own page
        return
    if _is_share(href) or "more-link" in link.get("class", ""):
        link.drop_tree()
        return
    text = "".join(link.itertext()) if len(link) else link.text or ""
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
    paragraph = new_element("p") if parent.tag in CONTAINERS or parent.tag == "figure" else None
    link = new_element("a", name_of(address, player.get("title") or ""))
    link.set("href", address)
    replacement = link
    if paragraph is not None:
        paragraph.append(link)
        replacement = paragraph
    replacement.tail = player.tail
    parent.replace(player, replacement)
