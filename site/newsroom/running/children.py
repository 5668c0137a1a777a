"""The processes of one instance: started together, watched, ended together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from newsroom.settings.base import ROOT

TERM_SECONDS = 25  # the worker finishes the mail it is handing over
TAIL_LINES = 12


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class ChildDied(Exception):
    """A process ended that should not; the message ends with the last it said."""


class Children:
    """A context manager: whatever was started in it is gone after it."""

    def __init__(self, logs: Path, env: dict[str, str]) -> None:
        self.logs = logs
        self.env = env
        self.running: list[Child] = []

    def start(self, name: str, *arguments: str) -> None:
        """Runs `manage.py name arguments…`, its output in logs/name.log."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  (our own manage.py)
                [
                    sys.executable,
                    str(ROOT / "manage.py"),
                    name,
                    *arguments,
                    f"--parent={os.getpid()}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | self.env | {"PYTHONUNBUFFERED": "1"},
            )
        self.running.append(Child(name, process, log))

    def check(self) -> None:
        """Raises ChildDied when one is gone."""
        for child in self.running:
            status = child.process.poll()
            if status is not None:
                said = child.log.read_text(encoding="utf-8", errors="replace").splitlines()
                tail = "\n".join(f"    {line}" for line in said[-TAIL_LINES:])
                how = f"signal {-status}" if status < 0 else f"status {status}"
                raise ChildDied(
                    f"The {child.name} process ended ({how}). The end of {child.log}:\n{tail}"
                )

    def stop(self) -> None:
        for child in self.running:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + TERM_SECONDS
        for child in self.running:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self.running.clear()

    def kill(self) -> None:
        for child in self.running:
            child.process.kill()
            child.process.wait()
        self.running.clear()
