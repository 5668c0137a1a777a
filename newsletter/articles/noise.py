"""Blocks that say nothing of the post: share bars, related posts, tables of contents."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from newsletter.articles.canonical_url import canonical_url, server_of, without_tracking
from newsletter.articles.embeds import is_known, name_of, readable_address
from newsletter.articles.footers import text_of
from newsletter.articles.markup import new_element, whole_text

_ADDRESS = re.compile(r"https?://[^\s<>\"]{4,500}$")
_RELATED = re.compile(
    r"^\W*(?:(?:gli\s+)?(?:altri\s+)?(?:articoli|post|contenuti)\s+(?:correlati|simili|collegati|consigliati|recenti)|"
    r"leggi\s+anche|vedi\s+anche|"
    r"potrebbe(?:ro)?\s+(?:anche\s+)?(?:interessart|piacert)i.*|ti\s+potrebbe.*|"
    r"related(?:\s+(?:posts?|articles?|stories|reading))?|read\s+(?:also|next)|see\s+also|you\s+m(?:ay|ight)\s+(?:also\s+)?like.*|"
    r"more\s+from.*|ähnliche\s+(?:beiträge|artikel)|das\s+könnte.*|lesen\s+sie\s+auch|"
    r"articles\s+(?:similaires|liés)|à\s+lire\s+aussi|lire\s+aussi|entradas\s+relacionadas|artículos\s+relacionados|"
    r"lee\s+también|te\s+puede\s+interesar.*|artigos\s+relacionados|leia\s+também|gerelateerde?\s+.*|lees\s+ook|"
    r"powiązane\s+.*|podobne\s+(?:wpisy|artykuły)|relaterade\s+.*|correlati)\W*$",
    re.IGNORECASE,
)
_RELATED_LINE = re.compile(
    r"^\W*(?:leggi\s+(?:anche|pure)|read\s+(?:also|more|next)|vedi\s+anche|see\s+also|related|lesen\s+sie\s+auch|"
    r"lire\s+aussi|à\s+lire(?:\s+aussi)?|lee\s+también|leia\s+também|lees\s+ook|czytaj\s+(?:też|także)|läs\s+också|"
    r"llegeix\s+també)\b\s*(?:[:>–»|-]|$)",
    re.IGNORECASE,
)
_SHARE_LINE = re.compile(
    r"^\W*(?:condividi(?:\s+(?:questo|su|l['’]articolo|con|il\s+post)\b.*)?|share(?:\s+(?:this|on)\b.*)?|"
    r"mi\s+piace(?:\s*:)?(?:\s+caricamento.*)?|like\s+this.*|mi\s+piace\s+caricamento.*|"
    r"teilen(?:\s+mit.*)?|partager.*|compart(?:e|ir|ilhe|ilhar|eix).{0,40}|delen(?:\s+op.*)?|udostępnij.*|dela(?:\s+det.*)?|"
    r"stampa(?:\s+articolo)?|print(?:\s+this.*)?|tweet|mi\s+piace|salva)\W*$",
    re.IGNORECASE,
)
# What a consent plugin, a subscription box or a reader's counter leaves behind.
_BOILERPLATE = re.compile(
    r"^\W*(?:(?:clicca|fai\s+clic|click)\b.{0,60}\bcookies?\b.{0,120}|"
    r"(?:per\s+(?:vedere|visualizzare)|questo\s+contenuto|accetta|accept|please\s+accept).{0,80}\bcookies?\b.{0,120}|"
    r"visualizza\s+questo\s+post\s+su\s+instagram|view\s+this\s+post\s+on\s+instagram|"
    r"questa\s+presentazione\s+richiede\s+javascript.*|this\s+slideshow\s+requires\s+javascript.*|"
    r"(?:filed\s+under|archiviato\s+in|posted\s+in|pubblicato\s+in|einsortiert\s+unter|classé\s+dans|"
    r"archivado\s+en|tagged(?:\s+with)?|taggato|tag|etichette|contrassegnato\s+da(?:\s+tag)?)\s*:\s.{0,300}|"
    r"post\s+views\s*:?\s*[\d.,]+|visualizzazioni\s*:?\s*[\d.,]+|\d+\s+(?:total\s+)?views(?:,.*)?|"
    r"(?:tempo\s+di\s+lettura|reading\s+time|lesezeit)\s*:?\s*(?:<\s*)?\d+.{0,20}|\d+\s+(?:min|minut[oi])\s+(?:read|di\s+lettura)|"
    r"questo\s+(?:articolo|post)\s+ti\s+è\s+piaciuto.*|iscriviti\s+alla\s+(?:nostra\s+)?newsletter\W*|"
    r"subscribe\s+to\s+(?:our|my|the)\s+newsletter\W*|ads?|advertisement|pubblicità|annuncio\s+pubblicitario)\W*$",
    re.IGNORECASE,
)
_CONTENTS = re.compile(
    r"^\W*(?:indice(?:\s+(?:dei\s+contenuti|dell['’]articolo))?|sommario|contenuti|in\s+questo\s+articolo|"
    r"(?:table\s+of\s+)?contents|in\s+this\s+article|on\s+this\s+page|inhalt(?:sverzeichnis)?|sommaire|"
    r"table\s+des\s+matières|(?:tabla\s+de\s+contenidos?|índice|contenido)|inhoud(?:sopgave)?|spis\s+treści)\W*$",
    re.IGNORECASE,
)


def is_noise(block: HtmlElement, text: str, entry_url: str) -> bool:
    """Whether a block that begins with `text` is "Share this:" or "See also: <a link>".

    Makes a link of a bare address.
    """
    if text.startswith("http") and " " not in text:
        _link_addresses(block)
        return False
    if not _LIKE_NOISE.match(text):
        return False  # most of the time, by one pattern
    label = _RELATED_LINE.match(text) if block.tag in _SAYING else None
    if label and _is_mostly_links(block, besides=label.end()) and _stays_here(block, entry_url):
        return True
    whole = text if len(text) < 80 else text_of(block)
    if len(whole) >= 200 or next(block.iter("img"), None) is not None:
        return False
    return bool(
        (len(whole) < 80 and _SHARE_LINE.match(whole))
        or _BOILERPLATE.match(whole)
        or _is_more(block, whole, entry_url)
    )


# The first letters of what the patterns above look for.
_LIKE_NOISE = re.compile(
    r"^\W*(?:[\d<]|leggi|read|vedi|see|related|lesen|lire|à|lee|leia|lees|czytaj|läs|llege|condi|share|"
    r"mi\s+piace|like|teil|part|comp|del|udost|dela|stampa|print|tweet|salva|clic|fai|per\s|questo|"
    r"quest|accett|accept|please|visual|view|this|filed|archiv|posted|pubbli|einsort|class|tag|etich|"
    r"contras|post|tempo|iscriv|subscr|ad|annunc|continu|proseg|keep|weiter|segu|sigue)",
    re.IGNORECASE,
)
_SAYING = {"p", "h2", "h3", "h4", "h5", "h6", "blockquote"}
_MORE_BEFORE = re.compile(
    r"^\W*(?:continua\s+a\s+leggere|leggi\s+(?:tutto|il\s+resto|di\s+più)|prosegui|continue\s+reading|read\s+(?:more|the\s+rest)|"
    r"keep\s+reading|weiterlesen|lire\s+la\s+suite|(?:seguir|sigue)\s+leyendo|leer\s+más|leia\s+mais|lees\s+(?:meer|verder)|"
    r"czytaj\s+(?:więcej|dalej)|läs\s+mer)\b",
    re.IGNORECASE,
)


def _is_more(block: HtmlElement, text: str, entry_url: str) -> bool:
    """ "Continua a leggere <a>the post</a>", and what is left of such a line without its link."""
    if not _MORE_BEFORE.match(text):
        return False
    links = [link.get("href", "") for link in block.iter("a")]
    if not links:
        return len(text) < 25
    return any(canonical_url(href) == canonical_url(entry_url) for href in links)


def _link_addresses(block: HtmlElement) -> None:
    """Gutenberg and WordPress's editor write a bare address where the page shows a player."""
    for element in block.iter("p", "figure"):
        address = (element.text or "").strip()
        if len(element) or not _ADDRESS.match(address) or len(address) > 500 or " " in address:
            continue
        readable = readable_address(address) or address
        link = new_element("a", name_of(readable) if is_known(readable) else address)
        link.set("href", without_tracking(readable))
        element.text = None
        element.append(link)


def without_title(blocks: list[HtmlElement], title: str) -> list[HtmlElement]:
    """Drops a first heading that repeats the title."""
    if title and blocks and blocks[0].tag in _HEADINGS:
        same = text_of(blocks[0]).casefold() == " ".join(title.split()).casefold()
        return blocks[1:] if same and len(blocks) > 1 else blocks
    return blocks


_HEADINGS = {"h2", "h3", "h4", "h5", "h6"}


def without_contents(blocks: list[HtmlElement]) -> list[HtmlElement]:
    """Drops a table of contents: a list of jumps within the page, and its heading."""
    kept: list[HtmlElement] = []
    for block in blocks:
        if block.tag in {"ul", "ol"} and block.find(".//a[@data-jump]") is not None:
            jumps = sum(
                len(text_of(link)) for link in block.iter("a") if "data-jump" in link.attrib
            )
            if jumps >= 0.8 * len(text_of(block)):
                if kept and _CONTENTS.match(beginning(kept[-1])):
                    kept.pop()
                continue
        kept.append(block)
    return kept


def without_related(
    blocks: list[HtmlElement], beginnings: dict[HtmlElement, str], entry_url: str
) -> list[HtmlElement]:
    """Drops a heading such as "Related posts", with the links after it."""
    kept: list[HtmlElement] = []
    dropping = False
    for number, block in enumerate(blocks):
        text = beginnings[block]
        if len(text) < 80 and block.tag in _SAYING and _RELATED.match(text):
            # In the text it is a section of its own, unless nothing but such links follows.
            following = blocks[number + 1 : number + 2]
            dropping = not following or _leads_to_others(following[0], entry_url)
            if dropping:
                continue
        elif dropping and not _leads_to_others(block, entry_url):
            dropping = False
        if not dropping:
            kept.append(block)
    return kept


def _leads_to_others(block: HtmlElement, entry_url: str) -> bool:
    """Whether it leads to other posts of the blog, and says nothing else."""
    return (
        block.find(".//a") is not None and _is_mostly_links(block) and _stays_here(block, entry_url)
    )


def _stays_here(block: HtmlElement, entry_url: str) -> bool:
    """Links to other sites are the author's own, not a plugin's."""
    host = server_of(entry_url) if entry_url else ""
    return not host or all(
        server_of(a.get("href", "")) == host for a in block.iter("a") if a.get("href")
    )


def beginning(block: HtmlElement) -> str:
    """At least the first 80 characters, in one line."""
    text = whole_text(block)
    first = " ".join(text[:300].split())
    return first if len(first) > 80 else " ".join(text.split())


def _is_mostly_links(block: HtmlElement, *, besides: int = 0) -> bool:
    text = text_of(block)
    linked = sum(len(text_of(link)) for link in block.iter("a"))
    return not text or (linked > 0 and linked >= 0.6 * (len(text) - besides))
