"""Sending a digest: batch after batch, one recipient per envelope.

For each message: check, MAIL, RCPT, DATA, check again and note that it is begun, the message, note
the answer. The answer to one message is noted together with the begin of the next, so a worker
killed at any moment leaves at most IN_FLIGHT messages of which nobody knows whether the server took
them. Where the server offers PIPELINING, the next envelope goes out in one write with the message.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.delivery import outcome
from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch, release_expired
from newsletter.delivery.control import clear_trouble, finish, note_rest, note_trouble, pause
from newsletter.delivery.copies import Copies
from newsletter.delivery.handover import HandOver
from newsletter.delivery.ledger import DigestStopped
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Row
from newsletter.delivery.pace.limits import PATIENCE, says_too_fast
from newsletter.delivery.pace.pace import Pace
from newsletter.delivery.pace.refusals import Refusals
from newsletter.delivery.provider import ProviderConnection, connection_to
from newsletter.delivery.server import Server
from newsletter.delivery.smtp import Connection, Envelope, Opening, Silence
from newsletter.delivery.wire import Reply
from newsletter.digests.models import Digest
from newsletter.exceptions import DigestNotReady, LeaseLost, TransportError

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]
_utc_now = partial(datetime.now, UTC)  # asked ten times a mail; Django's reads the settings first

# In a row, without one message answered: then the server is ill, not the message.
_MOST_BROKEN = 3
_MOST_SENDER_REFUSALS = 3
# Rows looked at together, and for how long that look is good enough to open an envelope by. The
# check that decides is made before the message itself goes out.
_READ_AHEAD = 100
_READ_SECONDS = 1.0
_STALE_SECONDS = 0.02  # once anything changed: one look at all costs less than one at each


@dataclass
class Round:
    """What one call of send_batches did."""

    counts: Counter[str] = field(default_factory=Counter)  # by state
    # Why it ended: "" when nothing was left, else paused, cancelled, budget, lease, server…
    ended: str = ""
    detail: str = ""
    finished: bool = False


def worker_name() -> str:
    """Tells two workers apart, in the ledger and to a person who reads it."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def send_batches(
    digest_id: int,
    *,
    worker: str = "",
    clock: Clock = _utc_now,
    sleep: Sleep = time.sleep,
    budget: timedelta | None = None,
    stop: Callable[[], bool] = lambda: False,
    server: Server | None = None,
) -> Round:
    """Send what is due of a digest until nothing is left, it is stopped, or the budget is used.

    Any number of workers may run this for one digest at once, and it may be called again at any
    time: it takes up what is there. A mail server that cannot be reached is no error of this call,
    nor are settings that cannot be obeyed: `Round.ended` is "server" or "settings", and the
    digest's page says why. Raises DigestNotReady for a digest that was never approved.
    """
    digest = Digest.objects.get(pk=digest_id)
    if not digest.is_frozen or digest.content is None:
        raise DigestNotReady(f"{digest} was not approved: there is nothing fixed to send.")
    try:
        sender = _Sender(
            digest,
            worker=worker or worker_name(),
            clock=clock,
            sleep=sleep,
            until=clock() + budget if budget else None,
            stop=stop,
            connection=connection_to(server),
        )
    except ImproperlyConfigured as error:
        # A key for signatures, a rate: better late than wrong.
        note_trouble(digest_id, str(error))
        logger.error("Digest %s: %s", digest_id, error)
        return Round(ended="settings", detail=str(error))
    return sender.run()


class _Sender:
    def __init__(
        self,
        digest: Digest,
        *,
        worker: str,
        clock: Clock,
        sleep: Sleep,
        until: datetime | None,
        stop: Callable[[], bool],
        connection: Connection | ProviderConnection,
    ) -> None:
        self.digest_id = digest.pk
        self.worker = worker
        self.clock = clock
        self.sleep = sleep
        self.until = until
        self.stop = stop
        self.window = max(1, int(conf.get("IN_FLIGHT")))
        self.connection = connection
        self.round = Round()
        self.pace = Pace(digest, in_flight=self.window)
        self.refusals = Refusals(str(conf.get("PAUSE_AT_REFUSALS")))
        self.copies = Copies(digest, now=clock())
        self.changes = Changes()
        self.begun: set[int] = set()  # noted as such in one go
        self.broken = self.sender_refusals = 0
        self.had_trouble = bool(digest.status_reason)

    def run(self) -> Round:
        release_expired(now=self.clock(), digest_id=self.digest_id)
        try:
            while not self._must_end():
                claim = claim_batch(self.digest_id, owner=self.worker, now=self.clock())
                if claim is None:
                    break
                self._work(HandOver(claim, self.changes, now=self.clock()))
        except DigestStopped as stopped:
            self._end(str(stopped))
        except LeaseLost as lost:
            logger.warning("Digest %s: %s", self.digest_id, lost)
            self._end("lease", str(lost))
        except TransportError as error:
            self._end_for_trouble("server", str(error))
        except OSError as error:
            # Nothing goes out that could not be noted before.
            reason = _("The journal cannot be written, so nothing is sent: %(error)s") % {
                "error": error
            }
            self._end_for_trouble("journal", reason)
        finally:
            self.connection.quit()
            self.changes.end()
            self.pace.end()
        self.round.finished = finish(self.digest_id, now=self.clock())
        return self.round

    # --- a batch

    def _work(self, batch: HandOver) -> None:
        try:
            self._send_rows(batch)
        except LeaseLost:
            batch.abandon()
            raise
        except BaseException:
            # Whatever went wrong, what is known is written and the batch is free at once. If the
            # database itself is the trouble, the sweeper does this from the batch's notes.
            try:
                batch.end(now=self.clock())
            except Exception:
                logger.exception("Batch %s could not be given back", batch.claim.batch_id)
                batch.abandon()
            raise
        batch.end(now=self.clock())

    def _send_rows(self, batch: HandOver) -> None:
        after = batch.claim.first_id - 1
        rows: deque[Row] = deque()
        read_at = self.clock()
        while not self._must_end():
            now = self.clock()
            age = (now - read_at).total_seconds()
            if age > (_STALE_SECONDS if batch.is_stale else _READ_SECONDS):
                rows.clear()
            if len(rows) <= self.window:
                read_at = now
                behind = rows[-1].delivery_id if rows else after
                rows += batch.next_rows(after=behind, limit=_READ_AHEAD, now=read_at)
            if not rows:
                return
            row = rows[0]
            if row.obstacle is not None:
                self._note(batch, outcome.skipped(row, row.obstacle))
            elif wait := self.pace.wait(row, now=now):
                if wait.of_all:
                    self._rest(batch, wait.until)
                    continue
                self._note(batch, outcome.put_off(row, wait.until))
            elif not self._send(batch, rows):
                # Something changed since the row was read: look again.
                rows.clear()
                continue
            after = rows.popleft().delivery_id
            batch.fold_if_due(now=self.clock())

    def _rest(self, batch: HandOver, until: datetime) -> None:
        """Until mails may go again; a long rest is left to the ticks to come."""
        batch.fold(now=self.clock())
        rest = until - self.clock()
        if rest > PATIENCE:
            self._end("pace", until.isoformat())
            note_rest(self.digest_id, now=self.clock())
        else:
            self.sleep(max(rest.total_seconds(), 0.01))

    # --- a message

    def _send(self, batch: HandOver, rows: deque[Row]) -> bool:
        """The first of `rows` through all phases; False when it may not go out as it was read.

        Raises TransportError when the server is ill rather than this message.
        """
        row = rows[0]
        connection = self.connection
        if not connection.is_open:
            # A server that is slow to answer must not cost the lease what is known already.
            batch.fold(now=self.clock())
            connection.open()
        copy = self.copies.of(row, now=self.clock())
        was_reused = connection.handed_over > 0
        try:
            opening = connection.open_envelope(copy.envelope)
            if not opening.is_open:
                self._note(batch, self._refusal(row, opening))
                return True
            if not self._begin(batch, rows):
                connection.close()  # the only way to take an open envelope back
                return False
            reply = connection.hand_over(
                copy.message, self._following(rows), meanwhile=lambda: self._make_ahead(rows)
            )
        except Silence as silence:
            self._note(batch, outcome.silent(row, str(silence)))
            self._count_broken(silence)
            return True
        except TransportError as error:
            # Before the final dot: the server has no message.
            of_recipient = error.phase in ("rcpt", "data")
            self._heed(row, Reply(error.code or 0, str(error)), whole_server=not of_recipient)
            self._note(
                batch, outcome.broken(row, str(error), was_reused=was_reused, now=self.clock())
            )
            if not was_reused:
                self._count_broken(error)
            return True
        except (LeaseLost, OSError):
            connection.close()
            raise
        self._note(batch, outcome.answered(row, reply, Delivery.Reason.CONTENT, now=self.clock()))
        self._heed(row, reply)
        self.broken = self.sender_refusals = 0
        if self.had_trouble:
            clear_trouble(self.digest_id)
            self.had_trouble = False
        return True

    def _begin(self, batch: HandOver, rows: deque[Row]) -> bool:
        """Note it begun, or with IN_FLIGHT > 1 a group of which it is the first."""
        row = rows[0]
        if row.delivery_id in self.begun:
            return batch.may_still_go(row, now=self.clock())
        group = [row]
        for other in list(rows)[1 : self.window]:
            if other.obstacle is not None or self.pace.wait(other, now=self.clock()):
                break
            group.append(other)
        self.begun = {one.delivery_id for one in group}
        return batch.begin(group, now=self.clock())

    def _following(self, rows: deque[Row]) -> Envelope | None:
        """The envelope after this one, where it is clear already."""
        if len(rows) < 2 or rows[1].obstacle is not None or self._must_end():
            return None
        if self.pace.wait(rows[1], now=self.clock()):
            return None
        return self.copies.of(rows[1], now=self.clock()).envelope

    def _make_ahead(self, rows: deque[Row]) -> None:
        if len(rows) > 2 and rows[2].obstacle is None:
            self.copies.make_ahead(rows[2], now=self.clock())

    def _heed(self, row: Row, reply: Reply, *, whole_server: bool = False) -> None:
        """Slow down, if that is what the server wants."""
        if says_too_fast(reply.code, reply.text):
            self.pace.too_fast(row, whole_server=whole_server, now=self.clock())

    def _refusal(self, row: Row, opening: Opening) -> Outcome:
        now = self.clock()
        self._heed(row, opening.last, whole_server=not opening.mail.ok)
        if not opening.mail.ok:
            if opening.mail.permanent:
                self._count_sender_refusal(opening)
            # Never final for the recipient, who has no part in it.
            return outcome.sender_refused(row, opening.mail, now=now)
        self.sender_refusals = self.broken = 0
        reason = Delivery.Reason.CONTENT if opening.data else Delivery.Reason.REFUSED
        return outcome.answered(row, opening.last, reason, now=now)

    def _count_sender_refusal(self, opening: Opening) -> None:
        self.sender_refusals += 1
        if self.sender_refusals >= _MOST_SENDER_REFUSALS:
            reason = _("The mail server refuses the sender: %(answer)s") % {"answer": opening.mail}
            self._pause(reason)

    def _count_broken(self, error: TransportError) -> None:
        self.broken += 1
        if self.broken >= _MOST_BROKEN:
            raise error

    def _note(self, batch: HandOver, known: Outcome) -> None:
        batch.note(known)
        self.round.counts[known.state.value] += 1
        refused = known.state == Delivery.State.FAILED
        if not refused and known.state != Delivery.State.SENT:
            return  # the server was not asked, or did not say
        if reason := self.refusals.why_pause(refused=refused):
            self._pause(reason)

    def _pause(self, reason: str) -> None:
        pause(self.digest_id, now=self.clock(), reason=reason)
        self._end("paused", reason)

    # --- when to end

    def _must_end(self) -> bool:
        if self.round.ended:
            return True
        if self.until is not None and self.clock() >= self.until:
            self._end("budget")
        elif self.stop():
            self._end("stop")
        return bool(self.round.ended)

    def _end(self, why: str, detail: str = "") -> None:
        self.round.ended, self.round.detail = why, detail

    def _end_for_trouble(self, why: str, detail: str) -> None:
        """What keeps the digest from going out stands on its page."""
        self._end(why, detail)
        note_trouble(self.digest_id, detail)
        logger.warning("Digest %s: %s", self.digest_id, detail)
