"""A mail that came to a return path, from bytes to what it says. Pure: nothing is believed yet."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import Message

from newsletter.delivery.bounces.complaint import read_complaint
from newsletter.delivery.bounces.dsn import read_dsn
from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.second_reader import MOST_BYTES as MOST_BYTES_OF_WORDS
from newsletter.delivery.bounces.second_reader import read_words
from newsletter.delivery.return_path import tokens_in

# What counts stands at the beginning; a mail that is quoted whole may be cut.
MOST_BYTES = 1_000_000
# Where servers write the address that a mail was delivered to.
_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To")
_MOST_HEADER = 5_000


def read_report(raw: bytes, *, recipients: tuple[str, ...] = ()) -> Report | None:
    """What a mail says; None when it cannot be read at all.

    `recipients` are the addresses it came to, as far as the mail server tells them beside the mail.
    """
    try:
        message = message_from_bytes(raw[:MOST_BYTES])
        report = _read(message, len(raw))
        tokens = tokens_in(" ".join([*recipients, *_addressed(message)]))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        # The standard library's parser on mails that were made to break it.
        return None
    return replace(report, tokens=tuple(dict.fromkeys([*tokens, *report.tokens])))


def _read(message: Message, size: int) -> Report:
    # The form before all else: Postfix marks its notifications as automatic replies, too.
    report = read_complaint(message) or read_dsn(message)
    if report is not None:
        return report
    if _is_automatic(message):
        return Report(Said.AUTO_REPLY)
    # A form that is not kept to says nothing: the second reader would believe it.
    if message.get_content_type() == "multipart/report" or size > MOST_BYTES_OF_WORDS:
        return Report(Said.NOTHING)
    return read_words(message) or Report(Said.NOTHING)


def _is_automatic(message: Message) -> bool:
    """Holiday notes and receipts (RFC 3834, RFC 8098), and what came before there was a standard.

    What servers generate is not meant: reports say "auto-generated" or "auto-replied" as well, but
    come from nobody.
    """
    if str(message.get_param("report-type", "")).lower() == "disposition-notification":
        return True
    if "X-Failed-Recipients" in message or _from_a_server(message):
        return False
    submitted = re.split(r"[;(\s]", str(message.get("Auto-Submitted", "")).strip().lower())[0]
    if submitted in ("auto-replied", "auto-notified"):
        return True
    if str(message.get("Precedence", "")).strip().lower() in ("auto_reply", "auto-reply"):
        return True
    return any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))


def _from_a_server(message: Message) -> bool:
    sender = str(message.get("From", "")).lower()
    return any(name in sender for name in ("mailer-daemon", "postmaster", "mail delivery"))


def _addressed(message: Message) -> list[str]:
    return [str(value)[:_MOST_HEADER] for name in _TO for value in message.get_all(name, [])[:10]]
