"""What a piece of code costs: the processor's time, and memory at its highest."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc/self")
# A hostile feed may cost 1 s of a processor that is ours alone. Beside another test, which shares
# its caches and its clock, the same work was seen to take up to twice that.
HOSTILE_SECONDS = 2.0


@dataclass
class Cost:
    cpu: float = 0.0  # seconds of this thread's
    mb: float = 0.0  # above what the process had before


@contextmanager
def cost() -> Iterator[Cost]:
    """Measures what happens inside; memory is 0 where there is no /proc."""
    measured = Cost()
    # 5: forget the highest so far (https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html)
    if (_PROC / "clear_refs").exists():
        (_PROC / "clear_refs").write_text("5")
    before, began = _peak_mb(), time.thread_time()
    yield measured
    measured.cpu = time.thread_time() - began
    measured.mb = _peak_mb() - before


def _peak_mb() -> float:
    if not (_PROC / "status").exists():
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", (_PROC / "status").read_text())
    return int(found[1]) / 1024 if found else 0.0
