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
from collections import Counter
from dataclasses import dataclass

from tests.faults import clocks, kills, limits, mail_servers, people, postfix, storage, workers
from tests.faults.bed import Broken, CannotRun, Fault, Field, Tally, field_of

SQLITE, POSTGRESQL = ("sqlite",), ("postgresql",)
BOTH = SQLITE + POSTGRESQL


@dataclass(frozen=True)
class Row:
    """A fault, the databases it is tried on, and those of them it is tried on in the short form."""

    fault: Fault
    words: str
    on: tuple[str, ...] = BOTH
    short: tuple[str, ...] = BOTH

    @property
    def name(self) -> str:
        return f"{self.fault.__module__.rpartition('.')[2]}.{self.fault.__name__}"


ROWS = [
    Row(kills.senders_at_random, "senders killed at random times"),
    Row(kills.senders_at_each_point, "senders killed at each named point", short=SQLITE),
    Row(kills.sweepers_at_each_point, "sweepers killed while they clear up"),
    Row(kills.approvals_at_each_point, "approvals killed while they freeze"),
    Row(kills.senders_without_evidence, "senders killed, nothing to reconcile by"),
    Row(kills.a_stale_sender, "a sender that sleeps beyond its lease"),
    Row(limits.senders_of_one_domain, "more senders than a domain may have"),
    Row(people.cancelled_while_sending, "cancelled while it is sent"),
    Row(people.paused_and_resumed, "paused and resumed while it is sent"),
    Row(people.left_while_sending, "members leave while it is sent"),
    Row(people.edited_while_sending, "edited while it is sent"),
    # The server's answers never reach the database's own dialect.
    Row(mail_servers.refused_for_now, "421, 450, 451, 452", short=SQLITE),
    Row(mail_servers.refused_for_good, "550, 552", short=SQLITE),
    Row(mail_servers.hangs_up_before, "hangs up at each phase before the end", short=SQLITE),
    Row(mail_servers.silent_after_the_dot, "hangs up after the final dot", short=SQLITE),
    Row(mail_servers.a_tarpit, "tarpit", short=SQLITE),
    Row(mail_servers.no_trust, "TLS and DNS failures", short=SQLITE),
    Row(mail_servers.smtp_sink, "smtp-sink and its faults", short=SQLITE),
    Row(postfix.senders_killed, "senders killed before a real Postfix", short=SQLITE),
    Row(workers.folder_flushed, "folder broker emptied, workers killed", SQLITE),
    Row(workers.redis_flushed, "Redis killed and emptied, workers too", POSTGRESQL, short=()),
    Row(workers.rabbitmq_flushed, "RabbitMQ killed and emptied, workers too", POSTGRESQL),
    Row(workers.workers_come_and_go, "four workers, joining and dying", POSTGRESQL, short=()),
    Row(storage.postgresql_killed, "PostgreSQL killed and restarted", POSTGRESQL),
    Row(storage.sqlite_locked, "SQLite locked", SQLITE),
    Row(storage.disk_full, "disk full", SQLITE),
    Row(storage.restored_backup, "a backup restored the day after"),
    Row(clocks.daylight_saving, "clocks change, three beats", short=SQLITE),
    Row(clocks.two_beats, "four beats for one slot"),
    Row(clocks.a_long_downtime, "nothing ran when its time came"),
]

HELD, FAILED, LEFT_OUT = "yes", "NO", "DID NOT RUN"
_HEADER = ("fault", "on", "kills", "messages", "lost", "doubled", "uncertain", "reconciled", "held")


def main() -> int:
    arguments = _parser().parse_args()
    chosen = [one for one in ROWS if one.name.startswith(arguments.only)]
    if not chosen:
        names = "\n  ".join(one.name for one in ROWS)
        sys.stderr.write(f"No fault's name begins with {arguments.only!r}:\n  {names}\n")
        return 2
    _print(_HEADER)
    outcomes: Counter[str] = Counter()
    for backend in arguments.on.split(","):
        if backend not in BOTH:
            sys.stderr.write(f"--on {backend}: choose from {', '.join(BOTH)}\n")
            return 2
        kills_wanted = arguments.kills or (24 if arguments.short else 1000)
        with field_of(backend, kills=kills_wanted, is_short=arguments.short) as field:
            for one in chosen:
                if backend in one.on and (not arguments.short or backend in one.short):
                    outcomes[_try(one, field)] += 1
    failed, left_out = outcomes[FAILED], outcomes[LEFT_OUT]
    sys.stdout.write(f"\n{outcomes[HELD]} held, {failed} failed, {left_out} did not run\n")
    return 1 if failed else 0


def _try(one: Row, field: Field) -> str:
    started = time.monotonic()
    held, why = HELD, ""
    tally = Tally()
    try:
        tally = one.fault(field)
        if tally.lost or tally.doubled:
            held = FAILED
    except CannotRun as reason:
        held, why = LEFT_OUT, str(reason)
    except Broken as broken:
        held, why = FAILED, str(broken)
    except Exception:
        held, why = FAILED, traceback.format_exc()
    numbers = (
        tally.kills, tally.messages, tally.lost, tally.doubled, tally.uncertain, tally.reconciled
    )  # fmt: skip
    seconds = f"{held}, {time.monotonic() - started:.0f} s"
    _print((one.words, field.backend, *(f"{number:,}" for number in numbers), seconds))
    for words in [*tally.remarks, why]:
        if words:
            sys.stdout.write(f"    {words}\n")
    sys.stdout.flush()
    return held


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
