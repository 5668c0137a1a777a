"""Sending a digest: batch after batch, one recipient per envelope.

For each message: check, MAIL, RCPT, commit "data", DATA, note the answer. The answer to one
message is committed together with the "data" of the next, so a worker killed at any moment leaves
at most IN_FLIGHT messages of which nobody knows whether the server took them.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.delivery import ledger, outcome
from newsletter.delivery.claim import Claim, claim_batch, give_back, release_expired
from newsletter.delivery.control import clear_trouble, finish, note_trouble, pause
from newsletter.delivery.ledger import DigestStopped, Outcome, Row
from newsletter.delivery.message import CompiledMessage, ascii_address, compile_message
from newsletter.delivery.models import Delivery
from newsletter.delivery.server import Server, configured_server
from newsletter.delivery.smtp import Connection, Reply, Silence
from newsletter.digests.content import DigestContent
from newsletter.digests.models import Digest, Variant
from newsletter.exceptions import DigestNotReady, LeaseLost, TransportError

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# In a row, without one message answered: then the server is ill, not the message.
_MOST_BROKEN = 3
_MOST_SENDER_REFUSALS = 3
_MOST_COMPILED = 32  # variants kept ready; a variant takes about 60 KB
# Rows looked at together, and for how long that look is good enough to open an envelope by. The
# check that decides is made with the commit before DATA.
_READ_AHEAD = 20
_READ_SECONDS = 1.0


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
    clock: Clock = timezone.now,
    budget: timedelta | None = None,
    stop: Callable[[], bool] = lambda: False,
    server: Server | None = None,
) -> Round:
    """Send what is due of a digest until nothing is left, it is stopped, or the budget is used.

    Any number of workers may run this for one digest at once, and it may be called again at any
    time: it takes up what is there. A mail server that cannot be reached is no error of this call:
    `Round.ended` is "server", and the digest's page says why. Raises DigestNotReady for a digest
    that was never approved.
    """
    digest = Digest.objects.get(pk=digest_id)
    if not digest.is_frozen or digest.content is None:
        raise DigestNotReady(f"{digest} was not approved: there is nothing fixed to send.")
    sender = _Sender(
        digest,
        worker=worker or worker_name(),
        clock=clock,
        until=clock() + budget if budget else None,
        stop=stop,
        server=server or configured_server(),
    )
    return sender.run()


class _Sender:
    def __init__(
        self,
        digest: Digest,
        *,
        worker: str,
        clock: Clock,
        until: datetime | None,
        stop: Callable[[], bool],
        server: Server,
    ) -> None:
        self.digest_id = digest.pk
        self.content = DigestContent.from_json(digest.content or {})
        self.envelope_sender = ascii_address(self.content.newsletter.sender_email)
        self.worker = worker
        self.clock = clock
        self.until = until
        self.stop = stop
        self.window = max(1, int(conf.get("IN_FLIGHT")))
        self.connection = Connection(server)
        self.round = Round()
        self.compiled: dict[int, CompiledMessage] = {}
        self.outcomes: list[Outcome] = []  # not committed yet
        self.broken = self.sender_refusals = 0
        self.had_trouble = bool(digest.status_reason)

    def run(self) -> Round:
        release_expired(now=self.clock(), digest_id=self.digest_id)
        try:
            while not self._must_end():
                claim = claim_batch(self.digest_id, owner=self.worker, now=self.clock())
                if claim is None:
                    break
                self._work(claim)
        except DigestStopped as stopped:
            self._end(str(stopped))
        except LeaseLost as lost:
            logger.warning("Digest %s: %s", self.digest_id, lost)
            self._end("lease", str(lost))
        except TransportError as error:
            self._end("server", str(error))
            note_trouble(self.digest_id, str(error))
            logger.warning("Digest %s: %s", self.digest_id, error)
        finally:
            self.connection.quit()
        self.round.finished = finish(self.digest_id, now=self.clock())
        return self.round

    # --- a batch

    def _work(self, claim: Claim) -> None:
        try:
            self._send_rows(claim)
        except LeaseLost:
            self._tell_unrecorded()
            raise
        except BaseException:
            # Whatever went wrong, what is known is written and the batch is free at once. If the
            # database itself is the trouble, the lease runs out and the sweeper does this.
            self._let_go(claim)
            raise
        self._record(claim)
        give_back(claim)

    def _let_go(self, claim: Claim) -> None:
        try:
            self._record(claim)
            give_back(claim)
        except Exception:
            logger.exception("Batch %s could not be given back", claim.batch_id)
            self._tell_unrecorded()

    def _tell_unrecorded(self) -> None:
        """For the person who clears up uncertain deliveries: what this worker knew."""
        for known in self.outcomes:
            if known.state == Delivery.State.SENT:
                logger.warning(
                    "Delivery %s was taken by the mail server (%s), but could not be recorded",
                    known.delivery_id, known.detail,
                )  # fmt: skip
        self.outcomes = []

    def _send_rows(self, claim: Claim) -> None:
        after = claim.first_id - 1
        limit = _READ_AHEAD if self.window == 1 else self.window
        while not self._must_end():
            read_at = self.clock()
            rows = ledger.next_rows(claim, after=after, limit=limit, now=read_at)
            if not rows:
                return
            for group in self._groups(rows):
                late = self.clock() - read_at > timedelta(seconds=_READ_SECONDS)
                if self._must_end() or (late and group[0] is not rows[0]):
                    break
                # Otherwise something changed between the check and the commit: look again.
                if not self._send_group(claim, group):
                    break
                after = group[-1].delivery_id
            if len(self.outcomes) > self.window:
                self._record(claim)

    def _send_group(self, claim: Claim, group: Sequence[Row]) -> bool:
        """False when one of them may not go on as it was read."""
        for row in group:
            if row.obstacle is not None:
                self._note(outcome.skipped(row, row.obstacle))
        ready = [row for row in group if row.obstacle is None]
        if self.window == 1:
            return all(self._send_singly(claim, row) for row in ready)
        return self._send_together(claim, ready)

    def _groups(self, rows: Sequence[Row]) -> list[Sequence[Row]]:
        return [rows[at : at + self.window] for at in range(0, len(rows), self.window)]

    def _send_singly(self, claim: Claim, row: Row) -> bool:
        """MAIL and RCPT first, so that a refused recipient never stands as "data"."""
        if not self.connection.is_open:
            # A server that is slow to answer must not cost the lease what is known already.
            self._record(claim)
        return self._send(row, before_data=lambda: self._begin(claim, [row]) == {row.delivery_id})

    def _send_together(self, claim: Claim, rows: Sequence[Row]) -> bool:
        """One commit for the group; the larger it is, the more a kill leaves uncertain."""
        if not rows:
            return True
        begun = self._begin(claim, rows)
        for number, row in enumerate(rows):
            if row.delivery_id not in begun:
                continue
            try:
                self._send(row, before_data=lambda: True)
            except TransportError:
                known = {one.delivery_id for one in self.outcomes}
                for left in rows[number:]:
                    if left.delivery_id in begun and left.delivery_id not in known:
                        self._note(outcome.untouched(left))
                raise
        return len(begun) == len(rows)

    def _record(self, claim: Claim) -> None:
        ledger.record(claim, self.outcomes, now=self.clock())
        self.outcomes = []

    def _begin(self, claim: Claim, rows: Sequence[Row]) -> set[int]:
        # Kept until the transaction has committed: an error leaves them to be recorded later.
        try:
            begun = ledger.begin(claim, rows, self.outcomes, now=self.clock())
        except DigestStopped:
            self.outcomes = []  # these were committed all the same
            raise
        self.outcomes = []
        return begun

    # --- a message

    def _send(self, row: Row, *, before_data: Callable[[], bool]) -> bool:
        """One message through all phases; False when it may not go on after RCPT.

        Raises TransportError when the server is ill rather than this message.
        """
        if not self.connection.is_open:
            self.connection.open()
        connection = self.connection
        message = self._message(row.variant_id).for_member(
            row.address, row.member_uid, row.delivery_id
        )
        was_reused = connection.handed_over > 0
        try:
            mail, rcpt = connection.envelope(self.envelope_sender, row.address, size=len(message))
            refused = self._refusal(row, mail, rcpt)
            if refused:
                self._note(refused)
                return True
            if not before_data():
                connection.reset()
                return False
            reply = connection.hand_over(message)
        except Silence as silence:
            self._note(outcome.silent(row, str(silence)))
            self._count_broken(silence)
            return True
        except TransportError as error:
            # Before the final dot: the server has no message.
            self._note(outcome.broken(row, str(error), was_reused=was_reused, now=self.clock()))
            if not was_reused:
                self._count_broken(error)
            return True
        except (DigestStopped, LeaseLost):
            connection.close()
            raise
        self._note(outcome.answered(row, reply, Delivery.Reason.CONTENT, now=self.clock()))
        self.broken = self.sender_refusals = 0
        if self.had_trouble:
            clear_trouble(self.digest_id)
            self.had_trouble = False
        return True

    def _refusal(self, row: Row, mail: Reply, rcpt: Reply | None) -> Outcome | None:
        now = self.clock()
        if not mail.ok:
            if mail.permanent:
                self._count_sender_refusal(mail)
            # Never final for the recipient, who has no part in it.
            return outcome.sender_refused(row, mail, now=now)
        self.sender_refusals = 0
        if rcpt is not None and not rcpt.ok:
            self.broken = 0
            return outcome.answered(row, rcpt, Delivery.Reason.REFUSED, now=now)
        return None

    def _count_sender_refusal(self, mail: Reply) -> None:
        self.sender_refusals += 1
        if self.sender_refusals >= _MOST_SENDER_REFUSALS:
            reason = _("The mail server refuses the sender: %(answer)s") % {"answer": mail}
            pause(self.digest_id, now=self.clock(), reason=reason)
            self._end("paused", reason)

    def _message(self, variant_id: int) -> CompiledMessage:
        if variant_id not in self.compiled:
            if len(self.compiled) >= _MOST_COMPILED:
                del self.compiled[next(iter(self.compiled))]
            variant = Variant.objects.get(pk=variant_id)
            self.compiled[variant_id] = compile_message(
                self.content,
                subject=variant.subject,
                html=variant.html,
                text=variant.text,
                language=variant.language,
                now=self.clock(),
            )
        return self.compiled[variant_id]

    def _count_broken(self, error: TransportError) -> None:
        self.broken += 1
        if self.broken >= _MOST_BROKEN:
            raise error

    def _note(self, known: Outcome) -> None:
        self.outcomes.append(known)
        self.round.counts[known.state.value] += 1

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
