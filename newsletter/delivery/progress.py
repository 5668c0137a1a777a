"""How far a digest is, read from the ledger at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest

# How far back the throughput is looked for, and in how many rows at most.
_RECENT = timedelta(minutes=2)
_MOST_RECENT = 20_000


@dataclass(frozen=True)
class Speed:
    """What the last minutes' sending says of the rest."""

    per_minute: int
    minutes_left: int  # rounded up; 0: nothing is left

    @property
    def hours_left(self) -> int:
        return -(-self.minutes_left // 60)


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
        """Candidates who have not got it: not yet, not at all, or nobody knows."""
        return self.candidates - self.states[Delivery.State.SENT]

    @property
    def adds_up(self) -> bool:
        return self.candidates == self.deliveries + sum(self.exclusions.values())


def progress(digest: Digest) -> Progress:
    """From the counts that were kept, where the deliveries themselves are forgotten."""
    candidates, kept = Digest.objects.values_list("candidates", "delivery_counts").get(pk=digest.pk)
    if kept is not None:
        return Progress(
            candidates=candidates,
            states=kept["states"],
            reasons={(state, reason): number for state, reason, number in kept["reasons"]},
            exclusions=kept["exclusions"],
        )
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


def speed(digest: Digest, account: Progress, *, now: datetime) -> Speed | None:
    """How fast it goes at the moment; None: nothing went out in the last two minutes."""
    sent = Delivery.objects.filter(digest=digest, state=Delivery.State.SENT).order_by("-pk")
    newest = sent.filter(changed_at__gt=now - _RECENT)[:_MOST_RECENT]
    found = Delivery.objects.filter(pk__in=newest.values("pk")).aggregate(
        number=Count("pk"), first=Min("changed_at")
    )
    if not found["number"]:
        return None
    # Outcomes are written about once a second: less would divide by chance.
    seconds = max((now - found["first"]).total_seconds(), 1.0)
    per_minute = found["number"] * 60 / seconds
    to_send = account.left - account.states[Delivery.State.UNCERTAIN]
    return Speed(max(1, round(per_minute)), -(-to_send // max(1, round(per_minute))))
