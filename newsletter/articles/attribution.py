"""What a post says of where it comes from: its feed's footer, the line naming its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lxml.html import HtmlElement

from newsletter.articles.canonical_url import canonical_url, host_of, is_front_page
from newsletter.feeds.dates import find_date

# How WordPress says "this first appeared on", in the languages of its translations.
_APPEARED = (
    r"(?:first\s+)?appeared\s+(?:first\s+)?on|was\s+(?:first|originally)\s+published\s+(?:on|in)|"
    r"originally\s+appeared\s+on|proviene\s+da|sembra\s+essere\s+il\s+primo\s+su|"
    r"è\s+apparso\s+(?:per\s+la\s+prima\s+volta\s+|originariamente\s+|prima\s+)?su|"
    r"è\s+stato\s+pubblicato\s+(?:per\s+la\s+prima\s+volta\s+|originariamente\s+)?su|"
    r"erschien\s+zuerst\s+(?:auf|bei)|ist\s+zuerst\s+erschienen\s+auf|"
    r"est\s+apparue?\s+en\s+premier\s+sur|(?:se\s+publicó|apareció|fue\s+publicad[oa])\s+primero\s+en|"
    r"aparece\s+primero\s+en|apareceu\s+primeiro\s+em|verscheen\s+eerst\s+op"
)
_INTRODUCES = (
    r"the\s+post|this\s+(?:post|article)|the\s+article|l['’]articolo|il\s+post|der\s+beitrag|"
    r"l['’]article|cet\s+article|la\s+entrada|el\s+art[ií]culo|o\s+post|o\s+artigo|het\s+bericht"
)
_FOOTER_TEXT = re.compile(
    rf"(?:^|\s)(?:{_INTRODUCES})\s+[“\"«]?.{{0,500}}?\s*(?:{_APPEARED})\s+(?P<site>[^.]{{1,200}}?)\.?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_FOOTER = 900  # only the end of a text is searched
_INTRODUCTION_AT_END = re.compile(rf"(?:{_INTRODUCES})\s*[“\"«]?\s*$", re.IGNORECASE)
_APPEARED_ANYWHERE = re.compile(_APPEARED, re.IGNORECASE)


def text_of(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def take_footer(
    blocks: list[HtmlElement], entry_url: str, site_url: str
) -> tuple[str, str, list[HtmlElement]]:
    """(site's name, its address, blocks that are the footer), and cut a footer that ends a block.

    Two signs: the words, in any of the languages, or the structure: the last block holds exactly
    two links, the post's own and the site's root.
    """
    for block in reversed(blocks[-2:]):
        links = [link for link in block.iter("a") if link.get("href")]
        if len(links) >= 2:
            own, site = links[-2], links[-1]
            href = site.get("href", "")
            structural = canonical_url(own.get("href", "")) == canonical_url(entry_url) and (
                canonical_url(href) == canonical_url(site_url)
                or (host_of(href) == host_of(entry_url) and is_front_page(href))
            )
            spoken = bool(_APPEARED_ANYWHERE.search(own.tail or "")) and bool(
                _FOOTER_TEXT.search(text_of(block)[-_LONGEST_FOOTER:])
            )
            if (structural and len(text_of(block)) < 600 and len(links) == 2) or spoken:
                name = text_of(site)
                if _cut_before(block, own):
                    return name, href, []
                return name, href, [block]
        if found := _FOOTER_TEXT.search(text_of(block)[-_LONGEST_FOOTER:]):
            href = links[-1].get("href", "") if links else site_url
            whole = len(found[0]) > 0.9 * len(text_of(block))
            if whole or _cut_text(block):
                return found["site"].strip(), href, [block] if whole else []
    return "", "", []


def _cut_before(block: HtmlElement, own: HtmlElement) -> bool:
    """Remove the footer from a block that holds other text before it; False when it holds none."""
    previous = own.getprevious()
    lead = (previous.tail if previous is not None else own.getparent().text) or ""
    kept = lead[:-40] + _INTRODUCTION_AT_END.sub("", lead[-40:])
    # Up to three words before the first link introduce it, in whatever language.
    only_words = not kept.strip() or (kept == lead and len(kept.split()) <= 3)
    if own.getparent() is not block or (previous is None and only_words):
        return False
    if previous is not None:
        previous.tail = kept
    else:
        block.text = kept
    for element in [own, *own.itersiblings()]:
        block.remove(element)
    return bool(text_of(block))


def _cut_text(block: HtmlElement) -> bool:
    """Cut a footer without links from the last text of `block`."""
    last = block[-1] if len(block) else None
    text = (last.tail if last is not None else block.text) or ""
    kept, end = text[:-_LONGEST_FOOTER], text[-_LONGEST_FOOTER:]
    found = _FOOTER_TEXT.search(end)
    if not found:
        return False
    kept += end[: found.start()]
    if last is not None:
        last.tail = kept
    else:
        block.text = kept
    return True


@dataclass(frozen=True)
class Source:
    author: str = ""
    source: str = ""
    day: date | None = None
    url: str = ""


_LABEL = re.compile(
    r"^[\s(\[«“\"]*(?P<label>fonte(?:\s+originale)?|fonti|source|quelle|fuente|"
    r"(?:liberamente\s+)?tratto\s+da(?:l(?:la|lo)?|ll['’])?|ripreso\s+da|pubblicato\s+(?:su|da)|"
    r"articolo\s+(?:originale|tratto\s+da|pubblicato\s+su|apparso\s+su|di)|"
    r"via|from|by|di|da(?:l(?:la|lo)?|ll['’])?)"
    r"(?P<mark>\s*[)\]»”\"]*\s*[:\-–—]?\s*)",
    re.IGNORECASE,
)
# Labels that need no date to be believed.
_CERTAIN = re.compile(
    r"font[ei]|source|quelle|fuente|tratto|liberamente|ripreso|articolo\s+(?:originale|tratto|pubbl|app)",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"^(?:[A-ZÀ-ÖØ-Þ][\w’'.\-]*|de|di|del|della|von|van|der|da|la|el|al|bin)"
    r"(?:\s+(?:[A-ZÀ-ÖØ-Þ][\w’'.\-]*|de|di|del|della|dei|von|van|der|da|e|and|y|,)){1,5}$"
)
# Words that a newspaper's name has and a person's has not.
_OUTLET = re.compile(
    r"\b(il|lo|i|gli|le|the|corriere|repubblica|manifesto|sole|stampa|messaggero|giornale|"
    r"gazzetta|fatto|quotidiano|rivista|news|times|post|guardian|journal|review|magazine|press|"
    r"ansa|agi|reuters|radio|tv|blog|redazione|sindacato|cgil|cisl|uil|inps|inail|istat|"
    r"collettiva|rassegna|foglio|unità|avvenire|wired|monde|zeitung|spiegel|bbc|today|online)\b|"
    r"\.\w{2,}$|\d",
    re.IGNORECASE,
)
_AUTHOR_IN = re.compile(r"^(?:articolo\s+)?(?:di|by)\s+(?P<rest>.+)$", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s+[–—\-|]\s+|\s*[,;|]\s+|\s+(?:su|in|per|on|del|dell['’])\s+")
_MAX_LINE = 220


def read_source_line(block: HtmlElement, *, last: bool = False) -> Source | None:
    """What a line such as "(Fonte) Zelin Wang – 13 agosto 2025" says; None when it is no such line.

    `last`: the line stands at the end, where only the certain labels count.
    """
    text = text_of(block)
    if not text or len(text) > _MAX_LINE:
        return None
    found = _LABEL.match(text)
    if not found:
        return None
    label = found["label"]
    certain = bool(_CERTAIN.match(label))
    # "Fonte di ispirazione", "Fonti rinnovabili": a label stands apart from what follows.
    links = [link for link in block.iter("a") if link.get("href", "").startswith("http")]
    if re.match(r"font[ei]|source|quelle|fuente", label, re.IGNORECASE):
        apart = bool(found["mark"].strip()) or any(
            _LABEL.match(text_of(link)) and len(text_of(link)) <= len(label) + 2 for link in links
        )
        if not apart:
            return None
    rest = text[found.end() :].strip(' ()[]«»“”"')
    dated = find_date(rest)
    if (last or dated is None) and not certain:
        return None
    day = dated[0] if dated else None
    if dated:
        start, end = dated[1]
        before = re.sub(r"[\s,;|(–—\-]*(?:del(?:l['’])?|il|on|of|,)?\s*$", "", rest[:start])
        rest = f"{before} | {rest[end:].strip(' ).,;–—-|')}".strip(" |")
    author, source = _who(rest, by=bool(re.match(r"di$|by$|articolo\s+di", label, re.IGNORECASE)))
    if not certain and (text.endswith((".", ":", "!", "?")) or not _is_name(author or source)):
        return None  # a sentence: "Dal 3 maggio 2025 cambia tutto"
    url = links[0].get("href", "") if links else _bare_address(text)
    if not (author or source or day or url):
        return None
    if source and url and re.match(r"https?://", source):
        source = ""
    return Source(author[:255], (source or (host_of(url) if not author else ""))[:255], day, url)


def _is_name(text: str) -> bool:
    """Whether it looks like what a person or a paper is called."""
    words = text.split()
    if not 1 <= len(words) <= 6 or len(text) > 80:
        return False
    return bool(re.search(r"\w\.\w{2,}$", text)) or any(word[:1].isupper() for word in words[:2])


def _who(rest: str, *, by: bool) -> tuple[str, str]:
    """(author, source) from what is left of the line without label and date."""
    author = source = ""
    for part in _SEPARATOR.split(rest):
        part = part.strip(' .:;,()–—-|«»“”"')
        if found := _AUTHOR_IN.match(part):
            part, by = found["rest"].strip(), True
        if not part:
            continue
        if not author and _NAME.match(part) and (by or not _OUTLET.search(part)):
            author, by = part, False
        elif not source:
            source = part
    return author, source


def _bare_address(text: str) -> str:
    found = re.search(r"https?://[^\s<>\"»”)]+", text)
    return found[0].rstrip(".,;") if found else ""
