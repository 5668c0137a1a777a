"""What an edit changed, word by word, in a text of any size.

Myers' greedy search (E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986) takes
time with the number of differences, not with the square of the text: paragraphs are compared
first, then the words within what changed. A search that would take too long is given up, and the
passage shown as replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import lxml.html

CONTEXT = 25  # words kept on each side of a change
LONGEST_PIECE = 4_000  # characters shown of one piece
MOST_DIFFERENCES = 600
MOST_STEPS = 1_500_000  # in one comparison, about a second


class Kind(StrEnum):
    SAME = "same"
    GONE = "gone"
    NEW = "new"
    SKIPPED = "skipped"  # `words` unchanged words that are not shown


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str = ""
    words: int = 0


_BLOCKS = (
    "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "tr",
    "table", "figure", "figcaption", "br", "hr", "dt", "dd",
)  # fmt: skip


def text_of(html: str) -> str:
    """The words of a cleaned text, a line for each block."""
    if not html.strip():
        return ""
    root = lxml.html.fragment_fromstring(html, create_parent="div")
    for block in root.iter(*_BLOCKS):
        if block is not root:
            block.text = f"\n{block.text or ''}"
            block.tail = f"\n{block.tail or ''}"
    lines = (" ".join(line.split()) for line in str(root.text_content()).split("\n"))
    return "\n".join(line for line in lines if line)


def difference(before: str, after: str) -> list[Piece]:
    """`before` and `after` as pieces that stayed, went and came; a long same stretch is cut."""
    raw: list[tuple[Kind, list[str]]] = []
    search = _Search()
    for kind, lines, others in _changes(before.split("\n"), after.split("\n"), search):
        if kind is not None:
            raw.append((kind, _words("\n".join(lines) + "\n")))
            continue
        old, new = _words("\n".join(lines) + "\n"), _words("\n".join(others) + "\n")
        for inner, some, more in _changes(old, new, search):
            if inner is not None:
                raw.append((inner, list(some)))
            else:
                raw += [(Kind.GONE, list(some)), (Kind.NEW, list(more))]
    return list(_shown(_merged(raw)))


def _words(text: str) -> list[str]:
    """Each word with the white space after it, so that the pieces join to the text again."""
    return re.findall(r"\S+[^\S\n]*\n?|\n", text)


def _changes(
    before: Sequence[str], after: Sequence[str], search: _Search
) -> Iterator[tuple[Kind | None, Sequence[str], Sequence[str]]]:
    """Runs that are the same, gone or new; None for a run whose replacement follows it."""
    start = 0
    shorter = min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    if start:
        yield Kind.SAME, before[:start], ()
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    gone: list[str] = []
    came: list[str] = []
    for kind, item in search.script(old, new):
        if kind is Kind.SAME:
            yield from _replacement(gone, came)
            gone, came = [], []
            yield Kind.SAME, [item], ()
        else:
            (gone if kind is Kind.GONE else came).append(item)
    yield from _replacement(gone, came)
    if end:
        yield Kind.SAME, before[len(before) - end :], ()


def _replacement(
    gone: Sequence[str], came: Sequence[str]
) -> Iterator[tuple[Kind | None, Sequence[str], Sequence[str]]]:
    if gone and came:
        yield None, gone, came
    elif gone:
        yield Kind.GONE, gone, ()
    elif came:
        yield Kind.NEW, came, ()


class _Search:
    """Counts its steps over a whole comparison, so that many changed passages cost no more."""

    def __init__(self) -> None:
        self.left = MOST_STEPS

    def script(self, old: Sequence[str], new: Sequence[str]) -> list[tuple[Kind, str]]:
        """The shortest way from `old` to `new`; all replaced where finding it takes too long."""
        furthest = {1: 0}
        trace: list[dict[int, int]] = []
        for distance in range(min(len(old) + len(new), MOST_DIFFERENCES) + 1):
            if not old or not new or self.left <= 0:
                break
            trace.append(dict(furthest))
            self.left -= distance
            for diagonal in range(-distance, distance + 1, 2):
                down = _from_above(furthest, diagonal, distance)
                x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
                y = x - diagonal
                begun = x
                while x < len(old) and y < len(new) and old[x] == new[y]:
                    x, y = x + 1, y + 1
                furthest[diagonal] = x
                self.left -= 1 + x - begun
                if x >= len(old) and y >= len(new):
                    return _walked_back(old, new, trace)
        return [*((Kind.GONE, one) for one in old), *((Kind.NEW, one) for one in new)]


def _from_above(furthest: dict[int, int], diagonal: int, distance: int) -> bool:
    return diagonal == -distance or (
        diagonal != distance and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
    )


def _walked_back(
    old: Sequence[str], new: Sequence[str], trace: Sequence[dict[int, int]]
) -> list[tuple[Kind, str]]:
    script: list[tuple[Kind, str]] = []
    x, y = len(old), len(new)
    for distance in range(len(trace) - 1, -1, -1):
        furthest, diagonal = trace[distance], x - y
        down = _from_above(furthest, diagonal, distance)
        from_diagonal = diagonal + 1 if down else diagonal - 1
        from_x = furthest.get(from_diagonal, 0)
        from_y = from_x - from_diagonal
        while x > max(from_x, 0) and y > max(from_y, 0) and old[x - 1] == new[y - 1]:
            script.append((Kind.SAME, old[x - 1]))
            x, y = x - 1, y - 1
        if distance:
            if x == from_x:
                script.append((Kind.NEW, new[y - 1]))
                y -= 1
            else:
                script.append((Kind.GONE, old[x - 1]))
                x -= 1
    return script[::-1]


def _merged(raw: Sequence[tuple[Kind, list[str]]]) -> list[tuple[Kind, list[str]]]:
    """Neighbours of one kind joined; within a change, what went stands before what came."""
    merged: list[tuple[Kind, list[str]]] = []
    for kind, words in raw:
        if not words:
            continue
        if merged and merged[-1][0] is kind:
            merged[-1][1].extend(words)
        elif (
            kind is Kind.GONE
            and len(merged) > 1
            and merged[-1][0] is Kind.NEW
            and merged[-2][0] is Kind.GONE
        ):
            merged[-2][1].extend(words)
        else:
            merged.append((kind, list(words)))
    return merged


def _shown(merged: Sequence[tuple[Kind, list[str]]]) -> Iterator[Piece]:
    last = len(merged) - 1
    for place, (kind, words) in enumerate(merged):
        if kind is not Kind.SAME:
            yield Piece(kind, _cut("".join(words)), len(words))
            continue
        before = CONTEXT if place else 0
        after = CONTEXT if place < last else 0
        if len(words) <= before + after + CONTEXT:
            yield Piece(kind, "".join(words), len(words))
            continue
        if before:
            yield Piece(kind, "".join(words[:before]), before)
        yield Piece(Kind.SKIPPED, words=len(words) - before - after)
        if after:
            yield Piece(kind, "".join(words[-after:]), after)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_PIECE else f"{text[:LONGEST_PIECE].rstrip()} […]\n"
