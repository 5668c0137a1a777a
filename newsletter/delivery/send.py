"""Sending a digest: batch after batch, one recipient per envelope.

For each message: check, MAIL, RCPT, DATA, check again and note that it is begun, the message, note
the answer. The answer to one message is noted together with the begin of the next, so a worker
killed at any moment leaves at most IN_FLIGHT messages of which nobody knows whether the server took
them. Where the server offers PIPELINING, the next envelope goes out in one write with the message;
and while it thinks about one message, the next travels on a second connection, up to its final dot.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.delivery import outcome
from newsletter.delivery.ahead import Ahead
from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch, release_expired
from newsletter.delivery.control import clear_trouble, finish, note_rest, note_trouble, pause
from newsletter.delivery.copies import Copies
from newsletter.delivery.handover import HandOver
from newsletter.delivery.lanes import InHand, Lane, Lanes
from newsletter.delivery.ledger import DigestStopped
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Row
from newsletter.delivery.pace.limits import PATIENCE, says_too_fast
from newsletter.delivery.pace.pace import Pace
from newsletter.delivery.pace.refusals import Refusals
from newsletter.delivery.provider import connection_to
from newsletter.delivery.server import Server
from newsletter.delivery.smtp import Envelope, Opening, Silence
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
            connect=lambda: connection_to(server),
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
        connect: Callable[[], Lane],
    ) -> None:
        self.digest_id = digest.pk
        self.worker = worker
        self.clock = clock
        self.sleep = sleep
        self.until = until
        self.stop = stop
        self.window = max(1, int(conf.get("IN_FLIGHT")))
        self.round = Round()
        self.pace = Pace(digest, in_flight=self.window)
        # Where connections are counted, a sender is one.
        self.lanes = Lanes(connect, most=1 if self.pace.slots.most else 2)
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
            self.lanes.quit()
            self.changes.end()
            self.pace.end()
        self.round.finished = finish(self.digest_id, now=self.clock())
        return self.round

    # --- a batch

    def _work(self, batch: HandOver) -> None:
        try:
            try:
                self._send_rows(batch)
            finally:
                self._settle(batch)
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
        ahead = Ahead(batch, now=self.clock())
        while not self._must_end():
            now = self.clock()
            row = ahead.look(self.window + self.lanes.turn + 1, now=now)
            if row is None:
                return
            if row.obstacle is not None:
                self._note(batch, outcome.skipped(row, row.obstacle))
            elif wait := self.pace.wait(row, now=now):
                if wait.of_all:
                    self._rest(batch, wait.until)
                    continue
                self._note(batch, outcome.put_off(row, wait.until))
            elif not self._send(batch, ahead.rows):
                ahead.forget()
                continue
            ahead.go_on()
            batch.fold_if_due(now=self.clock())

    def _rest(self, batch: HandOver, until: datetime) -> None:
        """Until mails may go again; a long rest is left to the ticks to come."""
        self._settle(batch)
        batch.fold(now=self.clock())
        rest = until - self.clock()
        if rest > PATIENCE:
            self._end("pace", until.isoformat())
            note_rest(self.digest_id, now=self.clock())
        else:
            self.sleep(max(rest.total_seconds(), 0.01))

    # --- a message

    def _send(self, batch: HandOver, rows: Sequence[Row]) -> bool:
        """The first of `rows` through all phases; False when it may not go out as it was read.

        Raises TransportError when the server is ill rather than this message.
        """
        row = rows[0]
        lane = self._free_lane(batch, rows)
        copy = self.copies.of(row, now=self.clock())
        was_reused = lane.handed_over > 0
        try:
            opening = lane.open_envelope(copy.envelope)
            if not opening.is_open:
                self._note(batch, self._refusal(row, opening))
                return True
            if self.lanes.in_hand is not None:
                lane.start(copy.message)
        except TransportError as error:
            self._note_broken(batch, row, error, was_reused=was_reused)
            return True
        self._settle(batch, rows)
        following = self._following(rows)
        if self.round.ended or not self._begin(batch, rows):
            lane.close()  # the only way to take an open envelope back
            return False
        try:
            lane.finish(copy.message, following)
        except Silence as silence:
            self._note_silent(batch, row, silence)
            return True
        except TransportError as error:
            self._note_broken(batch, row, error, was_reused=was_reused)
            return True
        self.lanes.in_hand = InHand(row, lane)
        return True

    def _free_lane(self, batch: HandOver, rows: Sequence[Row]) -> Lane:
        """An open connection that owes no answer, for the first of `rows`."""
        if not self.lanes.is_any_free:
            self._settle(batch, rows)
        lane = self.lanes.free()
        if not lane.is_open:
            # A server that is slow to answer must not cost the lease what is known already.
            batch.fold(now=self.clock())
            lane.open()
        self.lanes.widen(len(rows))
        return lane

    def _settle(self, batch: HandOver, rows: Sequence[Row] = ()) -> None:
        """Read and note the answer that is still owed; `rows` come next."""
        if self.lanes.in_hand is None:
            return
        self._make_ahead(rows)  # while the server thinks
        row, lane = self.lanes.in_hand
        self.lanes.in_hand = None
        try:
            reply = lane.read_answer()
        except Silence as silence:
            self._note_silent(batch, row, silence)
            return
        self._note(batch, outcome.answered(row, reply, Delivery.Reason.CONTENT, now=self.clock()))
        self._heed(row, reply)
        self.broken = self.sender_refusals = 0
        if self.had_trouble:
            clear_trouble(self.digest_id)
            self.had_trouble = False

    def _note_silent(self, batch: HandOver, row: Row, silence: Silence) -> None:
        self._note(batch, outcome.silent(row, str(silence)))
        self._count_broken(silence)

    def _note_broken(
        self, batch: HandOver, row: Row, error: TransportError, *, was_reused: bool
    ) -> None:
        """Before the final dot: the server has no message."""
        of_recipient = error.phase in ("rcpt", "data")
        self._heed(row, Reply(error.code or 0, str(error)), whole_server=not of_recipient)
        now = self.clock()
        self._note(batch, outcome.broken(row, str(error), was_reused=was_reused, now=now))
        if not was_reused:
            self._count_broken(error)

    def _begin(self, batch: HandOver, rows: Sequence[Row]) -> bool:
        """Note it begun, or with IN_FLIGHT > 1 a group of which it is the first."""
        row = rows[0]
        if row.delivery_id in self.begun:
            return batch.may_still_go(row, now=self.clock())
        group = [row]
        for other in islice(rows, 1, self.window):
            if other.obstacle is not None or self.pace.wait(other, now=self.clock()):
                break
            group.append(other)
        self.begun = {one.delivery_id for one in group}
        return batch.begin(group, now=self.clock())

    def _following(self, rows: Sequence[Row]) -> Envelope | None:
        """The envelope that comes next on the same connection, where it is clear already."""
        turn = self.lanes.turn
        if len(rows) <= turn or self._must_end():
            return None
        # Those before it go first, and have their share of the pace first.
        for row in islice(rows, 1, turn + 1):
            if row.obstacle is not None or self.pace.wait(row, now=self.clock()):
                return None
        return self.copies.of(rows[turn], now=self.clock()).envelope

    def _make_ahead(self, rows: Sequence[Row]) -> None:
        """The copies whose envelopes go out next."""
        for row in islice(rows, self.lanes.turn + 1):
            if row.obstacle is None:
                self.copies.make_ahead(row, now=self.clock())

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
        if known.reason == Delivery.Reason.ADDRESS:
            return  # an address that cannot be written to says nothing about us
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
