"""Where in a text the words stand that gave it its themes. Pure.

Evidence names each word once, as the text has it; here every place is found that has the same
stems, also across the tags of a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lxml.html
from lxml import etree

from newsletter.themes.stemming import stem_phrase, tokens

CLASS = "desk-term"
STYLES = 4  # ways of underlining, in turn
MOST_MARKS = 2_000  # of one text: a longer page helps nobody
# Between the words of these no phrase can stand.
_BLOCK_TAGS = """
    address article aside blockquote br caption dd details div dl dt figcaption figure footer h1
    h2 h3 h4 h5 h6 header hr li ol p pre section summary table tbody td tfoot th thead tr ul
"""
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_LEAVE = frozenset({"script", "style"})


@dataclass(frozen=True)
class Place:
    start: int
    end: int
    themes: tuple[int, ...]  # numbers of the legend, rising


def places(text: str, terms: Mapping[int, Sequence[str]], language: str) -> list[Place]:
    """`terms`: number in the legend → words as evidence has them. From left to right."""
    by_first: dict[str, dict[tuple[str, ...], list[int]]] = {}
    for number in sorted(terms):
        for term in terms[number]:
            if stems := stem_phrase(term, language):
                numbers = by_first.setdefault(stems[0], {}).setdefault(stems, [])
                if number not in numbers:
                    numbers.append(number)
    found: list[Place] = []
    words = tokens(text, language) if by_first else []
    at = 0
    while at < len(words) and len(found) < MOST_MARKS:
        here = by_first.get(words[at].stem, {})
        fitting = [
            stems
            for stems in here
            if tuple(word.stem for word in words[at : at + len(stems)]) == stems
        ]
        if not fitting:
            at += 1
            continue
        longest = max(fitting, key=len)
        named = {one for stems in fitting for one in here[stems]}
        last = at + len(longest) - 1
        found.append(Place(words[at].start, words[last].end, tuple(sorted(named))))
        at = last + 1
    return found


def mark(html: str, terms: Mapping[int, Sequence[str]], language: str) -> str:
    """Cleaned HTML with a <mark> around each place; nothing else of it changes."""
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    runs, text = _runs(root)
    found = places(text, terms, language)
    for run in reversed(runs):  # from the end: what comes before keeps its place
        _mark_run(run, [one for one in found if one.start < run.end and one.end > run.start])
    inner = lxml.html.tostring(root, encoding="unicode")
    return inner.removeprefix("<div>").removesuffix("</div>")


@dataclass(frozen=True)
class _Run:
    """Text between two tags: before an element's first child, or after the element."""

    element: etree._Element
    is_tail: bool
    start: int  # in the whole text
    end: int


def _runs(root: etree._Element) -> tuple[list[_Run], str]:
    runs: list[_Run] = []
    parts: list[str] = []
    length = 0

    def add(text: str | None) -> int:
        nonlocal length
        parts.append(text or "")
        length += len(text or "")
        return length

    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event in ("comment", "pi") or event == "end":
            if tag in _BLOCKS:
                add("\n")
            if element is not root and element.tail and not _is_left(element.getparent()):
                start = length
                runs.append(_Run(element, True, start, add(element.tail)))
            continue
        if tag in _BLOCKS:
            add("\n")
        if element.text and not _is_left(element):
            start = length
            runs.append(_Run(element, False, start, add(element.text)))
    return runs, "".join(parts)


def _is_left(element: etree._Element | None) -> bool:
    return element is not None and element.tag in _LEAVE


def _mark_run(run: _Run, found: Sequence[Place]) -> None:
    if not found:
        return
    text = (run.element.tail if run.is_tail else run.element.text) or ""
    marks: list[etree._Element] = []
    before, at = "", 0
    for place in found:
        start, end = max(place.start - run.start, 0), min(place.end - run.start, len(text))
        if marks:
            marks[-1].tail = text[at:start]
        else:
            before = text[at:start]
        element = etree.Element("mark")
        element.set("class", f"{CLASS} {CLASS}--{(place.themes[0] - 1) % STYLES + 1}")
        if place.end <= run.end:  # its number once, at the end of a phrase
            element.set("data-themes", " ".join(map(str, place.themes)))
        element.text = text[start:end]
        marks.append(element)
        at = end
    marks[-1].tail = text[at:]
    if run.is_tail:
        run.element.tail = before
        parent = run.element.getparent()
        assert parent is not None  # noqa: S101 (only elements below the root have tails here)
        first = parent.index(run.element) + 1
    else:
        run.element.text = before
        parent, first = run.element, 0
    for offset, element in enumerate(marks):
        parent.insert(first + offset, element)
