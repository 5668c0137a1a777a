"""A draft proposed anew: what came since takes the place of what nobody holds on to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from newsletter.digests.compile import candidates_for
from newsletter.digests.models import Digest, DigestItem
from newsletter.digests.proposal import Chosen, choose_articles
from newsletter.exceptions import DigestNotReady


@dataclass(frozen=True)
class Held:
    """An item that stays where it stands."""

    place: int  # among the items of the issue, from 0
    article_id: int


def arranged(held: Sequence[Held], chosen: Sequence[Chosen]) -> list[Held | Chosen]:
    """The held ones at their places, the others in their order around them. Pure."""
    by_place = {one.place: one for one in held}
    others = iter(chosen)
    order: list[Held | Chosen] = []
    for place in range(max(by_place, default=-1) + 1):
        if place in by_place:
            order.append(by_place[place])
        else:
            order.extend(islice(others, 1))
    return [*order, *others]


@transaction.atomic
def propose_anew(digest_id: int, *, now: datetime, by: AbstractBaseUser | None = None) -> int:
    """Compose a draft again from what is accepted by now; how many articles are new in it.

    What is pinned, or has words that an editor wrote for this issue, stays where it is; what was
    left for the next issue stays left. Saved as a revision, so the history can bring back what
    was there. Raises DigestNotReady once the issue is approved or cancelled.
    """
    row = Digest.objects.select_for_update(of=("self",)).get(pk=digest_id)
    if row.is_frozen or row.status == Digest.Status.CANCELLED:
        raise DigestNotReady(
            _("%(digest)s is no draft any more: nothing was changed.") % {"digest": row}
        )
    draft = row.get_latest_revision_as_object()
    items = sorted(draft.items.all(), key=lambda item: item.sort_order or 0)
    shown = [item for item in items if not item.deferred]
    stay = {place: item for place, item in enumerate(shown) if _stays(item)}
    left = {item.article_id for item in items if item.deferred}
    taken = {item.article_id for item in stay.values()} | left
    stories = {item.article.story_id for item in stay.values()} - {None}
    candidates = [
        one
        for one in candidates_for(row.newsletter, now=now, digest=row)
        if one.article_id not in taken and one.story_id not in stories
    ]
    chosen = choose_articles(candidates, limit=row.newsletter.max_items - len(stay))
    before = {item.article_id: item for item in items}
    led = any(item.is_lead for item in stay.values())
    held = [Held(place, item.article_id) for place, item in stay.items()]
    draft.items = [
        before[one.article_id] if isinstance(one, Held) else _item(one, before, led=led)
        for one in arranged(held, chosen)
    ] + [item for item in items if item.deferred]
    for place, item in enumerate(draft.items.all()):
        item.sort_order = place
    draft.save()
    draft.save_revision(user=by)
    if row.window_end is not None:
        Digest.objects.filter(pk=row.pk).update(window_end=now)
    return len({one.article_id for one in chosen} - before.keys())


def _stays(item: DigestItem) -> bool:
    return item.pinned or bool(item.title or item.excerpt or item.note)


def _item(choice: Chosen, before: dict[int, DigestItem], *, led: bool) -> DigestItem:
    """As proposed; a section that an editor chose for the article stays."""
    known = before.get(choice.article_id)
    is_lead = choice.is_lead and not led
    return DigestItem(
        article_id=choice.article_id,
        theme_id=known.theme_id if known else choice.theme_id,
        is_lead=is_lead,
        lead_reason=choice.lead_reason if is_lead else "",
    )
