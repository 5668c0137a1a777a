"""What a worker reads and writes in the database while it sends, guarded by its fence.

Plain SQL, because it runs for every message of a digest, or for hundreds of them at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from newsletter.delivery.models import Batch, Delivery
from newsletter.delivery.outcome import Outcome, Row
from newsletter.digests.models import Digest
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
# ruff: noqa: S608 - names of tables and placeholders are put together here, no values
_NEXT_ROWS = f"""
    SELECT {{delivery}}.id, {{delivery}}.variant_id, {{delivery}}.attempts, {{digest}}.status,
        COALESCE({{digest}}.paused_at, {{digest}}.called_off_at), {{member}}.address,
        {{member}}.uid, {_OBSTACLE} {_WITH_MEMBERS}
    WHERE {{delivery}}.digest_id = %(digest)s AND {{delivery}}.state = %(pending)s
        AND {{delivery}}.id > %(after)s AND {{delivery}}.id <= %(last)s
    ORDER BY {{delivery}}.id LIMIT %(limit)s
""".format(**_TABLES)
_HELD = "id = %(batch)s AND fence = %(fence)s AND state = %(claimed)s".format(**_TABLES)
# How many of some rows may go out.
_MAY_GO = f"""
    SELECT COUNT(*) {_WITH_MEMBERS}
    WHERE {{delivery}}.id IN (%(ids)s) AND {{delivery}}.state = %(pending)s
        AND {{digest}}.status = %(sending)s
        AND {{digest}}.paused_at IS NULL AND {{digest}}.called_off_at IS NULL
        AND {_OBSTACLE} = ''
        AND EXISTS (SELECT 1 FROM {{batch}} WHERE {_HELD})
""".format(**_TABLES)
_BEGIN = f"""
    UPDATE {_TABLES["batch"]}
    SET begun_first = %(begun_first)s, begun_last = %(begun_last)s, begun_at = %(now)s
    WHERE {_HELD}
"""
_BEGIN_NAME = b"newsletter_begun"
_BEGIN_VALUES = ("begun_first", "begun_last", "now", "batch", "fence", "claimed")
# One look at the fence, which also keeps a take-over from committing in between.
_LOCK = f"SELECT id FROM {_TABLES['batch']} WHERE {_HELD}"
# The planner counts a digest's rows when it comes round to it, some minutes after the freeze, and
# until then believes that next to none is pending: it would compare each row of a batch with each
# outcome. So it is left the ways that cost the same for few and for many.
_LOCK_POSTGRESQL = f"""
    SELECT set_config('enable_nestloop', 'off', true) FROM {_TABLES["batch"]} WHERE {_HELD}
    FOR UPDATE
"""
_FOLD_POSTGRESQL = """
    UPDATE {delivery} SET state = known.state, reason = known.reason,
        smtp_code = known.smtp_code, detail = known.detail,
        attempts = {delivery}.attempts + known.attempted,
        next_attempt_at = known.next_attempt_at, changed_at = %(now)s
    FROM json_to_recordset(%(known)s::json) AS known(
        id bigint, state text, reason text, smtp_code smallint, detail text, attempted smallint,
        next_attempt_at timestamptz
    )
    WHERE {delivery}.id = known.id AND {delivery}.state = %(pending)s
        AND {delivery}.id BETWEEN %(first)s AND %(last)s
""".format(**_TABLES)
_FOLD_SQLITE = """
    UPDATE {delivery} SET state = %s, reason = %s, smtp_code = %s, detail = %s,
        attempts = attempts + %s, next_attempt_at = %s, changed_at = %s
    WHERE id = %s AND state = %s
""".format(**_TABLES)


_NOBODY = UUID(int=0)


class DigestStopped(Exception):
    """The digest was paused, cancelled or called off: nothing more of it may go out."""


def next_rows(digest_id: int, *, after: int, last: int, limit: int, now: datetime) -> list[Row]:
    """The pending deliveries that follow, each checked against the members of this moment.

    Raises DigestStopped. When the database does not answer, its error goes up: without the check
    nothing is sent.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _NEXT_ROWS,
            {
                "digest": digest_id,
                "pending": Delivery.State.PENDING.value,
                "after": after,
                "last": last,
                "limit": limit,
                "now": _moment(now),
                **_OBSTACLES,
            },
        )
        found = cursor.fetchall()
    rows: list[Row] = []
    for delivery_id, variant_id, attempts, status, stopped_at, address, uid, obstacle in found:
        if status != Digest.Status.SENDING or stopped_at is not None:
            raise DigestStopped("paused" if status == Digest.Status.SENDING else str(status))
        member = _NOBODY if uid is None else uid if isinstance(uid, UUID) else UUID(uid)
        why = Delivery.Reason(obstacle) if obstacle else None
        rows.append(Row(delivery_id, variant_id, attempts, address or "", member, why))
    return rows


def may_go(batch_id: int, fence: int, delivery_ids: Sequence[int], *, now: datetime) -> bool:
    """Whether the batch is held and nothing has come in the way of these since they were read."""
    values = _values(batch_id, fence, delivery_ids, now)
    places = ", ".join(f"%(id_{n})s" for n in range(len(delivery_ids)))
    with connection.cursor() as cursor:
        cursor.execute(_MAY_GO.replace("%(ids)s", places), values)
        return bool(cursor.fetchone()[0] == len(delivery_ids))


def commit_begun(batch_id: int, fence: int, delivery_ids: Sequence[int], *, now: datetime) -> bool:
    """Commit that these, in order, are about to be handed over; False if the batch is lost."""
    values = {
        "batch": batch_id,
        "fence": fence,
        "claimed": Batch.State.CLAIMED.value,
        "now": _moment(now),
        "begun_first": delivery_ids[0],
        "begun_last": delivery_ids[-1],
    }
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql" and not database.in_atomic_block and not is_pooled(database):
        return _begin_quickly(database, values)
    with database.cursor() as cursor:
        cursor.execute(_BEGIN, values)
        return bool(cursor.rowcount)


@transaction.atomic
def fold(batch_id: int, fence: int, outcomes: Sequence[Outcome], *, now: datetime) -> bool:
    """Write what became of messages into their rows; False, and nothing, if the batch is lost."""
    values = _values(batch_id, fence, (), now)
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_POSTGRESQL if on_postgresql else _LOCK, values)
        if cursor.fetchone() is None:
            return False
        if on_postgresql:
            ids = [outcome.delivery_id for outcome in outcomes]
            values |= {"first": min(ids, default=0), "last": max(ids, default=0)}
            known = json.dumps([_as_json(outcome) for outcome in outcomes])
            cursor.execute(_FOLD_POSTGRESQL, values | {"known": known})
        else:
            cursor.executemany(_FOLD_SQLITE, [_as_row(outcome, values) for outcome in outcomes])
    return True


def _begin_quickly(database: Any, values: dict[str, Any]) -> bool:
    """Straight to libpq, for half of what it costs with a cursor: it is done for every mail."""
    from psycopg import pq  # nobody on SQLite needs it
    from psycopg.errors import error_from_result

    database.ensure_connection()
    wire = database.connection.pgconn
    given = [str(values[name]).encode() for name in _BEGIN_VALUES]
    result = wire.exec_prepared(_BEGIN_NAME, given)
    if result.error_field(pq.DiagnosticField.SQLSTATE) == b"26000":  # not prepared yet
        places = {name: f"${n}" for n, name in enumerate(_BEGIN_VALUES, start=1)}
        wire.prepare(_BEGIN_NAME, (_BEGIN % places).encode())
        result = wire.exec_prepared(_BEGIN_NAME, given)
    if result.status != pq.ExecStatus.COMMAND_OK:
        with database.wrap_database_errors:
            raise error_from_result(result)
    return bool(result.command_tuples)


def is_pooled(database: Any) -> bool:
    """Whether a pooler may hand the session to somebody else: Django is told so by this setting."""
    return bool(database.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


def _values(
    batch_id: int, fence: int, delivery_ids: Sequence[int], now: datetime
) -> dict[str, Any]:
    return {
        "batch": batch_id,
        "fence": fence,
        "claimed": Batch.State.CLAIMED.value,
        "pending": Delivery.State.PENDING.value,
        "sending": Digest.Status.SENDING.value,
        "now": _moment(now),
        **_OBSTACLES,
        **{f"id_{n}": delivery_id for n, delivery_id in enumerate(delivery_ids)},
    }


def _as_json(outcome: Outcome) -> dict[str, Any]:
    next_at = outcome.next_attempt_at
    return {
        "id": outcome.delivery_id,
        "state": outcome.state.value,
        "reason": str(outcome.reason),
        "smtp_code": outcome.smtp_code,
        "detail": outcome.detail[:500].replace("\0", ""),
        "attempted": int(outcome.attempted),
        "next_attempt_at": next_at.isoformat() if next_at else None,
    }


def _as_row(outcome: Outcome, values: dict[str, Any]) -> tuple[Any, ...]:
    return (
        outcome.state.value,
        str(outcome.reason),
        outcome.smtp_code,
        outcome.detail[:500],
        int(outcome.attempted),
        _moment(outcome.next_attempt_at),
        values["now"],
        outcome.delivery_id,
        values["pending"],
    )


def _moment(value: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if value else None
