"""Limits that senders on whatever machine obey together, and what the dead keep of them."""

from __future__ import annotations

import time

from tests.faults.bed import Field, Tally, must

_SENDERS = 5
_MOST = 2
# Seconds; a sender renews its place when half of them are over. As long as a delivery rests that
# found no place, so that the next round has work.
_LEASE = 3.0


def senders_of_one_domain(field: Field) -> Tally:
    """More senders than the domain may have at once; some are killed with their place."""
    kills = 2 if field.is_short else 20
    most = {"posta.example": {"connections": _MOST}}
    with field.bed(RATE_LIMITS=most, LEASE_SECONDS=_LEASE) as bed:
        bed.smtp.slow = 0.02
        digest = bed.digest(100 * kills)
        done = uncertain = 0
        for _round in range(kills):
            if len(bed.smtp.received) > 100 * kills - 15:
                break  # so slow a machine that the leases ran out, and one sender sent the rest
            pids = [bed.spawn("send", digest=digest) for _ in range(_SENDERS)]
            bed.wait_until_arrived(15, seconds=20)
            killed_at = time.monotonic()
            for pid in pids:
                done += bed.kill(pid)
            before = len(bed.smtp.received)
            bed.sweep(evidence=False)
            uncertain += bed.uncertain(digest)
            bed.sweep()
            # Their places are taken: nobody serves the domain until the lease has run out.
            bed.run("send", digest=digest)
            early = len(bed.smtp.received) - before
            had_them = time.monotonic() - killed_at < _LEASE / 2
            must(
                early == 0 or _round > 0 or not had_them,
                f"{early} mails went while the dead had all places",
            )
            time.sleep(_LEASE + 0.1)
        most_at_once = bed.smtp.most_at_once
        must(most_at_once == _MOST, f"{most_at_once} at once, {_MOST} were allowed")
        total = bed.finish(digest)
        must(bed.smtp.most_at_once == _MOST, f"{bed.smtp.most_at_once} at once")
    total.kills, total.uncertain, total.reconciled = done, uncertain, uncertain
    return total
