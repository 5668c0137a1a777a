"""Which subscriptions an issue is addressed to: for the preview and for the freeze."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat

from newsletter.digests.addressees import Addressees
from newsletter.members.models import Selection, Subscription


def addressed(to: Addressees) -> Q:
    """Of subscriptions. The freeze puts the same three parts into its own statement."""
    found = Q()
    if to.theme_ids:
        found &= Q(selection__in=selections_with(to.theme_ids).values("pk"))
    if to.newsletter_ids:
        found &= Q(member__in=who_gets(to.newsletter_ids).values("member"))
    if to.language:
        found &= Q(member__language=to.language)
    return found


def selections_with(theme_ids: list[int]) -> QuerySet[Selection]:
    """Who chose no theme gets all of them, so belongs to each."""
    chosen = Q(key="")
    for pk in theme_ids:
        chosen |= Q(listed__contains=f",{pk},")
    return Selection.objects.annotate(listed=Concat(Value(","), F("key"), Value(","))).filter(
        chosen
    )


def who_gets(newsletter_ids: list[int]) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        newsletter__in=newsletter_ids, state=Subscription.State.ACTIVE
    )
