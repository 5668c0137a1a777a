"""Approving a digest: its content, its audience and its work, settled in one transaction.

Everybody the newsletter has is accounted for: candidates = deliveries + exclusions. A retry never
selects again; somebody who subscribes a second later waits for the next digest.

The audience is written by INSERT … SELECT: a million members cost seconds, and Python never sees
one of them. Both databases understand the statements as they stand.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.delivery.models import Batch, Delivery, Exclusion, Segment
from newsletter.delivery.progress import progress
from newsletter.digests.addressees import Addressees
from newsletter.digests.content import DigestContent
from newsletter.digests.freeze import freeze_content, make_variant
from newsletter.digests.models import Digest
from newsletter.digests.variants import items_for, variant_key
from newsletter.exceptions import DigestNotReady, NewsletterError
from newsletter.members.addressed import selections_with, who_gets
from newsletter.members.models import Member, Selection, Subscription, Suppression
from newsletter.signals import digest_approved, sending_wanted

logger = logging.getLogger(__name__)

_SMALLEST_BATCH, _SHARES = 100, 20

_NAMES = {
    "audience": "newsletter_freeze_audience",  # lives as long as the transaction
    **{
        model.__name__.lower(): model._meta.db_table
        for model in (
            Batch, Delivery, Exclusion, Member, Segment, Selection, Subscription, Suppression
        )
    },
}  # fmt: skip

# For this transaction, unless the server grants more already.
_ROOM_FOR_AN_ORDER = """
    SELECT set_config('work_mem', '64MB', true)
    WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')
"""
_NAMES["same_choice"] = """
    LEFT JOIN {segment} ON {segment}.digest_id = %(digest)s
        AND {segment}.selection_id = {audience}.selection_id
        AND {segment}.language = {audience}.language
""".format(**_NAMES)


@dataclass(frozen=True)
class Accounting:
    candidates: int
    deliveries: int
    exclusions: dict[str, int]  # by reason

    @property
    def adds_up(self) -> bool:
        return self.candidates == self.deliveries + sum(self.exclusions.values())


@transaction.atomic
def approve(digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None) -> Accounting:
    """Freeze the digest's latest revision and its audience; from here on it can be sent.

    Approving a second time changes nothing and gives the same account. Raises DigestNotReady, also
    where nobody would get it, and then nothing has changed.
    """
    digest = Digest.objects.select_for_update(of=("self",)).get(pk=digest_id)
    if digest.is_frozen:
        return accounting(digest)
    content = freeze_content(digest, now=now, by=by)
    candidates = _gather_audience(digest, content.addressees, now)
    _divide_into_segments(digest, content)
    _write_ledger(digest, now)
    Digest.objects.filter(pk=digest.pk).update(candidates=candidates)
    digest.candidates = candidates
    account = accounting(digest)
    if not account.deliveries:
        raise DigestNotReady(_nobody(digest, content.addressees, account))
    if not account.adds_up:
        # Cannot happen; if it does, nobody is mailed on a wrong count.
        raise NewsletterError(f"The audience of {digest} does not add up: {account}.")
    _cut_batches(digest, batch_size(account.deliveries, most=int(conf.get("BATCH_SIZE"))))
    logger.info(
        "Digest %s approved: %s candidates, %s deliveries, excluded %s",
        digest.pk, account.candidates, account.deliveries, account.exclusions,
    )  # fmt: skip
    transaction.on_commit(partial(digest_approved.send, sender=Digest, digest=digest))
    if datetime.fromisoformat(content.slot) <= now:
        transaction.on_commit(
            partial(sending_wanted.send_robust, sender=Digest, digest_id=digest.pk), robust=True
        )
    return account


def _nobody(digest: Digest, to: Addressees, account: Accounting) -> str:
    if account.candidates and not to.everybody:
        said = _("Nobody would get %(digest)s: nobody it is addressed to can have it.")
    elif account.candidates:
        said = _("Nobody would get %(digest)s: all who subscribed are left out.")
    else:
        said = _("Nobody would get %(digest)s: nobody has subscribed to its newsletter yet.")
    return said % {"digest": digest}


def accounting(digest: Digest) -> Accounting:
    """Who was to get the digest when it was approved, as the ledger has it."""
    if digest.delivery_counts is not None:
        kept = progress(digest)
        return Accounting(digest.candidates, kept.deliveries, kept.exclusions)
    reasons = digest.exclusions.values_list("reason").annotate(number=Count("pk"))
    return Accounting(
        candidates=digest.candidates,
        deliveries=digest.deliveries.count(),
        exclusions=dict(reasons.order_by("reason")),
    )


def _gather_audience(digest: Digest, to: Addressees, now: datetime) -> int:
    """Everybody who is subscribed, in a table of the transaction's own; their number.

    One statement, so one look at the members: whoever subscribes or leaves while the freeze runs
    is wholly in or wholly out, on PostgreSQL too, where each statement sees a newer state.
    """
    others, unaddressed, values = _unaddressed(to)
    # A million members are put in order in memory by PostgreSQL, and not at all by SQLite.
    in_order = "integer PRIMARY KEY"
    if connection.vendor == "postgresql":
        in_order = "bigint NOT NULL"
        _run(_ROOM_FOR_AN_ORDER)
    _run("DROP TABLE IF EXISTS {audience}")
    _run(
        """
        CREATE TEMPORARY TABLE {audience} (
            member_id <in_order>,
            selection_id bigint NOT NULL,
            language varchar(10) NOT NULL,
            reason varchar(12) NOT NULL
        )
        """.replace("<in_order>", in_order)
    )
    _run(
        """
        INSERT INTO {audience} (member_id, selection_id, language, reason)
        SELECT {member}.id, {subscription}.selection_id, {member}.language,
            CASE
                WHEN <unaddressed> THEN %(unaddressed)s
                WHEN {suppression}.id IS NOT NULL THEN %(suppressed)s
                WHEN {subscription}.paused_until > %(now)s THEN %(paused)s
                ELSE ''
            END
        FROM {subscription}
        JOIN {member} ON {member}.id = {subscription}.member_id
        JOIN {selection} ON {selection}.id = {subscription}.selection_id
        LEFT JOIN {suppression} ON {suppression}.address_hash = {member}.address_hash
        <others>
        WHERE {subscription}.newsletter_id = %(newsletter)s
            AND {subscription}.state = %(active)s
            AND {member}.confirmed_at IS NOT NULL
        """.replace("<others>", others).replace("<unaddressed>", unaddressed),
        newsletter=digest.newsletter_id,
        active=Subscription.State.ACTIVE.value,
        suppressed=Exclusion.Reason.SUPPRESSED.value,
        paused=Exclusion.Reason.PAUSED.value,
        unaddressed=Exclusion.Reason.UNADDRESSED.value,
        now=_moment(now),
        **values,
    )
    return int(_run("SELECT COUNT(*) FROM {audience}")[0][0])


def _unaddressed(to: Addressees) -> tuple[str, str, dict[str, Any]]:
    """A join and a condition for whom it is not addressed to, and their values.

    What newsletter.members.addressed says, asked of the rows that are read anyway: the ids of all
    it is addressed to would be a second look at a million members.
    """
    others, conditions, values = "", ["1 = 0"], dict[str, Any]()
    if to.theme_ids:
        chosen, values = _statement(selections_with(to.theme_ids).values("pk"), "theme")
        conditions.append(f"{{selection}}.id NOT IN ({chosen})")
    if to.language:
        conditions.append("{member}.language <> %(to_language)s")
        values |= {"to_language": to.language}
    if to.newsletter_ids:
        # Joined: a list of a million ids would be searched through for each of a million members.
        got, more = _statement(who_gets(to.newsletter_ids).values("member_id").distinct(), "other")
        others = f"LEFT JOIN ({got}) AS others ON others.member_id = {{member}}.id"
        conditions.append("others.member_id IS NULL")
        values |= more
    return others, " OR ".join(conditions), values


def _statement(rows: QuerySet[Any, Any], name: str) -> tuple[str, dict[str, Any]]:
    """As SQL, and its values by names that begin with this one."""
    statement, parameters = rows.query.sql_with_params()
    values = {f"{name}_{number}": value for number, value in enumerate(parameters)}
    return statement % tuple(f"%({key})s" for key in values), values


def _divide_into_segments(digest: Digest, content: DigestContent) -> None:
    """Who made the same choice gets the same variant; each variant is rendered once."""
    _run(
        """
        INSERT INTO {segment} (digest_id, selection_id, language, members)
        SELECT %(digest)s, selection_id, language, COUNT(*)
        FROM {audience} WHERE reason = ''
        GROUP BY selection_id, language
        """,
        digest=digest.pk,
    )
    # Ids only: a thousand variants with their pages would not fit into a small machine.
    variants: dict[str, int] = {}
    segments: dict[int, list[int]] = {}
    rows = list(digest.segments.order_by("pk").values_list("pk", "language", "selection__key"))
    for segment_id, language, chosen in rows:
        positions = items_for(content, Selection(key=chosen).theme_ids)
        if positions is None:
            continue
        key = variant_key(language, positions)
        if key not in variants:
            variants[key] = make_variant(digest, content, positions, language).pk
        segments.setdefault(variants[key], []).append(segment_id)
    for variant_id, segment_ids in segments.items():
        for start in range(0, len(segment_ids), 500):
            chunk = segment_ids[start : start + 500]
            Segment.objects.filter(pk__in=chunk).update(variant_id=variant_id)


def _write_ledger(digest: Digest, now: datetime) -> None:
    """Each of the audience becomes a delivery or an exclusion with its reason."""
    _run(
        """
        INSERT INTO {exclusion} (digest_id, member_id, reason)
        SELECT %(digest)s, {audience}.member_id,
            CASE WHEN {audience}.reason = '' THEN %(no_themes)s ELSE {audience}.reason END
        FROM {audience} {same_choice}
        WHERE {audience}.reason <> '' OR {segment}.variant_id IS NULL
        """,
        digest=digest.pk,
        no_themes=Exclusion.Reason.NO_THEMES.value,
    )
    _run(
        """
        INSERT INTO {delivery}
            (digest_id, member_id, variant_id, state, reason, detail, attempts, changed_at)
        SELECT %(digest)s, {audience}.member_id, {segment}.variant_id, %(pending)s, '', '', 0,
            %(now)s
        FROM {audience} {same_choice}
        WHERE {audience}.reason = '' AND {segment}.variant_id IS NOT NULL
        ORDER BY {audience}.member_id
        """,
        digest=digest.pk,
        pending=Delivery.State.PENDING.value,
        now=_moment(now),
    )
    _run("DROP TABLE {audience}")


def batch_size(deliveries: int, *, most: int) -> int:
    """How many a worker takes at once.

    A batch costs a dozen statements of its own, so a large list has large ones; but several workers
    are to share a small list, beside a slow server too.
    """
    return min(most, max(_SMALLEST_BATCH, -(-deliveries // _SHARES)))


def _cut_batches(digest: Digest, size: int) -> None:
    """Ranges of the digest's deliveries, each of `size`: what a worker takes at once."""
    _run(
        """
        INSERT INTO {batch} (digest_id, first_id, last_id, state, owner, fence, journal)
        SELECT %(digest)s, id,
            COALESCE(
                LEAD(id) OVER (ORDER BY id) - 1,
                (SELECT MAX(id) FROM {delivery} WHERE digest_id = %(digest)s)
            ),
            %(open)s, '', 0, ''
        FROM (
            SELECT id, ROW_NUMBER() OVER (ORDER BY id) - 1 AS position
            FROM {delivery} WHERE digest_id = %(digest)s
        ) AS numbered
        WHERE position %% %(size)s = 0
        ORDER BY id
        """,
        digest=digest.pk,
        open=Batch.State.OPEN.value,
        size=size,
    )


def _run(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**_NAMES), values or None)
        return cursor.fetchall() if cursor.description else []


def _moment(now: datetime) -> Any:
    """As the database keeps a date and time: SQLite as text."""
    return connection.ops.adapt_datetimefield_value(now)
