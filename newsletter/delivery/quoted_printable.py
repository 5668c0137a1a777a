"""Quoted-printable that leaves slots whole.

A slot is replaced by something of the same length for every recipient, after the encoding: so no
soft line break may fall into it. The standard library's encoder knows no such places.
"""

from __future__ import annotations

import re

_LIMIT = 76  # characters on a line, the soft break's "=" included (RFC 2045, 6.7)
_PLAIN = frozenset(range(33, 127)) - {ord("=")} | {ord(" "), ord("\t")}
_ENCODED = [chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in range(256)]


def encode(text: str, *, slot: str) -> bytes:
    """`text` in quoted-printable with CRLF line ends, each `slot` in it on one line, as it is.

    No line starts with a dot, so that nothing needs dot-stuffing on the wire (RFC 5321, 4.5.2)
    and a signature over these bytes stays true; nor with "From ", which mbox files quote.
    """
    lines: list[str] = []
    # The pattern keeps the slots as pieces of their own; the rest goes character by character.
    pieces = re.compile(f"({re.escape(slot)})") if slot else None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        units: list[str] = []
        for piece in pieces.split(line) if pieces else [line]:
            if piece == slot:
                units.append(piece)
            else:
                units.extend(_unit(character) for character in piece)
        lines.extend(_fold(units))
    return "\r\n".join(lines).encode("ascii")


def _unit(character: str) -> str:
    """One character's encoding: several bytes of UTF-8 stay on one line."""
    if character.isascii():
        return _ENCODED[ord(character)]
    return "".join(_ENCODED[byte] for byte in character.encode("utf-8", "replace"))


def _fold(units: list[str]) -> list[str]:
    """One line of text as lines of at most 76 characters, soft breaks between units."""
    if units and units[-1] in (" ", "\t"):
        # White space at the end of a line is dropped on the way.
        units[-1] = f"={ord(units[-1]):02X}"
    lines: list[str] = []
    current = ""
    for number, unit in enumerate(units):
        shown = unit
        room = _LIMIT if number == len(units) - 1 else _LIMIT - 1
        if len(current) + len(shown) > room:
            lines.append(current + "=")
            current = ""
        if not current:
            shown = _guard(shown, units, number)
        current += shown
    lines.append(current)
    return lines


def _guard(unit: str, units: list[str], number: int) -> str:
    """The first unit of a line, encoded where a mail program would take it for something else."""
    if unit == "." or (unit == "F" and "".join(units[number : number + 5]) == "From "):
        return f"={ord(unit):02X}"
    return unit
