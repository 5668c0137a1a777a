"""Breaks delivery on purpose, fault by fault, and prints what it did.

    python -m tests.faults                          everything, 1,000 kills on each database
    python -m tests.faults --short                  the same with few kills, as `make test` does
    python -m tests.faults --only kills.            the faults whose name begins so
    python -m tests.faults --on sqlite --kills 200
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from dataclasses import dataclass

from tests.faults import clocks, kills, mail_servers, people, postfix, storage, workers
from tests.faults.bed import Broken, CannotRun, Fault, Field, Tally, field_of

BOTH = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Row:
    name: str  # the module's and the function's
    words: str
    fault: Fault
    backends: tuple[str, ...] = BOTH


def row(fault: Fault, words: str, backends: tuple[str, ...] = BOTH) -> Row:
    return Row(f"{fault.__module__.rpartition('.')[2]}.{fault.__name__}", words, fault, backends)


ROWS = [
    row(kills.senders_at_random, "senders killed at random times"),
    row(kills.senders_at_each_point, "senders killed at each named point"),
    row(kills.sweepers_at_each_point, "sweepers killed while they clear up"),
    row(kills.approvals_at_each_point, "approvals killed while they freeze"),
    row(kills.senders_without_evidence, "senders killed, nothing to reconcile by"),
    row(kills.a_stale_sender, "a sender that sleeps beyond its lease"),
    row(people.cancelled_while_sending, "cancelled while it is sent"),
    row(people.paused_and_resumed, "paused and resumed while it is sent"),
    row(people.left_while_sending, "members leave while it is sent"),
    row(people.edited_while_sending, "edited while it is sent"),
    row(mail_servers.refused_for_now, "421, 450, 451, 452"),
    row(mail_servers.refused_for_good, "550, 552"),
    row(mail_servers.hangs_up_before, "hangs up at each phase before the end"),
    row(mail_servers.silent_after_the_dot, "hangs up after the final dot"),
    row(mail_servers.a_tarpit, "tarpit"),
    row(mail_servers.no_trust, "TLS and DNS failures"),
    row(mail_servers.smtp_sink, "smtp-sink and its faults"),
    row(postfix.senders_killed, "senders killed before a real Postfix"),
    row(workers.folder_flushed, "folder broker emptied, workers killed", ("sqlite",)),
    row(workers.redis_flushed, "Redis killed and emptied, workers too", ("postgresql",)),
    row(workers.rabbitmq_flushed, "RabbitMQ killed and emptied, workers too", ("postgresql",)),
    row(workers.workers_come_and_go, "four workers, joining and dying", ("postgresql",)),
    row(storage.postgresql_killed, "PostgreSQL killed and restarted", ("postgresql",)),
    row(storage.sqlite_locked, "SQLite locked", ("sqlite",)),
    row(storage.disk_full, "disk full", ("sqlite",)),
    row(storage.restored_backup, "a backup restored the day after"),
    row(clocks.daylight_saving, "clocks change, three beats"),
    row(clocks.two_beats, "four beats for one slot"),
    row(clocks.a_long_downtime, "nothing ran when its time came"),
]

_HEADER = ("fault", "on", "kills", "messages", "lost", "doubled", "uncertain", "reconciled", "held")


def main() -> int:
    arguments = _parser().parse_args()
    chosen = [one for one in ROWS if one.name.startswith(arguments.only)]
    if not chosen:
        names = "\n  ".join(one.name for one in ROWS)
        sys.stderr.write(f"No fault's name begins with {arguments.only!r}:\n  {names}\n")
        return 2
    _print(_HEADER)
    failed = 0
    for backend in arguments.on.split(","):
        if backend not in BOTH:
            sys.stderr.write(f"--on {backend}: choose from {', '.join(BOTH)}\n")
            return 2
        kills_wanted = arguments.kills or (24 if arguments.short else 1000)
        with field_of(backend, kills=kills_wanted, is_short=arguments.short) as field:
            for one in chosen:
                if backend in one.backends:
                    failed += not _try(one, field)
    sys.stdout.write(f"\n{failed or 'nothing'} failed\n")
    return 1 if failed else 0


def _try(one: Row, field: Field) -> bool:
    started = time.monotonic()
    held, why = "yes", ""
    tally = Tally()
    try:
        tally = one.fault(field)
        if tally.lost or tally.doubled:
            held = "NO"
    except CannotRun as reason:
        held, why = "DID NOT RUN", str(reason)
    except Broken as broken:
        held, why = "NO", str(broken)
    except Exception:
        held, why = "NO", traceback.format_exc()
    numbers = (
        tally.kills, tally.messages, tally.lost, tally.doubled, tally.uncertain, tally.reconciled
    )  # fmt: skip
    seconds = f"{held}, {time.monotonic() - started:.0f} s"
    _print((one.words, field.backend, *(f"{number:,}" for number in numbers), seconds))
    for words in [*tally.remarks, why]:
        if words:
            sys.stdout.write(f"    {words}\n")
    sys.stdout.flush()
    return held == "yes"


def _print(cells: tuple[str, ...]) -> None:
    first, second, *numbers, last = cells
    row = f"{first:<42} {second:<11}" + "".join(f"{number:>11}" for number in numbers)
    sys.stdout.write(f"{row}  {last}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--short", action="store_true", help="few kills: a minute or two")
    parser.add_argument("--kills", type=int, default=0, help="of senders at random, per database")
    parser.add_argument("--on", default=",".join(BOTH), help="sqlite, postgresql, or both")
    parser.add_argument("--only", default="", help="faults whose name begins so")
    return parser


if __name__ == "__main__":
    sys.exit(main())
