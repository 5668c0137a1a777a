"""Fields and words of a strange mail, made harmless."""

from __future__ import annotations

import re
from email import message_from_string
from email.message import Message

from newsletter.delivery.wire import without_addresses

_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def field_of(headers: Message, name: str) -> str:
    """The first field of that name, unfolded; empty when there is none."""
    value = headers.get(name)
    return _CONTROL.sub(" ", str(value)).strip() if value is not None else ""


def plain(text: str, longest: int) -> str:
    """On one line, without addresses, cut."""
    return without_addresses(_CONTROL.sub(" ", text[: 4 * longest]).strip())[:longest]


def parts_of(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def headers_in(part: Message) -> Message:
    """The headers of a quoted mail, whole or headers alone."""
    if inner := parts_of(part):
        return inner[0]
    payload = part.get_payload()
    return message_from_string(payload.lstrip() if isinstance(payload, str) else "")


def text_of(message: Message, longest: int) -> str:
    """The first plain text of the mail itself; what it quotes as an attachment is not read."""
    is_whole = message.get_content_maintype() == "multipart"
    for part in parts_of(message) if is_whole else [message]:
        if part.get_content_type() == "text/plain" and not part.is_multipart():
            raw = part.get_payload(decode=True)
            if isinstance(raw, bytes):
                return raw[:longest].decode("utf-8", "replace")
    return ""
