"""What a status code says about a mailbox. Pure; the codes are RFC 3463's and its registry's."""

from __future__ import annotations

import enum
import re

# "550 5.1.1 …", "550-5.1.1", "#5.1.1", "(5.1.1)": not a part of an address or a version.
_IN_WORDS = re.compile(r"(?<![\w.])#?([45])\.(\d{1,3})\.(\d{1,3})(?![\w]|\.\d)")
_REPLY = re.compile(r"(?<![\w.])([45])\d\d[ -]")
_FIELD = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")

# Bad address, bad domain, bad syntax, moved without a new address, a domain without mail.
_NO_MAILBOX = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10)}
# The sender's address (1.7, 1.8), size, route and protocol, content and security: about us.
_ABOUT_US = {(1, 7), (1, 8), (3, 4)}
_SUBJECTS_ABOUT_US = {5, 6, 7}


class Meaning(enum.Enum):
    GONE = "gone"  # there is no such mailbox
    PASSING = "passing"  # full, asleep, out of reach, or not said
    ABOUT_US = "about us"  # our server, our sender, our content: never the member's fault


def meaning_of(status: str) -> Meaning:
    """For a mail that was given up. Only what says so plainly means that the mailbox is gone."""
    found = _FIELD.fullmatch(status)
    if not found:
        return Meaning.PASSING
    severity, subject, detail = (int(part) for part in found.groups())
    if severity == 4 and subject == 7:
        return Meaning.ABOUT_US  # our reputation was too low for days on end
    if severity != 5:
        return Meaning.PASSING
    if subject in _SUBJECTS_ABOUT_US or (subject, detail) in _ABOUT_US:
        return Meaning.ABOUT_US
    return Meaning.GONE if (subject, detail) in _NO_MAILBOX else Meaning.PASSING


def status_field(value: str) -> str:
    """The code at the beginning of a Status field; empty when it is not one."""
    found = _FIELD.match(value)
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def status_in(words: str) -> str:
    """The code that a server's answer carries; the one that harms the member least, of several."""
    codes = [".".join(found.groups()) for found in _IN_WORDS.finditer(words)]
    return min(codes, key=_harm) if codes else ""


def status_of(stated: str, words: str) -> str:
    """The code that counts, of the one in the field and those in the words of the answer.

    The words decide where the field only says "failed" (Exim's 5.0.0), and where they are milder:
    some servers file a refusal for their policy under 5.1.1. A plain "450" is temporary.
    """
    in_words = status_in(words)
    reply = _REPLY.search(words)
    if not in_words and reply and reply.group(1) == "4":
        in_words = "4.0.0"
    if not in_words:
        return stated
    if not stated or stated.endswith(".0.0"):
        return in_words
    return min(stated, in_words, key=_harm)


def _harm(status: str) -> int:
    return [Meaning.ABOUT_US, Meaning.PASSING, Meaning.GONE].index(meaning_of(status))
