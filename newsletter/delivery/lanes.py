"""Two connections to the mail server, used in turn.

While the server thinks about one message, the next travels on the other connection up to its final
dot. That dot waits for the answer to the message before, so there is never more than one of which
nobody knows whether the server took it, and yet neither side waits for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from newsletter.delivery.outcome import Row
from newsletter.delivery.provider import ProviderConnection
from newsletter.delivery.smtp import Connection
from newsletter.exceptions import TransportError

Lane = Connection | ProviderConnection
# For fewer mails than this a second greeting, encryption and login take longer than they save.
_WORTH_ANOTHER = 10


class InHand(NamedTuple):
    """A message that ended with its final dot, and no answer was read yet."""

    row: Row
    lane: Lane


class Lanes:
    """A sender's connections; the second is opened when it is worth it, and given up when the
    server does not want it."""

    def __init__(self, connect: Callable[[], Lane], *, most: int) -> None:
        self._connect = connect
        first = connect()
        self._all = [first]
        # A provider is asked once for a whole message.
        self._most = 1 if isinstance(first, ProviderConnection) else most
        self.in_hand: InHand | None = None

    @property
    def is_any_free(self) -> bool:
        """Whether one of them owes no answer."""
        return self.in_hand is None or len(self._all) > 1

    def free(self) -> Lane:
        """One that owes no answer; it may have to be opened."""
        busy = self.in_hand.lane if self.in_hand else None
        return next(lane for lane in self._all if lane is not busy)

    def widen(self, mails: int) -> None:
        """Open another for so many mails, if that is worth it. Never fails.

        Between two batches only: who comes next on the first is announced to it already.
        """
        if len(self._all) >= self._most or mails < _WORTH_ANOTHER or not self._all[0].is_idle:
            return
        another = self._connect()
        try:
            self._all.append(another.open())
        except TransportError:
            self._most = len(self._all)

    @property
    def turn(self) -> int:
        """A lane's next message is so many messages further."""
        return len(self._all)

    def quit(self) -> None:
        for lane in self._all:
            lane.quit()
