"""What a worker reads and writes for each message, guarded by its fence.

Plain SQL, because it runs for every message of a digest; the changes are the same on both
databases, which differ only in how several of them become one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
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


_WITH_MEMBERS = """
    FROM {delivery}
    JOIN {digest} ON {digest}.id = {delivery}.digest_id
    LEFT JOIN {member} ON {member}.id = {delivery}.member_id
    LEFT JOIN {subscription} ON {subscription}.member_id = {member}.id
        AND {subscription}.newsletter_id = {digest}.newsletter_id
    LEFT JOIN {suppression} ON {suppression}.address_hash = {member}.address_hash
"""
# Why this member must not get it now, though they were to when the digest was approved.
_OBSTACLE = """
    CASE
        WHEN {member}.id IS NULL THEN %(erased)s
        WHEN {suppression}.id IS NOT NULL THEN %(suppressed)s
        WHEN {subscription}.state = %(active)s AND {member}.confirmed_at IS NOT NULL THEN
            CASE WHEN {subscription}.paused_until > %(now)s THEN %(paused)s ELSE '' END
        ELSE %(unsubscribed)s
    END
"""
_OBSTACLES = {
    "active": Subscription.State.ACTIVE.value,
    **{
        reason.name.lower(): reason.value
        for reason in (
            Delivery.Reason.ERASED,
            Delivery.Reason.SUPPRESSED,
            Delivery.Reason.PAUSED,
            Delivery.Reason.UNSUBSCRIBED,
        )
    },
}


class DigestStopped(Exception):
    """The digest was paused or cancelled: nothing more of it may go out."""


@dataclass(frozen=True)
class Row:
    """A delivery as it stands at this moment, with what speaks against it."""

    delivery_id: int
    variant_id: int
    attempts: int
    address: str = field(repr=False)  # stays out of tracebacks
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
    claim: Claim, rows: Sequence[Row], outcomes: Sequence[Outcome], *, now: datetime
) -> set[int]:
    """Commit that these messages are about to be handed over, and what became of earlier ones.

    The check is made once more, in the same transaction: a recipient may have left while the
    server was thinking about RCPT. Answers with the deliveries that may go on. Raises LeaseLost
    and DigestStopped; then nothing was begun (but the outcomes are kept in the second case).
    """
    among, numbers = _among(rows)
    changed = _commit(claim, [*_writes(outcomes), _begins(among, numbers)], now=now)
    if changed == len(rows):
        return {row.delivery_id for row in rows}
    # Something is in the way of some of them: now a few looks more may be taken.
    _make_sure_it_is_held(claim)
    begun = _select(
        "SELECT id FROM {delivery} WHERE state = %(data)s AND {condition}",
        among,
        data=Delivery.State.DATA_STARTED.value,
        **numbers,
    )
    if not begun:
        _read(f"{{delivery}}.{among}", claim=claim, now=now, **numbers)  # raises DigestStopped
    return {delivery_id for (delivery_id,) in begun}


def record(claim: Claim, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Commit what became of messages. Raises LeaseLost, and then nothing is written."""
    if outcomes and not _commit(claim, _writes(outcomes), now=now):
        _make_sure_it_is_held(claim)


# An UPDATE that does nothing unless the batch is `held`, and its own values.
Change = tuple[str, dict[str, Any]]


def _commit(claim: Claim, changes: Sequence[Change], *, now: datetime) -> int:
    """Make all these changes if the claim stands, or none; how many rows the last one changed.

    PostgreSQL gets them as one statement, which is a transaction and a single round trip: with a
    round trip for every step, the database set the pace and not the mail server.
    """
    claims.renew(claim, now=now)
    values: dict[str, Any] = {
        "batch": claim.batch_id,
        "fence": claim.fence,
        "claimed": Delivery.State.CLAIMED.value,  # a batch's word for it, too
        "data": Delivery.State.DATA_STARTED.value,
        "now": _moment(now),
    }
    is_held = "id = %(batch)s AND fence = %(fence)s AND state = %(claimed)s"
    held = f"SELECT id FROM {_TABLES['batch']} WHERE {is_held}"  # noqa: S608
    if connection.vendor == "postgresql":
        # The lock: else a take-over could commit between the look at the fence and the writes.
        steps = [f"WITH held AS ({held} FOR SHARE)"]
        for number, (change, more) in enumerate(changes[:-1]):
            steps.append(f"change_{number} AS ({change})")
            values |= more
        last, more = changes[-1]
        return _run(f"{', '.join(steps)} {last}", held="held", **values, **more)
    # There is one writer at a time, and the transaction begins as one. No WITH: Python's sqlite3
    # counts rows only for statements that begin with UPDATE.
    with transaction.atomic():
        for change, more in changes:
            changed = _run(change, held=f"({held}) AS held", **values, **more)
    return changed


def _writes(outcomes: Sequence[Outcome]) -> list[Change]:
    return [
        (
            # Only names of placeholders are put together here, no values.
            f"UPDATE {{delivery}} SET state = %(state_{n})s, reason = %(reason_{n})s,"  # noqa: S608
            f" smtp_code = %(code_{n})s, detail = %(detail_{n})s,"
            f" attempts = attempts + %(attempts_{n})s, next_attempt_at = %(next_{n})s,"
            " changed_at = %(now)s"
            f" WHERE id = %(id_{n})s AND state IN (%(claimed)s, %(data)s)"
            " AND EXISTS (SELECT 1 FROM {held})",
            {
                f"id_{n}": outcome.delivery_id,
                f"state_{n}": outcome.state.value,
                f"reason_{n}": str(outcome.reason),
                f"code_{n}": outcome.smtp_code,
                f"detail_{n}": outcome.detail[:500],
                f"attempts_{n}": int(outcome.attempted),
                f"next_{n}": _moment(outcome.next_attempt_at),
            },
        )
        for n, outcome in enumerate(outcomes)
    ]


def _begins(among: str, numbers: dict[str, Any]) -> Change:
    return (
        "UPDATE {delivery} SET state = %(data)s, changed_at = %(now)s"  # noqa: S608
        f" WHERE {among} AND state = %(claimed)s AND EXISTS (SELECT 1 FROM {{held}})"
        f" AND id IN (SELECT {{delivery}}.id {_WITH_MEMBERS} WHERE {{delivery}}.{among}"
        " AND {digest}.status = %(sending)s AND {digest}.paused_at IS NULL"
        f" AND {_OBSTACLE} = '')",
        {"sending": Digest.Status.SENDING.value, **_OBSTACLES, **numbers},
    )


def _make_sure_it_is_held(claim: Claim) -> None:
    if not claims.held(claim).exists():
        raise LeaseLost(f"Batch {claim.batch_id} was taken over by another worker.")


def _among(rows: Sequence[Row]) -> tuple[str, dict[str, Any]]:
    """A condition that is the same text for every message, so that SQLite keeps the statement."""
    numbers: dict[str, Any] = {f"row_{n}": row.delivery_id for n, row in enumerate(rows)}
    return f"id IN ({', '.join(f'%({name})s' for name in numbers)})", numbers


def _read(condition: str, *, claim: Claim, now: datetime, **values: Any) -> list[Row]:
    found = _select(
        "SELECT {delivery}.id, {delivery}.variant_id, {delivery}.attempts, {digest}.status,"
        f" {{digest}}.paused_at, {{member}}.address, {{member}}.uid, {_OBSTACLE} {_WITH_MEMBERS}"
        " WHERE {delivery}.digest_id = %(digest)s AND {delivery}.state = %(claimed)s"
        " AND {condition}",
        condition.format(**_TABLES),
        digest=claim.digest_id,
        claimed=Delivery.State.CLAIMED.value,
        now=_moment(now),
        **_OBSTACLES,
        **values,
    )
    rows: list[Row] = []
    for delivery_id, variant_id, attempts, status, paused_at, address, uid, obstacle in found:
        if status != Digest.Status.SENDING or paused_at is not None:
            raise DigestStopped("paused" if status == Digest.Status.SENDING else str(status))
        rows.append(
            Row(
                delivery_id=delivery_id,
                variant_id=variant_id,
                attempts=attempts,
                address=address or "",
                member_uid=UUID(str(uid)) if uid is not None else UUID(int=0),
                obstacle=Delivery.Reason(obstacle) if obstacle else None,
            )
        )
    return rows


def _select(statement: str, condition: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**_TABLES, condition=condition), values)
        return cursor.fetchall()


def _run(statement: str, *, held: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**_TABLES, held=held), values)
        return int(cursor.rowcount)


def _moment(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if value else None
