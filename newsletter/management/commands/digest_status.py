from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from newsletter.delivery.bounces.receiving import came_back
from newsletter.delivery.forecast import forecast
from newsletter.delivery.pace.pace import resting
from newsletter.delivery.progress import progress
from newsletter.desk.pace_words import held_back_words
from newsletter.digests.models import Digest
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.named import numbered_digest

_LATEST = 5


class Command(OperatorCommand):
    help = "Tells how far the digests are: those that are not over, or one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, nargs="?", metavar="ID")

    def act(self, options: dict[str, Any]) -> Outcome:
        now = datetime.now(UTC)
        if options["digest"] is not None:
            digests = [numbered_digest(options["digest"])]
        else:
            Status = Digest.Status
            digests = list(
                Digest.objects.filter(
                    status__in=[Status.APPROVED, Status.SENDING, Status.HELD]
                ).order_by("slot")
            )
            over = Digest.objects.filter(status__in=[Status.SENT, Status.CANCELLED])
            digests += list(over.order_by("-slot")[: max(0, _LATEST - len(digests))])
        data = [_told(digest, now) for digest in digests]
        rests = {name: until.isoformat() for name, until in resting(now=now)}
        lines = [
            line for digest, one in zip(digests, data, strict=True) for line in _lines(digest, one)
        ]
        lines += [f"{name} is left alone until {until}." for name, until in rests.items()]
        return Outcome({"digests": data, "resting": rests}, lines or ["There are no digests yet."])


def _told(digest: Digest, now: datetime) -> dict[str, Any]:
    account = progress(digest)
    moving = digest.status == Digest.Status.SENDING and digest.paused_at is None
    rest = forecast(digest, account, now=now) if moving else None
    return {
        "digest": digest.pk,
        "status": digest.status,
        "paused": digest.paused_at is not None,
        "why": digest.status_reason,
        "slot": digest.slot.isoformat(),
        "candidates": account.candidates,
        "states": account.states,
        "reasons": [[state, why, number] for (state, why), number in account.reasons.items()],
        "exclusions": account.exclusions,
        "came_back": came_back(digest),
        "adds_up": account.adds_up,
        "per_minute": (rest.per_minute or 0) if rest else 0,
        "minutes_left": rest.minutes_left if rest else None,
        "waiting": rest.waiting if rest else 0,
        "goes_on_at": rest.goes_on_at.isoformat() if rest and rest.goes_on_at else None,
        "waits_for": rest.why if rest else None,
        "held_back": held_back_words(digest, rest, now=now) if rest else [],
    }


def _lines(digest: Digest, told: dict[str, Any]) -> list[str]:
    state = f"{told['status']}, paused" if told["paused"] else told["status"]
    counts = ", ".join(f"{number:,} {name}" for name, number in told["states"].items() if number)
    counts += "".join(
        f", {number:,} left out ({why})" for why, number in told["exclusions"].items()
    )
    lines = [f"{digest.pk}  {digest}: {state}. {counts or 'No deliveries'}."]
    if told["per_minute"] and told["minutes_left"] is not None:
        lines.append(f"    {told['per_minute']:,} a minute, about {told['minutes_left']} min left.")
    if told["goes_on_at"]:
        lines.append(f"    {told['waiting']:,} wait until {told['goes_on_at']}.")
    lines += [f"    {words}" for words in told["held_back"]]
    if told["came_back"]:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in told["came_back"].items())
        lines.append(f"    Came back: {kinds}.")
    if told["why"]:
        lines.append(f"    {told['why']}")
    if not told["adds_up"]:
        lines.append("    The numbers do not add up: somebody changed the ledger by hand.")
    return lines
