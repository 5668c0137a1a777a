"""What a worker reads and writes for each message, guarded by its fence.

Plain SQL, because it runs for every message of a digest; the statements are the same on both
databases, but for one lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from newsletter.delivery import claim as claims
from newsletter.delivery.claim import Claim
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest
from newsletter.exceptions import LeaseLost
from newsletter.members.models import Member, Subscription, Suppression

_TABLES = {
    model.__name__.lower(): model._meta.db_table
    for model in (Batch, Delivery, Digest, Member, Subscription, Suppression)
}


class DigestStopped(Exception):
    """The digest was paused or cancelled: nothing more of it may go out."""


@dataclass(frozen=True)
class Row:
    """A delivery as it stands at this moment, with what speaks against it."""

    delivery_id: int
    variant_id: int
    attempts: int
    address: str
    member_uid: UUID  # zero when the member was erased
    obstacle: Delivery.Reason | None


@dataclass(frozen=True)
class Outcome:
    delivery_id: int
    state: Delivery.State
    reason: str = ""
    smtp_code: int | None = None
    detail: str = ""
    attempted: bool = True
    next_attempt_at: datetime | None = None


def next_rows(claim: Claim, *, after: int, limit: int, now: datetime) -> list[Row]:
    """The next deliveries of the batch in order, each checked against the members of this moment.

    Raises DigestStopped. When the database does not answer, its error goes up: without the check
    nothing is sent.
    """
    return _read(
        "{delivery}.id > %(after)s AND {delivery}.id <= %(last)s"
        " ORDER BY {delivery}.id LIMIT %(limit)s",
        claim=claim, now=now, after=after, last=claim.last_id, limit=limit,
    )  # fmt: skip


def begin(
    claim: Claim, rows: Sequence[Row], outcomes: Iterable[Outcome], *, now: datetime
) -> set[int]:
    """Commit that these messages are about to be handed over, and what became of earlier ones.

    The check is made once more, in the same transaction: a recipient may have left while the
    server was thinking about RCPT. Answers with the deliveries that may go on. Raises LeaseLost
    and DigestStopped; then nothing was begun (but the outcomes are kept in the second case).
    """
    stopped: DigestStopped | None = None
    begun: set[int] = set()
    with transaction.atomic():
        _hold(claim, now=now)
        _write(outcomes, now=now)
        try:
            clear = [row.delivery_id for row in _fresh(claim, rows, now) if row.obstacle is None]
        except DigestStopped as stop:
            stopped, clear = stop, []
        for delivery_id in clear:
            changed = _run(
                "UPDATE {delivery} SET state = %(data)s, changed_at = %(now)s"
                " WHERE id = %(id)s AND state = %(claimed)s",
                id=delivery_id, data=Delivery.State.DATA_STARTED.value,
                claimed=Delivery.State.CLAIMED.value, now=_moment(now),
            )  # fmt: skip
            if changed:
                begun.add(delivery_id)
    if stopped:
        raise stopped
    return begun


def record(claim: Claim, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Commit what became of messages. Raises LeaseLost, and then nothing is written."""
    if not outcomes:
        return
    with transaction.atomic():
        _hold(claim, now=now)
        _write(outcomes, now=now)


def _hold(claim: Claim, *, now: datetime) -> None:
    """Keep the batch's row locked against a take-over until this transaction ends."""
    claims.renew(claim, now=now)
    # PostgreSQL: without the lock, a take-over could commit between this look and our write.
    # SQLite has one writer at a time, and the transaction began as one.
    lock = "FOR SHARE" if connection.vendor == "postgresql" else ""
    held = _select(
        "SELECT 1 FROM {batch}"
        " WHERE id = %(id)s AND fence = %(fence)s AND state = %(claimed)s {condition}",
        lock,
        id=claim.batch_id, fence=claim.fence, claimed=Batch.State.CLAIMED.value,
    )  # fmt: skip
    if not held:
        raise LeaseLost(f"Batch {claim.batch_id} was taken over by another worker.")


def _write(outcomes: Iterable[Outcome], *, now: datetime) -> None:
    for outcome in outcomes:
        _run(
            "UPDATE {delivery} SET state = %(state)s, reason = %(reason)s, smtp_code = %(code)s,"
            " detail = %(detail)s, attempts = attempts + %(attempts)s,"
            " next_attempt_at = %(next)s, changed_at = %(now)s"
            " WHERE id = %(id)s AND state IN (%(claimed)s, %(data)s)",
            id=outcome.delivery_id, state=outcome.state.value, reason=str(outcome.reason),
            code=outcome.smtp_code, detail=outcome.detail[:500],
            attempts=int(outcome.attempted), next=_moment(outcome.next_attempt_at),
            now=_moment(now), claimed=Delivery.State.CLAIMED.value,
            data=Delivery.State.DATA_STARTED.value,
        )  # fmt: skip


def _fresh(claim: Claim, rows: Sequence[Row], now: datetime) -> list[Row]:
    numbers = ", ".join(str(int(row.delivery_id)) for row in rows)
    return _read("{delivery}.id IN (" + numbers + ")", claim=claim, now=now) if rows else []


def _read(condition: str, *, claim: Claim, now: datetime, **values: Any) -> list[Row]:
    found = _select(
        """
        SELECT {delivery}.id, {delivery}.variant_id, {delivery}.attempts,
            {digest}.status, {digest}.paused_at,
            {member}.address, {member}.uid, {member}.confirmed_at,
            {subscription}.state, {subscription}.paused_until, {suppression}.id
        FROM {delivery}
        JOIN {digest} ON {digest}.id = {delivery}.digest_id
        LEFT JOIN {member} ON {member}.id = {delivery}.member_id
        LEFT JOIN {subscription} ON {subscription}.member_id = {member}.id
            AND {subscription}.newsletter_id = {digest}.newsletter_id
        LEFT JOIN {suppression} ON {suppression}.address_hash = {member}.address_hash
        WHERE {delivery}.digest_id = %(digest)s AND {delivery}.state = %(claimed)s
            AND {condition}
        """,
        condition.format(**_TABLES),
        digest=claim.digest_id,
        claimed=Delivery.State.CLAIMED.value,
        **values,
    )
    rows: list[Row] = []
    for (delivery_id, variant_id, attempts, status, paused_at, address, uid, confirmed_at,
         subscribed, paused_until, suppressed) in found:  # fmt: skip
        if status != Digest.Status.SENDING or paused_at is not None:
            raise DigestStopped("paused" if status == Digest.Status.SENDING else str(status))
        rows.append(
            Row(
                delivery_id=delivery_id,
                variant_id=variant_id,
                attempts=attempts,
                address=address or "",
                member_uid=UUID(str(uid)) if uid is not None else UUID(int=0),
                obstacle=_obstacle(
                    exists=uid is not None,
                    subscribed=subscribed == Subscription.State.ACTIVE and bool(confirmed_at),
                    paused_until=_aware(paused_until),
                    suppressed=suppressed is not None,
                    now=now,
                ),
            )
        )
    return rows


def _obstacle(
    *,
    exists: bool,
    subscribed: bool,
    paused_until: datetime | None,
    suppressed: bool,
    now: datetime,
) -> Delivery.Reason | None:
    """Why this member must not get it now, though they were to when the digest was approved."""
    if not exists:
        return Delivery.Reason.ERASED
    if suppressed:
        return Delivery.Reason.SUPPRESSED
    if not subscribed:
        return Delivery.Reason.UNSUBSCRIBED
    if paused_until is not None and paused_until > now:
        return Delivery.Reason.PAUSED
    return None


def _select(statement: str, condition: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**_TABLES, condition=condition), values)
        return cursor.fetchall()


def _run(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**_TABLES), values)
        return int(cursor.rowcount)


def _moment(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if value else None


def _aware(value: datetime | str | None) -> datetime | None:
    """SQLite answers plain SQL with text, in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
