"""How much of what servers answer is held in memory at once."""

from __future__ import annotations

from threading import Semaphore

LARGE = 1_000_000  # bytes; what is smaller needs no place


class Place:
    """One of a few places for large answers, taken when an answer turns out to be one.

    Until a place is free the rest of the answer waits in its connection.
    """

    def __init__(self, places: Semaphore) -> None:
        self._places = places
        self._taken = False

    def take(self, seconds: float) -> bool:
        """Whether it is ours, after at most so long; taken twice it is one place."""
        self._taken = self._taken or self._places.acquire(timeout=max(seconds, 0))
        return self._taken

    def give_back(self) -> None:
        if self._taken:
            self._taken = False
            self._places.release()
