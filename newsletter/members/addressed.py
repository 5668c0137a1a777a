"""Which subscriptions an issue is addressed to: for the preview and for the freeze."""

from __future__ import annotations

from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from newsletter.digests.addressees import Addressees
from newsletter.members.models import Selection, Subscription


def addressed(to: Addressees) -> Q:
    """Of subscriptions. Who chose no theme gets all of them, so belongs to each."""
    found = Q()
    if to.theme_ids:
        listed = Selection.objects.annotate(listed=Concat(Value(","), F("key"), Value(",")))
        chosen = Q(key="")
        for pk in to.theme_ids:
            chosen |= Q(listed__contains=f",{pk},")
        found &= Q(selection__in=listed.filter(chosen).values("pk"))
    if to.newsletter_ids:
        others = Subscription.objects.filter(
            newsletter__in=to.newsletter_ids, state=Subscription.State.ACTIVE
        )
        found &= Q(member__in=others.values("member"))
    if to.language:
        found &= Q(member__language=to.language)
    return found
