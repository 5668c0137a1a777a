"""The next rows of a batch, looked at all at once where nothing changes meanwhile."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from newsletter.delivery.handover import HandOver
from newsletter.delivery.outcome import Row

# Rows looked at together, and for how long that look is good enough to open an envelope by. The
# check that decides is made before the message itself goes out.
_AT_ONCE = 1_012  # a whole batch and a little more, so that one look will do
_AT_ONCE_AGAIN = 100  # where a look became old before its rows had gone out
_GOOD_SECONDS = 1.0
_STALE_SECONDS = 0.02  # once anything changed: one look at all costs less than one at each


class Ahead:
    """Goes through a claimed batch once, in order; `rows` begin with the one whose turn it is."""

    def __init__(self, batch: HandOver, *, now: datetime) -> None:
        self.rows: deque[Row] = deque()
        self._batch = batch
        self._after = batch.claim.first_id - 1
        self._read_at = now
        self._has_more = True

    def look(self, wanted: int, *, now: datetime) -> Row | None:
        """Whose turn it is, with at least `wanted` rows read where there are as many.

        Raises DigestStopped.
        """
        good = _STALE_SECONDS if self._batch.is_stale else _GOOD_SECONDS
        is_old = (now - self._read_at).total_seconds() > good
        if is_old or not self.rows or (self._has_more and len(self.rows) < wanted):
            # The few that are left, too: from here on it is watched what changes.
            limit = _AT_ONCE_AGAIN if is_old else _AT_ONCE
            self.rows = deque(self._batch.next_rows(after=self._after, limit=limit, now=now))
            self._read_at = now
            self._has_more = len(self.rows) == limit
        return self.rows[0] if self.rows else None

    def forget(self) -> None:
        """Something changed: look again."""
        self.rows.clear()

    def go_on(self) -> None:
        self._after = self.rows.popleft().delivery_id
