"""Evidence from Postfix's log on the same machine.

Postfix notes `cleanup[…]: QUEUEID: message-id=<…>` when it has read a message's header, and
`qmgr[…]: QUEUEID: from=<…>, size=…, nrcpt=… (queue active)` once it has it all safely queued and
has, or is about to have, said 250. Only both together are acceptance.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from newsletter.delivery.evidence import Verdict

_LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ "
    r"postfix[\w./-]*/(?P<program>\w+)\[\d+\]: (?P<rest>.*)"
)
_MESSAGE_ID = re.compile(r"(?P<queue>[0-9A-Za-z]+): (?:resent-)?message-id=(?P<id><[^>]+>)")
_QUEUED = re.compile(r"(?P<queue>[0-9A-Za-z]+): from=<.*nrcpt=\d+ \(queue active\)")
# The ledger knows when the attempt was begun or given up, not the second it was made. So the log
# must reach well beyond on both sides: Postfix waits five minutes for a slow client
# (smtpd_timeout), a group in flight behind a slow server takes its time, clocks differ.
_QUIET = timedelta(minutes=30)
_EARLY = timedelta(hours=1)


class PostfixLog:
    """`paths`: the log and its rotated predecessors (plain or .gz), in any order.

    `complete=True` promises that these files hold every line Postfix wrote between their first and
    their last: only then is a message that they don't mention absent. `time_zone` is that of the
    old kind of time stamp ("Nov 23 08:00:01"); the new kind carries its own.
    """

    def __init__(
        self, paths: Sequence[str] = ("/var/log/mail.log",), *, complete: bool = False,
        time_zone: str = "UTC",
    ) -> None:  # fmt: skip
        self.paths = [Path(path) for path in paths]
        self.complete = complete
        self.zone = ZoneInfo(time_zone)

    def look_up(
        self, message_ids: Mapping[str, datetime], *, now: datetime
    ) -> Mapping[str, Verdict]:
        queues: dict[str, set[str]] = {}  # Message-ID → queue ids
        queued: set[str] = set()
        first: datetime | None = None
        last: datetime | None = None
        for line in self._lines():
            parsed = _LINE.match(line)
            if not parsed:
                continue
            at = self._time(parsed["time"], now)
            if at is not None:
                first = at if first is None else min(first, at)
                last = at if last is None else max(last, at)
            if found := _MESSAGE_ID.match(parsed["rest"]):
                if found["id"] in message_ids:
                    queues.setdefault(found["id"], set()).add(found["queue"])
            elif found := _QUEUED.match(parsed["rest"]):
                queued.add(found["queue"])
        verdicts: dict[str, Verdict] = {}
        for message_id, tried_at in message_ids.items():
            covered = (
                self.complete
                and first is not None
                and last is not None
                and first <= tried_at - _EARLY
                and last >= tried_at + _QUIET
            )
            if queues.get(message_id, set()) & queued:
                verdicts[message_id] = Verdict.ACCEPTED
            elif covered:
                # Read but never queued is as good as never seen.
                verdicts[message_id] = Verdict.ABSENT
            else:
                verdicts[message_id] = Verdict.UNKNOWN
        return verdicts

    def _lines(self) -> Iterator[str]:
        for path in self.paths:
            try:
                with _open(path) as log:
                    yield from log
            except OSError:
                # A file that is missing or closed to us is a gap: nothing is proven by it.
                self.complete = False

    def _time(self, text: str, now: datetime) -> datetime | None:
        try:
            if text[0].isdigit():
                at = datetime.fromisoformat(text)
                return at if at.tzinfo else at.replace(tzinfo=self.zone)
            # No year in it: the latest that does not lie in the future.
            local = now.astimezone(self.zone)
            at = datetime.strptime(f"{local.year} {text}", "%Y %b %d %H:%M:%S").replace(
                tzinfo=self.zone
            )
            if at > local + timedelta(days=1):
                at = at.replace(year=at.year - 1)
        except ValueError:
            return None
        return at.astimezone(UTC)


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")
