"""What a post says of where it comes from: the line naming its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lxml.html import HtmlElement

from newsletter.articles.canonical_url import host_of
from newsletter.articles.footers import text_of
from newsletter.feeds.dates import find_date


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
