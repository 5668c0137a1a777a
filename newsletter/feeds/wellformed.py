"""Bytes as servers send them → XML that a strict parser accepts.

A lenient parser is where hostile documents hurt (feedparser's is quadratic), so what is broken is
mended first, by libxml2's recovery, and the strict parser does the rest.
"""

from __future__ import annotations

import codecs
import html.entities
import re
from xml.parsers import expat

from lxml import etree

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Only character sets that real documents use: never utf-7 or Python's own escapes, with which
# markup can be hidden.
_KNOWN = re.compile(
    r"(iso-?8859|latin|windows-?125|cp125|cp437|cp850|koi8|gb|big5|euc|shift|sjis|iso-2022|mac|"
    r"utf-?16|utf-?32|us-ascii|ascii)",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml.{0,300}?\?>", re.DOTALL)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NOT_XML_REFERENCE = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef]));",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_BARE_AMPERSAND = re.compile(r"&(?!#\d{1,7};|#x[0-9A-Fa-f]{1,6};|(?:amp|lt|gt|quot|apos);)")
# What careless templates use without declaring it.
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "georss": "http://www.georss.org/georss",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "xhtml": "http://www.w3.org/1999/xhtml",
    "xlink": "http://www.w3.org/1999/xlink",
}
_PREFIXED = re.compile(r"<([A-Za-z_][\w.-]{0,30}):[A-Za-z_]|\s([A-Za-z_][\w.-]{0,30}):[\w.-]+\s*=")
_ROOT = re.compile(r"<[A-Za-z_][\w.:-]*(?=[\s/>])")
# feedparser takes about 20 µs for an element and is quadratic in the attributes of one.
_MAX_ELEMENTS = 40_000
_MAX_ATTRIBUTES = 200
_MAX_ATTRIBUTES_IN_ALL = 100_000
_MAX_NAMESPACES = 200  # feedparser looks through all of them at each element
_MAX_DEPTH = 300
_PREDEFINED = {"amp", "lt", "gt", "quot", "apos"}


def decode(body: bytes, content_type: str = "") -> str:
    """The text of `body`, by what it is rather than by what it claims to be.

    UTF-8 that decodes is UTF-8, whatever the declaration says; then the declaration, then the
    HTTP header, and Windows-1252 in the end, which always decodes.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    if body[:4].count(0) >= 2:  # UTF-16 or UTF-32 without a mark
        guess = "utf-16-le" if body[1:2] == b"\0" else "utf-16-be"
        return body.decode(guess, "replace")
    declared = _DECLARED.match(body[:400])
    candidates = [declared[1].decode("ascii")] if declared else []
    if in_header := _CHARSET.search(content_type):
        candidates.append(in_header[1])
    # ISO-2022 is pure ASCII on the wire: it would pass for UTF-8.
    if not any(name.lower().startswith("iso-2022") for name in candidates):
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    for name in candidates:
        # What declares Latin-1 is Windows-1252 on the web (WHATWG Encoding, 4.2).
        name = "cp1252" if re.match(r"(iso-?8859-?1|latin-?1)$", name, re.IGNORECASE) else name
        if _KNOWN.match(name):
            try:
                return body.decode(name)
            except (LookupError, UnicodeError):
                continue
    # UTF-8 with a few broken bytes (a text cut in the middle of a letter)?
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(letter > "\x7f" for letter in text) > 2 * broken:
        return text
    return body.decode("cp1252", "replace")


def as_it_is(text: str, *, max_entries: int) -> bytes | None:
    """`text` for a parser in C, unless there is more in it than a feed may hold.

    Not mended: what is not well-formed that parser refuses.
    """
    if _cut_after(text, max_entries) < len(text) or _tags_outside_cdata(text) > _MAX_ELEMENTS:
        return None
    return _without_prologue(text).encode("utf-8", "replace")


def well_formed(text: str, *, max_entries: int) -> tuple[bytes, list[str]]:
    """`text` as well-formed UTF-8 XML, and what had to be mended; b"" when nothing is left.

    At most `max_entries` items or entries remain.
    """
    problems: list[str] = []
    if _NOT_XML.search(text):
        text = _NOT_XML.sub("", text)
        problems.append("control characters")
    if "&#" in text:
        text = _NOT_XML_REFERENCE.sub("", text)
    text = _without_prologue(text)
    cut = _cut_after(text, max_entries)
    if cut < len(text):
        text = text[:cut]
        problems.append("too many entries")
    data = text.encode("utf-8", "replace")
    if cut == len(text):
        try:
            if _is_well_formed(data):
                return data, problems
            problems.append("broken XML")
        except _TooComplex as error:
            problems.append("too complex")
            text = data[: error.good_until].decode("utf-8", "replace")
    try:
        return _mended(text), problems
    except _TooComplex:
        return b"", [*problems, "too complex"]


def _without_prologue(text: str) -> str:
    text = _DECLARATION.sub("", text.lstrip("\ufeff \t\r\n"), count=1).lstrip()
    return _without_doctype(text)


def _tags_outside_cdata(text: str) -> int:
    """An upper bound of the elements, without parsing."""
    if text.count("<") < _MAX_ELEMENTS:
        return 0
    count = position = 0
    while (start := text.find("<![CDATA[", position)) >= 0:
        count += text.count("<", position, start)
        end = text.find("]]>", start)
        if end < 0:
            return count
        position = end
    return count + text.count("<", position)


class _TooComplex(Exception):
    """`good_until`: where the entry begins, in bytes, that goes beyond what can be parsed."""

    def __init__(self, good_until: int) -> None:
        super().__init__(good_until)
        self.good_until = good_until


def _without_doctype(text: str) -> str:
    """A document type adds entities, which are either HTML's (known) or a bomb."""
    start = text.find("<!DOCTYPE", 0, 2000)
    if start < 0:
        return text
    end = text.find(">", start)
    subset = text.find("[", start)
    if 0 <= subset < end:
        closing = re.compile(r"\]\s*>").search(text, subset)
        end = closing.end() - 1 if closing else len(text)
    return text[:start] + text[end + 1 :] if end >= 0 else text[:start]


def _cut_after(text: str, max_entries: int) -> int:
    """Where entry number `max_entries` + 1 begins; the text's length when there is none."""
    if text.count("item") + text.count("entry") <= max_entries:
        return len(text)  # the common case, without walking through every tag
    for number, found in enumerate(re.finditer(r"<(?:\w{1,20}:)?(?:item|entry)[\s>]", text)):
        if number == max_entries:
            return found.start()
    return len(text)


def _is_well_formed(data: bytes) -> bool:
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    elements = attributes_in_all = depth = last_entry = 0
    namespaces: set[str] = set()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements, attributes_in_all, depth, last_entry
        elements += 1
        attributes_in_all += len(attributes)
        depth += 1
        if name.endswith(("item", "entry")):
            last_entry = parser.CurrentByteIndex
        if (
            elements > _MAX_ELEMENTS
            or depth > _MAX_DEPTH
            or len(attributes) > _MAX_ATTRIBUTES
            or attributes_in_all > _MAX_ATTRIBUTES_IN_ALL
            or len(namespaces) > _MAX_NAMESPACES
        ):
            raise _TooComplex(last_entry)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def declare(prefix: str | None, uri: str) -> None:
        namespaces.add(f"{prefix} {uri}")

    parser.StartElementHandler = start
    parser.StartNamespaceDeclHandler = declare
    parser.EndElementHandler = end
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return False
    return True


def _mended(text: str) -> bytes:
    text = _declared(text)
    declared = text.encode("utf-8", "replace")
    if _is_well_formed(declared):
        return declared
    # In CDATA, too: there it is HTML, where a numeric reference says the same.
    text = _ENTITY.sub(_numeric, text)
    for name in ("title", "description", "content:encoded", "summary"):
        text = _raw_html_escaped(text, name)
    text = _outside_cdata(text)
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
        strip_cdata=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return b""
    if root is None:
        return b""
    data: bytes = etree.tostring(root, encoding="utf-8")
    return data if _is_well_formed(data) else b""


def _declared(text: str) -> str:
    """Prefixes that no element above declares are declared by the root."""
    root = _ROOT.search(text)
    if root is None:
        return text
    start_tag = text[root.start() : text.find(">", root.end()) + 1]
    used = {one or other for one, other in _PREFIXED.findall(text)} - {"xml", "xmlns"}
    missing = [name for name in sorted(used) if f"xmlns:{name}=" not in start_tag]
    added = "".join(
        f' xmlns:{name}="{_NAMESPACES.get(name, f"urn:undeclared:{name}")}"'
        for name in missing[: _MAX_NAMESPACES // 2]
    )
    return text[: root.end()] + added + text[root.end() :]


def _numeric(found: re.Match[str]) -> str:
    name = found[1]
    if name in _PREDEFINED:
        return found[0]
    meaning = html.entities.html5.get(name + ";")
    return "".join(f"&#{ord(letter)};" for letter in meaning) if meaning else found[0]


def _raw_html_escaped(text: str, name: str) -> str:
    """HTML written straight into an RSS element ("<title>Q <br> A</title>"), as text."""
    if "<item" not in text:
        return text  # Atom has markup of its own there (type="xhtml")
    opening, closing = f"<{name}>", f"</{name}>"
    pieces: list[str] = []
    position = 0
    while (start := text.find(opening, position)) >= 0:
        start += len(opening)
        end = text.find(closing, start)
        if end < 0:
            break
        inside = text[start:end]
        if "<" in inside and "<![CDATA[" not in inside and opening not in inside:
            inside = inside.replace("<", "&lt;")
        pieces += [text[position:start], inside]
        position = end
    return "".join(pieces) + text[position:]


def _outside_cdata(text: str) -> str:
    """Escapes bare ampersands ("Q&A"), which libxml2's recovery would drop, but not in CDATA."""
    pieces: list[str] = []
    position = 0
    while (start := text.find("<![CDATA[", position)) >= 0:
        end = text.find("]]>", start)
        end = len(text) if end < 0 else end + 3
        pieces.append(_BARE_AMPERSAND.sub("&amp;", text[position:start]))
        pieces.append(text[start:end])
        position = end
    pieces.append(_BARE_AMPERSAND.sub("&amp;", text[position:]))
    return "".join(pieces)
