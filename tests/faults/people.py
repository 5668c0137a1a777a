"""What people do while a digest goes out: they cancel, leave, edit, pause."""

from __future__ import annotations

import time

from tests.faults.bed import Field, Tally, must

_SENDERS = 2


def cancelled_while_sending(field: Field) -> Tally:
    total = Tally()
    for journal in (True, False):
        with field.bed(journal=journal) as bed:
            bed.smtp.slow = 0.003
            digest = bed.digest(300)
            bed.smtp.hold_after(40)
            pids = [bed.spawn("send", digest=digest) for _ in range(_SENDERS)]
            bed.wait_until_held()
            bed.order("control", word="cancel", digest=digest)
            at_commit = len(bed.smtp.received)
            bed.smtp.release()
            for pid in pids:
                bed.wait(pid)
            bed.sweep()
            after = len(bed.smtp.received) - at_commit
            states = bed.report(digest)["states"]
            must(after <= _SENDERS, f"{after} mails after the cancellation's commit")
            must(states["sent"] == len(bed.smtp.received), f"the counts are not true: {states}")
            must(states["sent"] + states["skipped"] == 300, f"something is left open: {states}")
            row = bed.count(states["sent"])
            row.remarks.append(f"{after} after the commit")
            total += row
    return total


def left_while_sending(field: Field) -> Tally:
    """Those at the far end leave while the first get theirs: nothing reaches them."""
    gone = [f"persona{number}@posta.example" for number in range(201, 301)]
    total = Tally()
    for journal in (True, False):
        with field.bed(journal=journal) as bed:
            bed.smtp.slow = 0.003
            digest = bed.digest(300)
            bed.smtp.hold_after(30)
            pids = [bed.spawn("send", digest=digest) for _ in range(_SENDERS)]
            bed.wait_until_held()
            must(bed.order("leave", addresses=gone)["changed"] == 100, "nobody left")
            bed.smtp.release()
            for pid in pids:
                bed.wait(pid)
            bed.finish(digest)
            reached = [address for address in gone if bed.smtp.of(address)]
            must(not reached, f"{len(reached)} who had left got a mail")
            must(bed.report(digest)["states"]["skipped"] == 100, "they were not counted")
            total += bed.count(200)
    return total


def edited_while_sending(field: Field) -> Tally:
    with field.bed() as bed:
        bed.smtp.slow = 0.003
        digest = bed.digest(200)
        bed.smtp.hold_after(20)
        pids = [bed.spawn("send", digest=digest) for _ in range(_SENDERS)]
        bed.wait_until_held()
        bed.order("edit", digest=digest)
        bed.smtp.release()
        for pid in pids:
            bed.wait(pid)
        total = bed.finish(digest)
        changed = [mail for mail in bed.smtp.received if b"Cambiato" in mail.raw]
        must(not changed, f"{len(changed)} copies carry what was edited later")
        subjects = {mail.subject for mail in bed.smtp.received}
        must(len(subjects) == 1, f"copies differ: {subjects}")
    return total


def paused_and_resumed(field: Field) -> Tally:
    with field.bed() as bed:
        bed.smtp.slow = 0.003
        digest = bed.digest(300)
        bed.smtp.hold_after(30)
        pids = [bed.spawn("send", digest=digest) for _ in range(_SENDERS)]
        bed.wait_until_held()
        bed.order("control", word="pause", digest=digest)
        at_commit = len(bed.smtp.received)
        bed.smtp.release()
        for pid in pids:
            bed.wait(pid)
        after = len(bed.smtp.received) - at_commit
        must(after <= _SENDERS, f"{after} mails after the pause")
        bed.run("send", digest=digest)
        time.sleep(0.1)
        must(len(bed.smtp.received) == at_commit + after, "a paused digest went on")
        bed.order("control", word="resume", digest=digest)
        total = bed.finish(digest)
    total.remarks.append(f"{after} after the pause")
    return total
