"""How far a digest is, read from the ledger at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min

from newsletter.delivery.models import Delivery, Exclusion
from newsletter.digests.models import Digest

# How far back the throughput is looked for, and in how many rows at most.
RECENT = timedelta(minutes=2)
_MOST_RECENT = 20_000
_NOT_SENT = [state.value for state in Delivery.State if state != Delivery.State.SENT]


@dataclass(frozen=True)
class Progress:
    candidates: int
    states: dict[str, int]  # every state of Delivery.State, 0 included
    reasons: dict[tuple[str, str], int]  # by (state, reason), where there is a reason
    exclusions: dict[str, int]  # by Exclusion.Reason

    @property
    def deliveries(self) -> int:
        return sum(self.states.values())

    @property
    def left(self) -> int:
        """Deliveries that have not come to an end; the uncertain ones wait for a person."""
        return self.deliveries - sum(self.states[state] for state in Delivery.TERMINAL)

    @property
    def not_sent(self) -> int:
        """Addressed candidates who have not got it: not yet, not at all, or nobody knows."""
        unaddressed = self.exclusions.get(Exclusion.Reason.UNADDRESSED.value, 0)
        return self.candidates - unaddressed - self.states[Delivery.State.SENT]

    @property
    def adds_up(self) -> bool:
        return self.candidates == self.deliveries + sum(self.exclusions.values())


def progress(digest: Digest) -> Progress:
    """From the counts that were kept, where the deliveries themselves are forgotten."""
    candidates, kept = Digest.objects.values_list("candidates", "delivery_counts").get(pk=digest.pk)
    if kept is not None:
        return _remembered(candidates, kept)
    states = dict.fromkeys((state.value for state in Delivery.State), 0)
    reasons: dict[tuple[str, str], int] = {}
    rows = Delivery.objects.filter(digest=digest).values_list("state", "reason")
    for state, reason, number in rows.annotate(number=Count("pk")).order_by():
        states[state] += number
        if reason:
            reasons[state, reason] = number
    excluded = digest.exclusions.values_list("reason").annotate(number=Count("pk")).order_by()
    return Progress(
        candidates=candidates,
        states=states,
        reasons=reasons,
        exclusions=dict(excluded),
    )


def outcomes(digest_ids: Sequence[int]) -> dict[int, Progress]:
    """The progress of each of these, in four queries for all of them; reasons only of what was
    not sent.

    Counted by the ledger's index: the rows of those who got it are not read.
    """
    kept: dict[int, dict[str, Any]] = {}
    candidates: dict[int, int] = {}
    digests = Digest.objects.filter(pk__in=digest_ids)
    for pk, number, counts in digests.values_list("pk", "candidates", "delivery_counts"):
        candidates[pk], kept[pk] = number, counts
    states = {pk: dict.fromkeys((one.value for one in Delivery.State), 0) for pk in candidates}
    reasons: dict[int, dict[tuple[str, str], int]] = {pk: {} for pk in candidates}
    exclusions: dict[int, dict[str, int]] = {pk: {} for pk in candidates}
    there = [pk for pk, counts in kept.items() if counts is None]
    rows = Delivery.objects.filter(digest__in=there).order_by()
    for pk, state, number in rows.values_list("digest", "state").annotate(number=Count("pk")):
        states[pk][state] = number
    told = rows.filter(state__in=_NOT_SENT).exclude(reason="")
    for pk, state, reason, number in told.values_list("digest", "state", "reason").annotate(
        number=Count("pk")
    ):
        reasons[pk][state, reason] = number
    excluded = Exclusion.objects.filter(digest__in=there).order_by()
    for pk, reason, number in excluded.values_list("digest", "reason").annotate(number=Count("pk")):
        exclusions[pk][reason] = number
    return {
        pk: _remembered(number, kept[pk])
        if kept[pk] is not None
        else Progress(number, states[pk], reasons[pk], exclusions[pk])
        for pk, number in candidates.items()
    }


def _remembered(candidates: int, kept: dict[str, Any]) -> Progress:
    return Progress(
        candidates=candidates,
        states={state.value: kept["states"].get(state, 0) for state in Delivery.State},
        reasons={(state, reason): number for state, reason, number in kept["reasons"]},
        exclusions=kept["exclusions"],
    )


def sent_per_minute(digest: Digest, *, now: datetime) -> int | None:
    """How fast it goes at the moment; None: nothing went out in the last two minutes."""
    sent = Delivery.objects.filter(digest=digest, state=Delivery.State.SENT).order_by("-pk")
    newest = sent.filter(changed_at__gt=now - RECENT)[:_MOST_RECENT]
    found = Delivery.objects.filter(pk__in=newest.values("pk")).aggregate(
        number=Count("pk"), first=Min("changed_at")
    )
    if not found["number"]:
        return None
    # Outcomes are written about once a second: less would divide by chance.
    seconds = max((now - found["first"]).total_seconds(), 1.0)
    return max(1, round(found["number"] * 60 / seconds))
