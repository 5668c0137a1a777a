"""Measures a subject and a reference in the same run and prints their ratio.

Absolute times say more about the machine than about the code, so no benchmark prints a verdict
on seconds. A benchmark is a script:

    import harness
    harness.start()                                   # before anything of Django is imported
    ours = harness.measure("parse + clean", parse_all)
    theirs = harness.measure("feedparser with its own sanitiser", their_way)
    harness.ratio("parse + clean", ours, theirs, bar=2.0)
    harness.finish()                                  # --strict: exit 1 when a bar was missed
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_missed: list[str] = []


@dataclass(frozen=True)
class Measured:
    name: str
    seconds: float  # for one unit of work, the best of the repeats


def start(*, migrate: bool = False) -> None:
    """Set Django up on a throw-away data folder (or on DATABASE_URL, whose data is the caller's).

    `migrate` also makes the tables.
    """
    data_dir = tempfile.mkdtemp(prefix="bollettino-benchmark-")
    atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
    os.environ["DATA_DIR"] = data_dir
    attach()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)


def attach() -> None:
    """Set Django up in a process that a benchmark started, on that benchmark's data."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings.test")
    sys.path[:0] = [str(ROOT), str(ROOT / "site")]

    import django

    django.setup()


def measure(
    name: str,
    fn: Callable[[], object],
    repeat: int = 3,
    *,
    units: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """The best of `repeat` runs of `fn`, for one of the `units` of work that a run does.

    `clock=time.process_time` is for work that waits for nothing: others on the machine then
    disturb it less.
    """
    best = float("inf")
    for _ in range(repeat):
        gc.collect()
        began = clock()
        fn()
        best = min(best, clock() - began)
    return Measured(name, best / units)


def ratio(name: str, subject: Measured, reference: Measured, bar: float | None = None) -> float:
    """Print how many times faster than the reference the subject is; below the bar is a miss."""
    times = reference.seconds / subject.seconds if subject.seconds else float("inf")
    verdict = ""
    if bar is not None:
        verdict = f"  (bar {bar:g})  {'OK' if times >= bar else 'MISSED'}"
        if times < bar:
            _missed.append(name)
    print(f"{name:<34} {times:6.2f} × {reference.name}{verdict}", flush=True)
    return times


def own_memory() -> float:
    """This process's memory in MB, without the pages of files that it has mapped."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def finish() -> None:
    """End the process: status 1 when a bar was missed and `--strict` was asked for."""
    sys.exit(1 if _missed and "--strict" in sys.argv else 0)
