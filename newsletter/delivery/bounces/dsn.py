"""Delivery status notifications (RFC 3464): the machine-readable part, and nothing else."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message

from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.status import meaning_of, status_field, status_of
from newsletter.delivery.bounces.words import field_of, parts_of, plain

_MOST_GROUPS = 50
_SAID = {
    "failed": Said.FAILED,
    "delayed": Said.DELAYED,
    "delivered": Said.DELIVERED,
    "relayed": Said.DELIVERED,
    "expanded": Said.DELIVERED,
}
# What harms the member least counts first, where a report speaks of several recipients.
_MILDEST = [Said.DELIVERED, Said.DELAYED, Said.FAILED]


def read_dsn(message: Message) -> Report | None:
    """What the notification says of our one recipient; None when it is not one.

    Only a part of the mail itself counts, not one inside a forwarded mail.
    """
    parts = parts_of(message) if message.get_content_type() == "multipart/report" else []
    for part in parts:
        if _is_status(part):
            reports = [
                report
                for group in groups_of(part)[:_MOST_GROUPS]
                if (report := _read_group(group)) is not None
            ]
            return min(reports, key=_harm) if reports else None
    return None


def groups_of(part: Message) -> list[Message]:
    """The blocks of fields in a message/delivery-status or message/feedback-report part."""
    groups = parts_of(part)
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in ("base64", "quoted-printable"):
        return groups
    # Forbidden there (RFC 3464, 2.1), and done all the same.
    text = "\n\n".join(str(one) for one in groups).strip()
    inner = message_from_bytes(
        b"Content-Type: text/plain\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\n\n"
        + text.encode("utf-8", "replace")
    ).get_payload(decode=True)
    blocks = (inner if isinstance(inner, bytes) else b"").replace(b"\r\n", b"\n").split(b"\n\n")
    return [message_from_bytes(block) for block in blocks if block.strip()]


def _is_status(part: Message) -> bool:
    return part.get_content_type() in ("message/delivery-status", "message/global-delivery-status")


def _read_group(group: Message) -> Report | None:
    """One recipient's fields; None for the message's own fields and for what lacks one."""
    action = field_of(group, "Action").partition("(")[0].strip().lower()
    said = _SAID.get(action)
    stated = status_field(field_of(group, "Status"))
    if said is None or not stated or not field_of(group, "Final-Recipient"):
        return None
    if said is Said.FAILED and stated.startswith("2"):
        return None  # contradicts itself
    words = field_of(group, "Diagnostic-Code").partition(";")[2]
    server = field_of(group, "Remote-MTA").rpartition(";")[2]
    return Report(
        said=said,
        status=status_of(stated, words) if said is Said.FAILED else stated,
        server=plain(server, 100),
        detail=plain(words, 500),
    )


def _harm(report: Report) -> tuple[int, str]:
    meaning = meaning_of(report.status).value
    return _MILDEST.index(report.said), {"about us": "0", "passing": "1", "gone": "2"}[meaning]
