"""What is no text goes: scripts, share bars, pixels; players become links. In place."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from lxml.html import HtmlElement

from newsletter.articles.blocks import CONTAINERS
from newsletter.articles.canonical_url import without_tracking
from newsletter.articles.embeds import PLAYERS, box_address, name_of, readable_address, source_of
from newsletter.articles.images import is_decoration, is_pixel, real_source
from newsletter.articles.markup import new_element, whole_text

Resolve = Callable[[str], str]

_DROPPED = {
    "script", "style", "link", "meta", "title", "head", "form", "input", "button", "select",
    "textarea", "canvas", "template", "svg", "math", "map", "nav", "dialog", "base", "applet",
    "frame", "frameset", "option", "datalist", "track", "param", "noframes", "marquee", "xml",
    "amp-ad", "amp-analytics", "amp-social-share", "amp-sidebar", "amp-pixel", "amp-consent",
}  # fmt: skip
_CLUTTER = re.compile(
    r"(?:^|\s)(?:sharedaddy|sd-(?:sharing|block|like|rating)\S*|jp-relatedposts\S*|jetpack-likes\S*|"
    r"wpcnt|addtoany\S*|a2a_\S*|addthis\S*|at-(?:above|below)-post\S*|share-?(?:buttons?|bar|this|links?|post)\S*|"
    r"social-?(?:share|sharing|buttons?|links?|icons?)\S*|ssba\S*|essb\S*|heateor\S*|the_champ\S*|"
    r"sharethis\S*|st_\w+_(?:large|hcount|vcount|custom)|social-warfare\S*|swp-\S*|sfsi\S*|wpsr\S*|sassy-social\S*|"
    r"juiz_sps\S*|hupso\S*|cresta\S*|wp-block-outermost-social-sharing\S*|kksr?-\S*|wp_ulike\S*|post-ratings\S*|"
    r"inline-related\S*|irp-\S*|irp_\S*|wp-block-rank-math-toc\S*|rank-math-toc\S*|wp-block-yoast-seo-table\S*|"
    r"table-of-contents|simpletoc\S*|luckywp\S*|wp-block-ub-table-of-contents\S*|wp-block-jetpack-subscr\S*|"
    r"newsletter-?(?:form|box|signup|widget|subscribe)\S*|tnp\S*|mc_embed\S*|mailchimp\S*|subscribe-?(?:form|box|widget)\S*|"
    r"subscription-widget\S*|cmplz-\S*|cky-\S*|iub__?\S*|borlabs-\S*|BorlabsCookie|brlbs-\S*|gdpr-\S*|"
    r"post-?(?:navigation|tags|meta)|entry-?(?:meta|footer)|nav-links|wp-block-post-navigation-link|"
    r"wp-block-latest-posts\S*|wp-block-comments\S*|wp-block-query|wp-block-search|"
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
    r"feeds\.wordpress\.com/1\.0/go|feeds\.feedburner\.com/~f|^mailto:\?",
    re.IGNORECASE,
)
_SHARE_HINTS = re.compile(
    r"[sS]har(?:e|ing)|intent|dialog|status|wa\.me|whatsapp|pin/create|submit|addtoany|1\.0/go|mailto:\?|"
    r"feedburner"
)
_MAX_IMAGES = 500
_HIDDEN = re.compile(
    r"(?:font-size\s*:\s*0(?:px|em|rem|pt|%)?|display\s*:\s*none|mso-hide\s*:\s*all)\s*(?:!|;|$)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"^\W*(?:\(?(?:more|continua|segue)[…. ]*\)?|"
    r"leggi\s+(?:tutto|l['’]articolo(?!\s+original).*|di\s+più|il\s+resto.*)|"
    r"continua\s+a\s+leggere.*|continue\s+reading.*|read\s+(?:more|the\s+rest.*)|weiterlesen.*|"
    r"lire\s+la\s+suite.*|(?:seguir|sigue|continua?r?)\s+leyendo.*|leer\s+más.*|leia\s+mais.*|continue\s+lendo.*|"
    r"lees\s+(?:meer|verder).*|verder\s+lezen.*|mehr\s+(?:lesen|erfahren).*|czytaj\s+(?:więcej|dalej).*|"
    r"continua\s+llegint.*|llegir\s+més.*|läs\s+mer.*|les\s+(?:mer|videre).*|læs\s+mere.*|prosegui.*lettura.*)\W*$",
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
        if not isinstance(tag, str) or tag in _DROPPED or ":" in tag:
            # "<w:WordDocument>" holds Word's settings, "<o:p>" a paragraph's end.
            if isinstance(tag, str) and tag.startswith(("o:", "st1:")):
                element.drop_tag()
            else:
                element.drop_tree()
            continue
        if tag in {"amp-img", "amp-anim"}:
            element.tag = tag = "img"
        marks = f"{element.get('class', '')} {element.get('id', '')}"
        if len(marks) > 1 and is_clutter(marks):
            element.drop_tree()
        elif tag in PLAYERS:
            _replace_by_link(element, resolve, source_of(element))
        elif tag in {"blockquote", "div"} and (box := box_address(marks, element)):
            _replace_by_link(element, resolve, box)
        elif tag == "img":
            images += 1
            if images > _MAX_IMAGES:
                element.drop_tree()
            else:
                _tidy_image(element, resolve)
        elif tag == "a":
            _tidy_link(element, resolve)
        elif tag in {"summary", "legend"}:
            element.tag = "p"
        elif tag == "h1":
            element.tag = "h2"  # the title is the only first heading
        elif tag == "noscript":
            # The image that a lazy loader would put in; its stand-in was resolved already.
            before = element.getprevious()
            if element.find(".//img") is None or (before is not None and before.tag == "img"):
                element.drop_tree()
            else:
                element.drop_tag()
        elif (style := element.get("style")) and _HIDDEN.search(style):
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
        letter = alt if len(alt) <= 4 or not re.search(r"[A-Za-z]", alt[:20]) else ""
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
    return bool(_SHARE_HINTS.search(href)) and bool(_SHARES.search(href))


def _tidy_link(link: HtmlElement, resolve: Resolve) -> None:
    href = (link.get("href") or "").strip()
    if not href:
        link.attrib.pop("href", None)  # href="" would lead back to the reader's own page
        return
    if _is_share(href) or "more-link" in link.get("class", ""):
        link.drop_tree()
        return
    text = whole_text(link) if len(link) else link.text or ""
    if len(text) < 120 and _MORE.match(text):
        link.drop_tree()
        return
    if href.startswith("#"):
        # A jump within the page leads nowhere in a mail.
        del link.attrib["href"]
        link.set("data-jump", "")
        return
    resolved = without_tracking(resolve(href))
    if not resolved:
        del link.attrib["href"]
    elif resolved != link.get("href"):
        link.set("href", resolved)


def _replace_by_link(player: HtmlElement, resolve: Resolve, source: str) -> None:
    address = readable_address(resolve(source))
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
