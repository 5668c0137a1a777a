"""Processes killed with -9: at random, at every named point, sweepers, approvals, whole crowds."""

from __future__ import annotations

import os
import random
import signal
import time

from tests.delivery.scripted_server import ScriptedServer
from tests.faults.bed import LEASE_SECONDS, Bed, Field, Point, Tally, must

_CLAIM = "newsletter.delivery.claim"
_HAND_OVER = "newsletter.delivery.handover"
_JOURNAL = "newsletter.delivery.journal"
_LEDGER = "newsletter.delivery.ledger"
_SMTP = "newsletter.delivery.smtp"
_WIRE = "newsletter.delivery.wire"

# Everything that a sender does to the ledger, its journal or the server, before and after. The
# functions that commit are decorated or hold the transaction: their own return comes before the
# commit, their caller's after it.
SENDER_POINTS: list[tuple[str, str, str]] = [
    (_CLAIM, "_claim", "call"),
    (_CLAIM, "_claim", "return"),
    (_CLAIM, "claim_batch", "return"),
    (_LEDGER, "next_rows", "return"),
    (_SMTP, "Connection.open", "return"),
    (_SMTP, "Connection.open_envelope", "return"),
    (_HAND_OVER, "HandOver.begin", "call"),
    (_HAND_OVER, "HandOver.begin", "return"),
    (_WIRE, "Wire.write_until", "return"),
    (_SMTP, "Connection.start", "return"),
    (_SMTP, "Connection.finish", "return"),
    (_SMTP, "Connection.read_answer", "return"),
    (_HAND_OVER, "HandOver.note", "return"),
    (_LEDGER, "fold", "return"),
    (_HAND_OVER, "HandOver.fold", "return"),
    (_CLAIM, "_settle", "return"),
    (_CLAIM, "give_back", "return"),
    (_HAND_OVER, "HandOver.end", "return"),
]
JOURNAL_POINTS = [
    (_JOURNAL, "Journal.create", "return"),
    (_JOURNAL, "Journal.write", "call"),
    (_JOURNAL, "Journal.write", "return"),
    (_JOURNAL, "Journal.discard", "call"),
]
ROW_POINTS = [(_LEDGER, "commit_begun", "call"), (_LEDGER, "commit_begun", "return")]
# By message, not by batch: any of a batch's may be the one.
_OFTEN = {"HandOver.begin", "HandOver.note", "Connection.open_envelope", "Connection.start",
          "Connection.finish", "Connection.read_answer",
          "Wire.write_until", "Journal.write", "commit_begun"}  # fmt: skip

SWEEPER_POINTS: list[tuple[str, str, str]] = [
    (_CLAIM, "_take_back", "call"),
    (_JOURNAL, "Journal.replay", "return"),
    (_CLAIM, "_conclude", "return"),
    (_CLAIM, "_take_back", "return"),
    (_CLAIM, "release_expired", "return"),
    ("newsletter.delivery.reconcile", "_settle_sent", "return"),
    ("newsletter.delivery.reconcile", "reconcile", "return"),
    ("newsletter.delivery.control", "finish", "call"),
]
FREEZE_POINTS: list[tuple[str, str, str]] = [
    ("newsletter.delivery.freeze", "_gather_audience", "return"),
    ("newsletter.delivery.freeze", "_divide_into_segments", "return"),
    ("newsletter.delivery.freeze", "_write_ledger", "return"),
    ("newsletter.delivery.freeze", "_cut_batches", "return"),
    ("newsletter.delivery.freeze", "approve", "return"),
]


def senders_at_random(field: Field) -> Tally:
    """The ledger's two ways of noting, each with one message in flight and with five."""
    total = Tally()
    for journal in (True, False):
        for window in (1, 5):
            total += _at_random(field, field.kills // 4, journal=journal, window=window)
    return total


def _at_random(field: Field, kills: int, *, journal: bool, window: int) -> Tally:
    chance = random.Random(f"{journal} {window}")
    with ScriptedServer() as smtp, field.bed(smtp=smtp, journal=journal, IN_FLIGHT=window) as bed:
        # Long enough that many kills fall between the server's taking a message and its saying so.
        smtp.slow = 0.004
        digest = bed.digest(8 * kills + 50)
        done = uncertain = 0
        while done < kills and bed.report(digest)["states"]["sent"] < 8 * kills:
            smtp.hold_after(3)
            pids = [bed.spawn("send", digest=digest) for _ in range(2)]
            bed.wait_until_held(seconds=2 * LEASE_SECONDS)
            if done % 16 == 0:
                # While they are at work; these die with the server's answer still to come.
                bed.must_be_true(digest)
            else:
                smtp.release()
                time.sleep(chance.random() * 0.02)
            done += sum(bed.kill(pid) for pid in pids)
            smtp.release()
            if done % 8 == 0:
                uncertain += _take_stock(bed, digest, journal=journal)
        uncertain += _take_stock(bed, digest, journal=journal)
        total = bed.finish(digest)
    must(done >= kills, f"only {done} of {kills} kills hit a living sender")
    must(0 < uncertain <= done * window, f"{uncertain} uncertain after {done} kills")
    total.kills, total.uncertain, total.reconciled = done, uncertain, uncertain
    return total


def _take_stock(bed: Bed, digest: int, *, journal: bool) -> int:
    """What the dead left: swept without evidence, counted, then cleared up with it.

    What people and machines are told is the ledger's at each of these steps.
    """
    bed.must_be_true(digest)
    if not journal:  # with one, a death is seen at once
        time.sleep(LEASE_SECONDS + 0.05)
    bed.sweep(evidence=False)
    bed.must_be_true(digest)
    found = bed.uncertain(digest)
    if found:
        bed.sweep()
        bed.must_be_true(digest)
    must(bed.uncertain(digest) == 0, "evidence left something uncertain")
    return found


def senders_at_each_point(field: Field) -> Tally:
    total = Tally()
    rounds = max(1, field.kills // 100)
    for journal in (True, False):
        points = SENDER_POINTS + (JOURNAL_POINTS if journal else ROW_POINTS)
        total += _at_points(field, points, rounds=rounds, journal=journal)
    return total


def _at_points(
    field: Field, points: list[tuple[str, str, str]], *, rounds: int, journal: bool
) -> Tally:
    chance = random.Random(rounds)
    with field.bed(journal=journal) as bed:
        # Every round sends at most a batch for each point.
        digest = bed.digest(25 * len(points) * rounds + 25)
        kills = uncertain = 0
        for _round in range(rounds):
            for module, name, event in points:
                nth = chance.randrange(1, 20) if name in _OFTEN else 1
                point: Point = (module, name, event, nth)
                end = bed.run("send", digest=digest, die_at=point)
                must(end.killed, f"a sender was not killed at {name} ({event})")
                kills += 1
                uncertain += _take_stock(bed, digest, journal=journal)
        total = bed.finish(digest)
    total.kills, total.uncertain, total.reconciled = kills, uncertain, uncertain
    return total


def sweepers_at_each_point(field: Field) -> Tally:
    """A sweeper dies while it clears up after a dead sender; the next one takes over from both."""
    rounds = max(1, field.kills // 200)
    written: Point = (_WIRE, "Wire.write_until", "return", 20)
    with field.bed() as bed:
        digest = bed.digest(30 * len(SWEEPER_POINTS) * rounds)
        kills = uncertain = 0
        for _round in range(rounds):
            for module, name, event in SWEEPER_POINTS:
                # Dies with its message handed over and the answer not yet noted.
                end = bed.run("send", digest=digest, die_at=written)
                must(end.killed, "a sender was not killed")
                end = bed.sweep(die_at=(module, name, event, 1))
                must(end.killed, f"the sweeper was not killed at {name} ({event})")
                kills += 2
                before = bed.uncertain(digest)
                uncertain += before
                bed.sweep()
                must(bed.uncertain(digest) == 0, "the next sweeper left something uncertain")
        total = bed.finish(digest)
    total.kills, total.uncertain, total.reconciled = kills, uncertain, uncertain
    return total


def approvals_at_each_point(field: Field) -> Tally:
    """The freeze dies: all of it is there or nothing, and a second one selects once."""
    total = Tally()
    for module, name, event in FREEZE_POINTS:
        with field.bed() as bed:
            digest = bed.digest(60, approved=False)
            end = bed.run("approve", digest=digest, die_at=(module, name, event, 1))
            must(end.killed, f"the approval was not killed at {name}")
            left = bed.report(digest)["deliveries"]
            must(left == 0, f"a dead approval at {name} left {left} deliveries")
            bed.run("approve", digest=digest)
            bed.run("approve", digest=digest)
            must(bed.report(digest)["deliveries"] == 60, "the audience was selected twice")
            bed.order("control", word="send_now", digest=digest)
            row = bed.finish(digest)
            row.kills = 1
            total += row
    return total


def senders_without_evidence(field: Field) -> Tally:
    """Nobody can say what the server took: held for a person, never a blind second copy."""
    kills = max(6, field.kills // 20)
    with field.bed() as bed:
        digest = bed.digest(10 * kills)
        done = 0
        for _ in range(kills):
            bed.smtp.hold_after(3)
            pid = bed.spawn("send", digest=digest)
            bed.wait_until_held()
            done += bed.kill(pid)
            bed.smtp.release()
            bed.sweep(evidence=False)
        for _ in range(20):
            bed.run("send", digest=digest)
            bed.sweep(evidence=False)
        bed.smtp.wait_until_quiet()
        report = bed.report(digest)
        held = report["states"]["uncertain"]
        must(report["states"]["sent"] + held == 10 * kills, f"some are neither: {report}")
        must(held <= done, f"{held} held after {done} kills")
        must(report["status"] == "sending", "the digest was closed over uncertain deliveries")
        total = bed.count(10 * kills)
    # What did not arrive is among those that wait for a person: accounted for, not lost.
    must(total.lost <= held, f"{total.lost} did not arrive, {held} are held")
    total.remarks.append(f"{held} held for a person, {total.lost} of them had not arrived")
    total.kills, total.uncertain, total.lost = done, held, 0
    return total


def a_stale_sender(field: Field) -> Tally:
    """Stopped (SIGSTOP) beyond its lease, its batch taken over, then woken: its writes bounce."""
    total = Tally()
    for journal in (True, False):
        with field.bed(journal=journal) as bed:
            digest = bed.digest(100)
            bed.smtp.hold_after(10)
            pid = bed.spawn("send", digest=digest)
            bed.wait_until_held()
            os.kill(pid, signal.SIGSTOP)
            bed.smtp.release()
            time.sleep(2 * LEASE_SECONDS)
            bed.sweep(evidence=False)
            # Where it keeps a journal it lives on as long as its lock does.
            left = bed.uncertain(digest)
            bed.run("send", digest=digest)
            os.kill(pid, signal.SIGCONT)
            bed.wait(pid)
            row = bed.finish(digest)
            row.uncertain = row.reconciled = left
            must(left == (0 if journal else 1), f"{left} uncertain after one stopped sender")
            total += row
    total.remarks.append("with a journal a stopped sender keeps its batch; without, it is fenced")
    return total
