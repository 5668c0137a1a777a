"""What a worker notes about the messages of its batch: which is begun, and what became of it.

Before a message's body goes out, the note that it is begun must survive the worker's death; what
became of it follows with the next note. Two ways: in the worker's journal, where there is one,
else in the batch's own row. Both reach the rows of the ledger in groups.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from newsletter.delivery import ledger
from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import Claim, give_back, held, renew
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Row
from newsletter.exceptions import LeaseLost

logger = logging.getLogger(__name__)

# So old are the numbers on the digest's page at most; and so many are written at once.
_FOLD_EVERY = timedelta(seconds=1)
_FOLD_AT = 500


class HandOver:
    """One claim's messages, from the check to the ledger."""

    def __init__(self, claim: Claim, changes: Changes, *, now: datetime) -> None:
        self.claim = claim
        self._changes = changes
        self._unfolded: list[Outcome] = []
        self._unnoted: list[Outcome] = []  # of those: the next note carries them
        self._in_hand: int | None = None  # may be with the server, and nothing is known of it
        self._folded_at = now
        # Something changed since the rows were read, so that each must be looked at by itself.
        self.is_stale = False

    def next_rows(self, *, after: int, limit: int, now: datetime) -> list[Row]:
        """See ledger.next_rows."""
        self._changes.watch()  # before the look: what changes during it is seen as a change
        self.is_stale = False
        claim = self.claim
        return ledger.next_rows(
            claim.digest_id, after=after, last=claim.last_id, limit=limit, now=now
        )

    def begin(self, rows: Sequence[Row], *, now: datetime) -> bool:
        """Note that these are about to be handed over; False when something is in their way.

        Whatever speaks against them is looked for once more: a recipient may have left while the
        server was thinking about RCPT. Raises LeaseLost.
        """
        renew(self.claim, now=now)
        ids = [row.delivery_id for row in rows]
        if self.claim.journal is not None:
            if not self._may_go(ids, now):
                return False
            self.claim.journal.write(ids, self._unnoted, now=now)
        else:
            # Only a plain 250 may be left to be concluded from the place in the batch.
            if any(outcome.state != Delivery.State.SENT for outcome in self._unnoted):
                self.fold(now=now)
            if not ledger.commit_begun(self.claim.batch_id, self.claim.fence, ids, now=now):
                raise self._lost()
            self._changes.made(rows=1)
            # After it, because the answer to a commit brings what was announced before.
            if not self._may_go(ids, now):
                return False
        self._unnoted = []
        self._in_hand = ids[0]
        return True

    def may_still_go(self, row: Row, *, now: datetime) -> bool:
        """For one that was begun in a group, a moment ago."""
        if not self._may_go([row.delivery_id], now):
            return False
        self._in_hand = row.delivery_id
        return True

    def note(self, outcome: Outcome) -> None:
        """What became of a message, or why there was none."""
        self._unfolded.append(outcome)
        self._unnoted.append(outcome)
        if outcome.delivery_id == self._in_hand:
            self._in_hand = None

    def fold_if_due(self, *, now: datetime) -> None:
        if len(self._unfolded) >= _FOLD_AT or now - self._folded_at >= _FOLD_EVERY:
            self.fold(now=now)

    def fold(self, *, now: datetime) -> None:
        """Write what became of messages into the ledger. Raises LeaseLost."""
        self._folded_at = now
        if not self._unfolded:
            return
        if self.claim.journal is not None and self._unnoted:
            # For whoever takes over, should the database not answer.
            self.claim.journal.write((), self._unnoted, now=now)
            self._unnoted = []
        if not ledger.fold(self.claim.batch_id, self.claim.fence, self._unfolded, now=now):
            raise self._lost()
        self._unfolded = []
        self._unnoted = []

    def end(self, *, now: datetime) -> None:
        """Fold, and give the batch back. Raises LeaseLost.

        What was begun in a group and not handed over is as safe to send as if it never had been.
        """
        self.fold(now=now)
        in_doubt = [] if self._in_hand is None else [self._in_hand]
        give_back(self.claim, in_doubt=in_doubt, now=now)
        if self.claim.journal is not None:
            self.claim.journal.discard()

    def abandon(self) -> None:
        """When the database does not answer or the batch is lost: say what only we know."""
        for outcome in self._unfolded:
            if outcome.state == Delivery.State.SENT:
                logger.warning(
                    "Delivery %s was taken by the mail server (%s), but could not be recorded",
                    outcome.delivery_id, outcome.detail,
                )  # fmt: skip
        if self.claim.journal is not None:
            self.claim.journal.close()

    def _may_go(self, ids: Sequence[int], now: datetime) -> bool:
        if self._changes.is_quiet():
            return True
        self.is_stale = True
        if ledger.may_go(self.claim.batch_id, self.claim.fence, ids, now=now):
            return True
        if not held(self.claim).exists():
            raise self._lost()
        return False

    def _lost(self) -> LeaseLost:
        return LeaseLost(f"Batch {self.claim.batch_id} was taken over by another worker.")
