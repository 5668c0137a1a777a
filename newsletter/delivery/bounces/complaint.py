"""Complaints that providers pass on: the Abuse Reporting Format (RFC 5965)."""

from __future__ import annotations

from email.message import Message

from newsletter.delivery.bounces.dsn import groups_of
from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.words import field_of, headers_in, parts_of, plain
from newsletter.delivery.return_path import tokens_in

# The draft's version number, which some providers never changed.
_VERSIONS = ("1", "0.1")
_QUOTED = ("message/rfc822", "text/rfc822-headers", "text/rfc822-header")
_COMPLAINTS = ("abuse", "opt-out", "opt-out-list")


def read_complaint(message: Message) -> Report | None:
    """None when it is no feedback report; other kinds than abuse say nothing about a recipient."""
    parts = parts_of(message) if message.get_content_type() == "multipart/report" else []
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            return _read_fields(part, parts)
    return None


def _read_fields(part: Message, parts: list[Message]) -> Report | None:
    groups = groups_of(part)
    if not groups:
        return None
    fields = groups[0]
    kinds = fields.get_all("Feedback-Type", [])
    if len(kinds) != 1 or field_of(fields, "Version") not in _VERSIONS:
        return None
    said = Said.COMPLAINT if str(kinds[0]).strip().lower() in _COMPLAINTS else Said.NOTHING
    return Report(
        said=said,
        server=plain(field_of(fields, "Reporting-MTA").rpartition(";")[2], 100)
        or plain(field_of(fields, "User-Agent"), 100),
        tokens=tuple(tokens_in(" ".join(_our_senders(fields, parts)))),
    )


def _our_senders(fields: Message, parts: list[Message]) -> list[str]:
    """Such reports come to an address of their own: our return path is in what they quote."""
    found = [str(value) for value in fields.get_all("Original-Mail-From", [])]
    for part in parts:
        if part.get_content_type() in _QUOTED:
            headers = headers_in(part)
            found += [str(value) for value in headers.get_all("Return-Path", [])]
    return found
