"""Quoted-printable that leaves slots whole.

A slot is replaced by something of the same length for every recipient, after the encoding: so no
soft line break may fall into it. The standard library's encoder knows no such places.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LIMIT = 76  # characters on a line, the soft break's "=" included (RFC 2045, 6.7)
_PLAIN = frozenset(range(33, 127)) - {ord("=")} | {ord(" "), ord("\t")}
_RUN = re.compile(f"[{re.escape(''.join(map(chr, sorted(_PLAIN))))}]+|.", re.DOTALL)


class _Unit(NamedTuple):
    """A piece of a line as it is written; a soft break may fall into a run, not into others."""

    text: str
    is_run: bool


def encode(text: str, *, slot: str) -> bytes:
    """`text` in quoted-printable with CRLF line ends, each `slot` in it on one line, as it is.

    No line starts with a dot, so that nothing needs dot-stuffing on the wire (RFC 5321, 4.5.2)
    and a signature over these bytes stays true; nor with "From ", which mbox files quote.
    """
    lines: list[str] = []
    # The pattern keeps the slots as pieces of their own.
    pieces = re.compile(f"({re.escape(slot)})") if slot else None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        units: list[_Unit] = []
        for piece in pieces.split(line) if pieces else [line]:
            if piece == slot:
                units.append(_Unit(piece, is_run=False))
            else:
                units += [_unit(found) for found in _RUN.findall(piece)]
        lines += _fold(_without_space_at_the_end(units))
    return "\r\n".join(lines).encode("ascii")


def _unit(found: str) -> _Unit:
    """A run of plain characters, or one that is not: its bytes of UTF-8 stay on one line."""
    if found.isascii() and ord(found[0]) in _PLAIN:
        return _Unit(found, is_run=True)
    return _Unit(_escaped(found), is_run=False)


def _escaped(character: str) -> str:
    return "".join(f"={byte:02X}" for byte in character.encode("utf-8", "replace"))


def _without_space_at_the_end(units: list[_Unit]) -> list[_Unit]:
    """White space at the end of a line is dropped on the way: it is escaped."""
    if not units or not units[-1].is_run or units[-1].text[-1] not in " \t":
        return units
    run = units[-1].text
    kept = [_Unit(run[:-1], is_run=True)] if run[:-1] else []
    return [*units[:-1], *kept, _Unit(_escaped(run[-1]), is_run=False)]


def _fold(units: list[_Unit]) -> list[str]:
    """One line of text as lines of at most 76 characters, soft breaks between units."""
    lines: list[str] = []
    current = ""
    left = sum(len(unit.text) for unit in units)  # still to be written
    for text, is_run in units:
        at = 0
        while at < len(text):
            # What ends the line needs no place for the "=" of a soft break.
            most = _LIMIT if len(current) + left <= _LIMIT else _LIMIT - 1
            if not current and is_run and (text[at] == "." or text.startswith("From ", at)):
                # A mail program would take it for something else at the head of a line.
                taken, current = 1, _escaped(text[at])
            elif is_run and len(current) < most:
                taken = min(most - len(current), len(text) - at)
                current += text[at : at + taken]
            elif not is_run and (not current or len(current) + len(text) <= most):
                taken = len(text)
                current += text
            else:
                taken = 0
                lines.append(current + "=")
                current = ""
            at += taken
            left -= taken
    lines.append(current)
    return lines
