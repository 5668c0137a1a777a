"""A worker's own record of one batch: a file that says, before each message, that it is begun.

A commit in the database costs as much as the message itself; one `write()` costs next to nothing,
and survives the death of the process as well, because the kernel has it. The file is folded into
the ledger about once a second and is deleted with the batch.

Whoever takes a batch over reads the file first. Two things make that safe. The living owner holds
a lock on it (`flock`), which only its death releases: a worker that was merely stopped for a while
cannot be taken over on its own machine. And the file's name carries the machine's boot id: after
a power cut the last writes may be missing, so what the file does not know is in doubt.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from newsletter import conf
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_ORPHAN_SECONDS = 3600
_quoted = json.encoder.encode_basestring_ascii


@dataclass(frozen=True)
class Replay:
    """What a journal knows of its batch."""

    outcomes: tuple[Outcome, ...] = ()
    begun: frozenset[int] = frozenset()  # without an outcome
    begun_at: datetime | None = None
    is_complete: bool = True  # False: messages that it does not name may have been begun, too


class Busy(Exception):
    """The journal's owner is alive."""


@dataclass
class Journal:
    """The open file; `name` is what the batch's row calls it."""

    name: str
    descriptor: int = field(repr=False)

    @classmethod
    def create(cls) -> Self | None:
        """A new, locked journal; None where JOURNAL_DIR is not set, or the system knows no boots.

        Raises OSError when the folder cannot be written.
        """
        folder = journal_folder()
        boot = _boot_id()
        if folder is None or not boot:
            return None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{boot}-{secrets.token_hex(8)}"
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cls(name, descriptor)

    @classmethod
    def take_over(cls, name: str) -> Self | None:
        """The journal of a dead owner; None when this machine does not have it. Raises Busy."""
        folder = journal_folder()
        if folder is None:
            return None
        try:
            descriptor = os.open(folder / Path(name).name, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise Busy(name) from error
        return cls(name, descriptor)

    def write(
        self, begun: Sequence[int] = (), outcomes: Iterable[Outcome] = (), *, now: datetime
    ) -> None:
        """What became of earlier messages, and which are about to be handed over: one write.

        Raises OSError (a full disk): then nothing may be handed over.
        """
        lines = [_line_of(outcome) for outcome in outcomes]
        if begun:
            # Nothing in it needs an escape, and this is written before each mail.
            lines.append(f'["begun", "{now.isoformat()}", {", ".join(map(str, begun))}]')
        data = ("\n".join(lines) + "\n").encode()
        if os.write(self.descriptor, data) != len(data):
            raise OSError(f"The journal {self.name} could not be written: is the disk full?")

    def replay(self) -> Replay:
        """What its owner had noted. A line that was not written to its end counts for nothing."""
        text = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0).decode()
        outcomes: dict[int, Outcome] = {}
        begun: set[int] = set()
        begun_at: datetime | None = None
        lines = text.split("\n")[:-1]
        for line in lines:
            try:
                kind, *rest = json.loads(line)
            except ValueError:
                continue  # the disk was full in the middle of it
            if kind == "begun":
                begun_at = datetime.fromisoformat(rest[0])
                begun = set(rest[1:])
                for delivery_id in begun:
                    outcomes.pop(delivery_id, None)
            else:
                outcome = _outcome_of(rest)
                outcomes[outcome.delivery_id] = outcome
                begun.discard(outcome.delivery_id)
        return Replay(
            tuple(outcomes.values()),
            frozenset(begun),
            begun_at,
            is_complete=self.name.startswith(f"{_boot_id()}-"),
        )

    def close(self) -> None:
        """Let go of it, for whoever takes the batch over."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def discard(self) -> None:
        """The batch is settled: nobody needs it any more."""
        folder = journal_folder()
        if folder is not None:
            (folder / self.name).unlink(missing_ok=True)
        self.close()


def journal_folder() -> Path | None:
    configured = str(conf.get("JOURNAL_DIR"))
    return Path(configured) if configured else None


def discard_orphans(is_named: Callable[[str], bool], *, now: datetime) -> None:
    """Delete the journals of dead owners that no batch names: they were folded to the end."""
    folder = journal_folder()
    if folder is None or not folder.is_dir():
        return
    for path in folder.iterdir():
        try:
            age = now.timestamp() - path.stat().st_mtime
        except FileNotFoundError:
            continue  # its owner has just discarded it
        # A new one is not named yet.
        if age < _ORPHAN_SECONDS:
            continue
        try:
            orphan = Journal.take_over(path.name)
        except Busy:
            continue
        if orphan is None:
            continue
        if is_named(path.name):
            orphan.close()
        else:
            orphan.discard()


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _line_of(outcome: Outcome) -> str:
    delivery_id, state, reason, code, detail, attempted, next_at = outcome
    # Put together by hand, because it is written for each mail: only the words need escapes.
    number = "null" if code is None else code
    again = _quoted(next_at.isoformat()) if next_at else "null"
    return (
        f'["outcome", {delivery_id}, {_quoted(state)}, {_quoted(reason)}, {number}, '
        f"{_quoted(detail)}, {int(attempted)}, {again}]"
    )


def _outcome_of(values: list[object]) -> Outcome:
    delivery_id, state, reason, code, detail, attempted, next_attempt_at = values
    return Outcome(
        delivery_id=int(str(delivery_id)),
        state=Delivery.State(str(state)),
        reason=str(reason),
        smtp_code=int(str(code)) if code is not None else None,
        detail=str(detail),
        attempted=bool(attempted),
        next_attempt_at=datetime.fromisoformat(str(next_attempt_at)) if next_attempt_at else None,
    )
