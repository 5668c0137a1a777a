"""How far a digest is, read from the ledger at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest


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
