"""How many readers chose what: a small group tells who is in it, so small numbers are not shown."""

from __future__ import annotations

from django.db.models import Count

from newsletter.digests.models import Newsletter
from newsletter.members.models import Selection, Subscription

# Fewer than these are not told from one another, nor from nobody.
SMALLEST = 5


def readers_by_theme(newsletter: Newsletter) -> tuple[dict[int, int], int]:
    """How many of its readers chose each theme, and how many chose none, which means all of them.

    One query, a row for each different choice.
    """
    active = Subscription.objects.filter(
        newsletter=newsletter,
        state=Subscription.State.ACTIVE,
        member__confirmed_at__isnull=False,
    )
    rows = active.order_by().values_list("selection__key").annotate(readers=Count("pk"))
    chose: dict[int, int] = {}
    everything = 0
    for key, readers in rows:
        themes = Selection(key=key).theme_ids
        everything += 0 if themes else readers
        for theme_id in themes:
            chose[theme_id] = chose.get(theme_id, 0) + readers
    return chose, everything
