"""What a post says of where it comes from: the line naming its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lxml.html import HtmlElement

from newsletter.articles.canonical_url import server_of
from newsletter.articles.footers import text_of
from newsletter.feeds.dates import find_date, find_month


@dataclass(frozen=True)
class Source:
    author: str = ""
    source: str = ""
    day: date | None = None
    url: str = ""


_FROM = r"d(?:all['’]|(?:alla|allo|alle|agli|al|ai|a)\b)(?:\s+sito)?"
_PRINTED = (
    r"(?:pubblicat|ripubblicat|appars|uscit|compars|tradott|trascritt)[oaie]|"
    r"(?:re)?published|(?:re-?)?posted|appeared|veröffentlicht|erschienen|publiée?|parue?|publicad[oa]"
)
_FIRST = (
    r"(?:già|originariamente|originalmente|in\s+origine|inizialmente|per\s+la\s+prima\s+volta|"
    r"first|originally|previously|zuerst|initialement|originalmente)"
)
_ON = (
    r"(?:su(?:l|llo|lla|ll['’]|i)?|in|on|at|nel(?:la|lo)?|nell['’]|auf|bei|sur|dans|en|"
    + _FROM
    + r")"
)
_PIECE = (
    r"(?:(?:questo|quest['’]|l['’]|il|un|this|the|dieser|cet)\s*)?"
    r"(?:articolo|pezzo|testo|intervento|contributo|post|editoriale|intervista|article|piece|story|essay|"
    r"beitrag|artikel|artículo|entrevista)"
)
_LABEL = re.compile(
    r"^[\s(\[«“\"*–—-]*(?P<label>"
    r"(?:l['’]\s*)?(?:fonte|fonti|sources?|quellen?|fuentes?|bron)(?:\s+(?:originale|original))?|"
    rf"(?:(?:leggi|vedi|visualizza|qui|read|view|see)\s+)?(?:the\s+|l['’]\s*|il\s+|la\s+)?(?:original\s+(?:article|post|piece)|"
    r"(?:articolo|post|pezzo|testo|versione)\s+original[ei]|originale|originalartikel|article\s+original)|"
    rf"(?:(?:liberamente|{_FIRST})\s+)?tratt[oa]\s+{_FROM}|"
    rf"(?:(?:ri)?(?:pubblichiamo|prendiamo|portiamo|postiamo|lanciamo)|ripres[oa]|ripubblicat[oa]|estratto)\s+"
    rf"(?:volentieri\s+|qui\s+|(?:{_PIECE})\s+)?(?:{_FROM}|di(?=\s))|"
    r"(?:republished|reprinted|reposted|taken|adapted)\s+(?:with\s+permission\s+)?from|"
    rf"(?:{_PIECE}\s+)?(?:(?:è|e['’]|was|is|ist|est|fue)\s+)?(?:(?:stat[oa]|been|wurde)\s+)?(?:{_FIRST}\s+)?(?:{_PRINTED})"
    rf"(?:\s+{_FIRST})?(?:\s+(?:{_ON}|il(?=\s+\d)|dal(?=\s+\d)))?|"
    rf"{_PIECE}\s+(?:tratt[oa]\s+{_FROM}|di|by)|"
    rf"(?:h/t|via|from|by|von|par|por|di)\b|{_FROM})"
    r"(?P<mark>\s*[)\]»”\"]*\s*(?:[:–—]|(?<=\s)-(?=\s))?\s*)",
    re.IGNORECASE,
)
# Labels that need no date to be believed.
_CERTAIN = re.compile(
    r"(?:l['’]\s*)?(?:font[ei]|source|quelle|fuente|bron)|.*\boriginal|.*\btratt[oa]\s|ri(?:pre|pub|por|pos|lan)|pubblichiamo|"
    r"estratto|republished|reprinted|reposted|taken|adapted|"
    rf"(?:{_PIECE}).*(?:{_PRINTED})|(?:{_PRINTED})|(?:{_FIRST}).*(?:{_PRINTED})",
    re.IGNORECASE,
)
_WORD_FOR_SOURCE = re.compile(r"(?:l['’]\s*)?(?:font[ei]|source|quelle|fuente|bron)", re.IGNORECASE)
_SEVERAL = re.compile(r"(?:fonti|sources|quellen|fuentes)\b", re.IGNORECASE)
_THE_ORIGINAL = re.compile(
    r".*(?:articolo|post|pezzo|testo|versione|article)\s+original|.*\boriginal\s+(?:article|post|piece)|"
    r"originale$|originalartikel",
    re.IGNORECASE,
)
_ENDS_IN_ON = re.compile(rf".*(?:\s|^)(?:{_ON}|{_FROM}|from|di)$", re.IGNORECASE)
_VIA = re.compile(r"via$|h/t$", re.IGNORECASE)
# What is cited, not what was taken over: a table's data, a photograph.
_NO_TEXT = re.compile(
    r"(?:nostr[ae]\s+)?(?:ri)?elaborazion|dat[io]\b|foto|immagin|grafic|tabell|stim[ae]\b|video\b|"
    r"rielaborat|wikimedia|wikipedia\s+commons|pixabay|unsplash|own\s+work|getty|photo|image|chart",
    re.IGNORECASE,
)
_TRAILER = re.compile(
    r"\s*[-–—|,(.]*\s*(?:traduzione|tradotto|trad\.|translat(?:ed|ion)|übersetzt|con\s+il\s+titolo|"
    r"col\s+titolo|per\s+gentile\s+concessione|con\s+licenza|under\s+(?:a\s+)?(?:creative|cc)|"
    r"(?:published|pubblicato)$).*$",
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
    r"ansa|agi|reuters|radio|tv|blog|redazione|sindacato|cgil|cisl|uil|fiom|usb|cobas|inps|inail|istat|"
    r"collettiva|rassegna|foglio|unità|avvenire|wired|monde|zeitung|spiegel|bbc|today|online|"
    r"internazionale|jacobin|left|valigia|domani|ora|notizie|agenzia|ufficio|comitato|italia|"
    r"international|conversation|independent|economist|observer|tribune|herald|daily|weekly|"
    r"diplomatique|libération|figaro|país|mundo|diario|presse|taz|standard)\b|"
    r"\.\w{2,}\b|\d",
    re.IGNORECASE,
)
_AUTHOR_IN = re.compile(
    r"^(?:(?:un[ao']?\s+|l['’]\s*|an?\s+|the\s+)?(?:articolo|intervista|intervento|testo|pezzo|post|article|piece)\s+)?"
    r"(?:di|by|von|par|por)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"\s+[–—\-|•·/]\s+|\s*[,;|(]\s+|\s*\(|\)\s*|"
    r"\s+(?:(?:pubblicat[oa]|appars[oa]|uscit[oa]|published|appeared)\s+)?"
    r"(?:su|sul|sullo|sulla|sull['’]|in|nel|nella|per|on|for|del|dello|dell['’]|auf|sur|en)\s*(?<=['’\s])\s*|"
    r"\s+(?:da|dal|dalla|dallo|from)\s+"
)
_NO_LINES = {"ul", "ol", "dl", "table", "pre"}
_MAX_LINE = 220
_MAX_BYLINE = 60
_PUNCTUATION = ' .:;,()[]–—-|«»“”"*'


def read_source_line(block: HtmlElement, *, last: bool = False) -> Source | None:
    """What a line such as "(Fonte) Zelin Wang – 13 agosto 2025" says; None when it is no such line.

    `last`: the line stands at the end, where a name alone is a signature.
    """
    text = text_of(block)
    if not text or len(text) > _MAX_LINE or block.tag in _NO_LINES:
        return None
    turned = _label_first(text)
    found = _LABEL.match(turned)
    if not found:
        return None
    label = found["label"]
    certain = bool(_CERTAIN.match(label))
    links = [link for link in block.iter("a") if link.get("href", "").startswith("http")]
    # "Fonte di ispirazione", "Fonti rinnovabili": a label stands apart from what follows.
    if _WORD_FOR_SOURCE.match(label):
        apart = bool(found["mark"].strip()) or any(
            _LABEL.match(text_of(link)) and len(text_of(link)) <= len(label) + 2 for link in links
        )
        if not apart or (_SEVERAL.match(label) and len(links) > 1):
            return None
    rest = _TRAILER.sub("", turned[found.end() :]).strip(_PUNCTUATION)
    if _WORD_FOR_SOURCE.match(label) and _NO_TEXT.match(rest):
        return None
    address = _bare_address(rest)
    rest, day = _without_date(rest.replace(address, "|") if address else rest)
    by = bool(re.search(r"\b(?:di|by|von|par|por)$", label, re.IGNORECASE))
    author, source, more = _who(rest, by=by)
    if more and not (_WORD_FOR_SOURCE.match(label) and (day or links)):
        return None
    if not (day or links or address or author or len(source.split()) <= 5):
        return None
    if not certain and not _is_believable(text, label, author, source, day, links, last=last):
        return None
    if certain and not _WORD_FOR_SOURCE.match(label) and not _is_line(text, author, source, links):
        return None
    if re.match(r"(?:my|our|il\s+mio|il\s+nostro|mio|nostro)\b", source, re.IGNORECASE):
        return None  # "First published on my other blog"
    if re.match(_PRINTED, label, re.IGNORECASE) and not (day or _ENDS_IN_ON.match(label)):
        return None  # "Pubblicato il bando"
    url = _address_of(links, label) or address
    if not (author or source or day or url):
        return None
    if (
        source
        and url
        and (
            re.match(r"https?://", source)
            or (_THE_ORIGINAL.match(label) and source == text_of(links[0]) if links else False)
        )
    ):
        source = ""
    return Source(author[:255], (source or (server_of(url) if not author else ""))[:255], day, url)


def read_paper(block: HtmlElement) -> Source | None:
    """What "Il Manifesto, 13 agosto 2025" says under a byline."""
    text = text_of(block)
    if not text or len(text) > 100:
        return None
    rest, day = _without_date(re.sub(rf"^\W*{_FROM}\s+", "", text, flags=re.IGNORECASE))
    name = rest.strip(_PUNCTUATION)
    if day is None or not (_is_name(name) or not name):
        return None
    links = [link for link in block.iter("a") if link.get("href", "").startswith("http")]
    return Source(source=name[:255], day=day, url=_address_of(links, ""))


def _label_first(text: str) -> str:
    """ "Zelin Wang – 13 agosto 2025 (Fonte)", turned round."""
    found = re.match(
        r"(?P<rest>.{4,160}?)\s*[\s–—-]\s*[(\[](?P<label>fonte(?:\s+originale)?|source|quelle|fuente)[)\]]\.?$",
        text,
        re.IGNORECASE,
    )
    if found and (_NAME.match(found["rest"]) or find_date(found["rest"])):
        return f"({found['label']}) {found['rest']}"
    return text


def _without_date(rest: str) -> tuple[str, date | None]:
    dated = find_date(rest) or find_month(rest)
    if dated is None:
        return rest, None
    start, end = dated[1]
    before = re.sub(
        r"[\s,;|(–—\-]*\b(?:del(?:l['’])?|dell?['’]|il|l['’]|on|of|in\s+data|datat[oa]|dated|am|vom|le|du|el|de|di)?\s*$",
        "",
        re.sub(
            r"(?:luned|marted|mercoled|gioved|venerd)ì\s*$|(?:sabato|domenica)\s*$|"
            r"(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s*$",
            "",
            rest[:start],
            flags=re.IGNORECASE,
        ),
    )
    after = re.sub(r"^[\s).,;–—|-]*(?:,?\s*(?:p|pag|pp|n)\.?\s*\d+)?", "", rest[end:])
    after = re.sub(rf"^\s*{_ON}\s+", "", after, flags=re.IGNORECASE)
    return f"{before} | {after}".strip(" |"), dated[0]


def _is_believable(
    text: str,
    label: str,
    author: str,
    source: str,
    day: date | None,
    links: list[HtmlElement],
    *,
    last: bool,
) -> bool:
    """Whether a line that begins like any sentence ("di", "da", "by") names a source."""
    if text.endswith((":", "!", "?", "…")) or not (author or _is_name(source)):
        return False
    if text.endswith(".") and not re.search(r"(?:\b\w\.|\d\.)$", text):
        return False
    if day is not None:
        # "Di Maio il 3 maggio 2025" names nobody: what is left over must be a name, too.
        return not source or _is_name(source) or len(source.split()) <= 6
    if _VIA.match(label):
        # In Italian it is a street, too: "Via Ostiense 2".
        return bool(re.search(r"\.\w{2,}$|[@:]", text)) or (
            bool(links) and not re.search(r"\d", text)
        )
    if by_line := re.match(r"(?:di|by|von|par|por)$|.*\b(?:di|by)$", label, re.IGNORECASE):
        # "di Anna Rossi" over the text is a byline; under it, any name may sign.
        whole = bool(author) and len(text) <= _MAX_BYLINE
        return whole and (
            bool(links and _is_name(source)) or (not last and not source and bool(by_line))
        )
    return bool(links) and len(text) <= _MAX_BYLINE + 20 and _is_linked(links, author or source)


def _is_line(text: str, author: str, source: str, links: list[HtmlElement]) -> bool:
    """Whether a line with a telling label is no ordinary sentence ("Pubblicato ieri il bando")."""
    name = author or source
    if not name:
        return bool(links) and len(text) < 120
    return _is_name(name) or any(_is_linked([link], name) for link in links)


def _is_linked(links: list[HtmlElement], name: str) -> bool:
    return any(name in text_of(link) or text_of(link) in name for link in links if text_of(link))


def _is_name(text: str) -> bool:
    """Whether it looks like what a person or a paper is called."""
    words = text.split()
    if not 1 <= len(words) <= 6 or len(text) > 80:
        return False
    if re.search(r"\w\.\w{2,}$", text):
        return True
    small = re.compile(
        r"(?:il|lo|la|i|gli|le|l['’].*|the|die|der|das|el|de|di|del|della|of|x)$", re.I
    )
    large = [
        word for word in words if word[:1].isupper() or word[:1] in '@#«“"' or word[:1].isdigit()
    ]
    # "il manifesto" writes itself without a capital.
    lowly = (
        len(words) <= 3
        and bool(_OUTLET.search(" ".join(words[1:])))
        and small.match(words[0]) is not None
    )
    return (
        lowly
        or (
            (words[0][:1].isupper() or small.match(words[0]) is not None or words[0][:1] in '@#«“"')
            and bool(large)
            and all(word in large or small.match(word) for word in words)
        )
        or (len(words) <= 4 and words[0][:1].isupper() and bool(_OUTLET.search(text)))
    )


def _who(rest: str, *, by: bool) -> tuple[str, str, bool]:
    """(author, source, is there more?) from what is left of the line without label and date."""
    author = source = ""
    more = False
    for part in _SEPARATOR.split(rest):
        part = re.sub(r"\s+(?:published|pubblicato|posted|updated)$", "", part or "", flags=re.I)
        part = part.strip(_PUNCTUATION)
        if found := _AUTHOR_IN.match(part):
            part, by = found["rest"].strip(_PUNCTUATION), True
        if not part or part.isdigit():
            continue
        part = re.sub(r"^(?:sul?|sull[oa]|on|in|at|auf|sur)\s+", "", part)
        if not author and _NAME.match(part) and (by or not _OUTLET.search(part)):
            author, by = part, False
        elif not source:
            source, by = part, False
        elif not _is_name(part):
            more = True
    return author, source, more


def _address_of(links: list[HtmlElement], label: str) -> str:
    """The link on the label, else the one that leads deepest: the piece rather than its author."""
    if not links:
        return ""
    for link in links:
        said = _LABEL.match(text_of(link))
        if said and len(text_of(link)) <= len(label) + 3:
            return str(link.get("href", ""))
    return str(max(links, key=lambda link: _depth(link.get("href", ""))).get("href", ""))


def _depth(url: str) -> tuple[bool, int]:
    people = re.search(r"/(?:author|autor[ei]?|people|profile|tag|category|@\w+/?$)", url)
    return not people, len(url.split("?")[0])


def _bare_address(text: str) -> str:
    found = re.search(r"https?://[^\s<>\"»”)]+", text)
    return found[0].rstrip(".,;") if found else ""
