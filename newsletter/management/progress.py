"""How far long work has come: a bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

import time
from typing import Protocol

BAR_WIDTH = 30
PLAIN_SECONDS = 5.0


class Stream(Protocol):
    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...


class Progress:
    """`show(done, total)` as often as you like; `close()` leaves the last state on its own line."""

    def __init__(self, label: str, stream: Stream) -> None:
        self.label = label
        self.stream = stream
        self._on_terminal = stream.isatty()
        self._shown_at = 0.0
        self._open = False

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        finished = done >= total
        pause = 0.1 if self._on_terminal else PLAIN_SECONDS
        if not finished and now - self._shown_at < pause:
            return
        self._shown_at = now
        counts = f"{done} of {total}"
        if self._on_terminal:
            full = BAR_WIDTH if total == 0 else BAR_WIDTH * done // total
            bar = "█" * full + "·" * (BAR_WIDTH - full)
            self.stream.write(f"\r{self.label} {bar} {counts}\x1b[K")
            self._open = True
        else:
            self.stream.write(f"{self.label}: {counts}\n")
        self.stream.flush()

    def close(self) -> None:
        if self._open:
            self.stream.write("\n")
            self.stream.flush()
            self._open = False
