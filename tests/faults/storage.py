"""The database and the disk fail while a digest goes out."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.bed import Bed, CannotRun, Field, Tally, must


def postgresql_killed(field: Field) -> Tally:
    """The whole server, -9 and up again, while two senders are at work."""
    server = field.databases.server
    assert server is not None
    rounds = 2 if field.is_short else 20
    total = Tally()
    for journal in (True, False):
        with field.bed(journal=journal) as bed:
            bed.smtp.slow = 0.004
            digest = bed.digest(60 * rounds)
            uncertain = 0
            for _round in range(rounds):
                pids = [bed.spawn("send", digest=digest) for _ in range(2)]
                bed.wait_until_arrived(15, seconds=5)
                server.kill()
                server.start()
                for pid in pids:
                    bed.wait(pid)
                time.sleep(0.7)
                bed.sweep(evidence=False)
                uncertain += bed.uncertain(digest)
                bed.sweep()
            row = bed.finish(digest)
            row.kills, row.uncertain, row.reconciled = rounds, uncertain, uncertain
            total += row
    return total


def sqlite_locked(field: Field) -> Tally:
    """Somebody holds the file's write lock for longer than anybody waits for it."""
    seconds = 4 if field.is_short else 35
    total = Tally()
    for journal in (True, False):
        with field.bed(journal=journal) as bed:
            bed.smtp.slow = 0.004
            digest = bed.digest(200)
            bed.smtp.hold_after(30)
            pids = [bed.spawn("send", digest=digest) for _ in range(2)]
            bed.wait_until_held()
            other = sqlite3.connect(bed.folder / "ledger.sqlite3", timeout=10)
            other.execute("BEGIN IMMEDIATE")
            bed.smtp.release()
            time.sleep(seconds)
            other.rollback()
            other.close()
            for pid in pids:
                bed.wait(pid)
            time.sleep(0.7)
            bed.sweep(evidence=False)
            uncertain = bed.uncertain(digest)
            row = bed.finish(digest)
            row.uncertain = row.reconciled = uncertain
            total += row
    total.remarks.append(f"locked for {seconds} s, twice")
    return total


def disk_full(field: Field) -> Tally:
    """No room left on a small disk, for the ledger or for the journal alone; then there is."""
    total = Tally()
    for journal_alone in (False, True):
        with _small_disk() as disk:
            folder = disk
            if journal_alone:
                folder = Path(field.root) / "beside-the-full-disk"
                folder.mkdir()
            keys = {"JOURNAL_DIR": str(disk / "journal"), "BATCH_SIZE": 500}
            with field.bed(folder=folder, **keys) as bed:
                bed.smtp.slow = 0.004
                digest = bed.digest(1000)
                bed.smtp.hold_after(30)
                pids = [bed.spawn("send", digest=digest) for _ in range(2)]
                bed.wait_until_held()
                filler = disk / "filler"
                _fill(filler)
                bed.smtp.release()
                for pid in pids:
                    bed.wait(pid)
                so_far = len(bed.smtp.received)
                must(so_far < 1000, "the disk was full and nobody noticed")
                bed.run("send", digest=digest)
                filler.unlink()
                time.sleep(0.7)
                bed.sweep(evidence=False)
                uncertain = bed.uncertain(digest)
                row = bed.finish(digest)
                row.uncertain = row.reconciled = uncertain
                row.remarks.append(
                    f"{'journal' if journal_alone else 'everything'} on the full disk: "
                    f"stopped after {so_far} of 1,000"
                )
                total += row
            if journal_alone:
                shutil.rmtree(folder)
    return total


def restored_backup(field: Field) -> Tally:
    """A copy of the database from the middle of the sending is put back the day after."""
    with field.bed() as bed:
        bed.smtp.slow = 0.002
        digest = bed.digest(120)
        bed.smtp.hold_after(40)
        pid = bed.spawn("send", digest=digest)
        bed.wait_until_held()
        bed.order("control", word="pause", digest=digest)
        bed.smtp.release()
        bed.wait(pid)
        backup = _back_up(field, bed)
        bed.order("control", word="resume", digest=digest)
        before = bed.finish(digest)
        _restore(field, bed, backup)
        bed.order("control", word="resume", digest=digest)
        day = 24 * 60
        bed.run("sweep", ahead=day)
        bed.run("send", digest=digest, ahead=day)
        must(len(bed.smtp.received) == before.messages, "a restored backup sent again")
        must(bed.report(digest)["status"] == "held", f"{bed.report(digest)}")
    return before


def _back_up(field: Field, bed: Bed) -> Path | str:
    _everybody_leaves(field)
    if field.backend == "sqlite":
        copy = bed.folder / "backup.sqlite3"
        with sqlite3.connect(bed.folder / "ledger.sqlite3") as live:
            live.execute("VACUUM INTO ?", [str(copy)])
        field.begin(bed)
        return copy
    name = field.databases.copy_of(bed.database_url)
    field.begin(bed)
    return name


def _restore(field: Field, bed: Bed, backup: Path | str) -> None:
    _everybody_leaves(field)
    if isinstance(backup, Path):
        for suffix in ("-wal", "-shm"):
            bed.folder.joinpath(f"ledger.sqlite3{suffix}").unlink(missing_ok=True)
        shutil.copy(backup, bed.folder / "ledger.sqlite3")
    else:
        bed.database_url = backup
    field.begin(bed)


def _everybody_leaves(field: Field) -> None:
    field.nursery.order("begin", database_url=field.databases.template_url, keys={})


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as filler:
        for size in (65536, 512, 1):
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError:
                continue


@contextmanager
def _small_disk() -> Iterator[Path]:
    if os.geteuid() != 0:
        raise CannotRun("a small disk of its own (tmpfs) can only be mounted by root")
    with TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "tmpfs", folder]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotRun(f"a small disk of its own cannot be mounted: {done.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
