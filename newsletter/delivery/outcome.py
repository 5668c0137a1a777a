"""A delivery that a worker has in hand, and what the mail server's answer means for it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from newsletter import conf
from newsletter.delivery.models import Delivery
from newsletter.delivery.wire import Reply

# A connection that had served others may have been closed for its age: try at once on a new one,
# but not for ever.
_QUICK_RETRIES = 2

State = Delivery.State
Reason = Delivery.Reason


class Row(NamedTuple):
    """A delivery as it stands at this moment, with what speaks against it."""

    delivery_id: int
    variant_id: int
    attempts: int
    address: str
    member_uid: UUID  # zero when the member was erased
    obstacle: Delivery.Reason | None

    def __repr__(self) -> str:
        return f"Row(delivery_id={self.delivery_id})"  # the address stays out of tracebacks


class Outcome(NamedTuple):
    delivery_id: int
    state: Delivery.State
    reason: str = ""
    smtp_code: int | None = None
    detail: str = ""
    attempted: bool = True
    next_attempt_at: datetime | None = None


def answered(row: Row, reply: Reply, reason: Reason, *, now: datetime) -> Outcome:
    """`reason` says which question the server refused, if it did."""
    detail = _words(reply)
    if 200 <= reply.code < 300:
        return Outcome(row.delivery_id, State.SENT, "", reply.code, detail)
    if reply.permanent:
        if reply.text.startswith(("5.6.7", "5.1.3")):
            reason = Reason.ADDRESS
        return Outcome(row.delivery_id, State.FAILED, reason, reply.code, detail)
    return Outcome(
        row.delivery_id, State.DEFERRED, reason, reply.code, detail,
        next_attempt_at=now + retry_after(row.attempts + 1),
    )  # fmt: skip


def sender_refused(row: Row, reply: Reply, *, now: datetime) -> Outcome:
    """Tried again however final the answer sounds: it is about us, not about the recipient."""
    return Outcome(
        row.delivery_id, State.DEFERRED, Reason.SENDER, reply.code, _words(reply),
        next_attempt_at=now + retry_after(row.attempts + 1),
    )  # fmt: skip


def broken(row: Row, detail: str, *, was_reused: bool, now: datetime) -> Outcome:
    """The connection broke before the message was handed over: sending again is safe."""
    at_once = was_reused and row.attempts < _QUICK_RETRIES
    return Outcome(
        row.delivery_id, State.DEFERRED, Reason.DISCONNECTED, None, detail,
        next_attempt_at=now if at_once else now + retry_after(row.attempts + 1),
    )  # fmt: skip


def silent(row: Row, detail: str) -> Outcome:
    """The server may have the message. It is never sent again without looking."""
    return Outcome(row.delivery_id, State.UNCERTAIN, Reason.SILENCE, None, detail)


def put_off(row: Row, until: datetime) -> Outcome:
    """Not tried: its recipient's mail server wants a rest, or has had its share for now."""
    return Outcome(
        row.delivery_id, State.DEFERRED, Reason.PACE, attempted=False, next_attempt_at=until
    )


def skipped(row: Row, reason: Reason) -> Outcome:
    return Outcome(row.delivery_id, State.SKIPPED, reason, attempted=False)


def _words(reply: Reply) -> str:
    return " ".join(reply.text.split())


def retry_after(attempts: int) -> timedelta:
    minutes = conf.get("RETRY_MINUTES")
    return timedelta(minutes=float(minutes[min(attempts, len(minutes)) - 1]))
