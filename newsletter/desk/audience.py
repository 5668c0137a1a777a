"""Who would get a draft were it approved now, who would not, and why. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, CharField, Count, Exists, OuterRef, Value, When

from newsletter.delivery.models import Exclusion
from newsletter.digests.content import DigestContent
from newsletter.digests.models import Newsletter
from newsletter.digests.variants import items_for
from newsletter.members.models import Selection, Subscription, Suppression


@dataclass(frozen=True)
class ExpectedVariant:
    language: str
    positions: tuple[int, ...]
    readers: int

    @property
    def items(self) -> str:
        """As the address of its preview names them."""
        return ",".join(str(position) for position in self.positions)


@dataclass
class Audience:
    variants: list[ExpectedVariant] = field(default_factory=list)  # the largest first
    exclusions: dict[str, int] = field(default_factory=dict)  # by Exclusion.Reason

    @property
    def readers(self) -> int:
        return sum(variant.readers for variant in self.variants)


def audience_of(newsletter: Newsletter, content: DigestContent, *, now: datetime) -> Audience:
    """As the freeze would divide them (newsletter.delivery.freeze), in one query."""
    suppressed = Suppression.objects.filter(address_hash=OuterRef("member__address_hash"))
    rows = (
        Subscription.objects.filter(
            newsletter=newsletter,
            state=Subscription.State.ACTIVE,
            member__confirmed_at__isnull=False,
        )
        .annotate(
            reason=Case(
                When(Exists(suppressed), then=Value(Exclusion.Reason.SUPPRESSED.value)),
                When(paused_until__gt=now, then=Value(Exclusion.Reason.PAUSED.value)),
                default=Value(""),
                output_field=CharField(),
            )
        )
        .values_list("reason", "selection__key", "member__language")
        .annotate(members=Count("pk"))
        .order_by()
    )
    found: dict[tuple[str, tuple[int, ...]], int] = {}
    audience = Audience()
    for reason, chosen, language, members in rows:
        positions = () if reason else items_for(content, Selection(key=chosen).theme_ids)
        if positions:
            same = (language, positions)
            found[same] = found.get(same, 0) + members
        else:
            why = reason or Exclusion.Reason.NO_THEMES.value
            audience.exclusions[why] = audience.exclusions.get(why, 0) + members
    audience.variants = sorted(
        (ExpectedVariant(*same, readers) for same, readers in found.items()),
        key=lambda variant: (-variant.readers, variant.language, variant.positions),
    )
    return audience
