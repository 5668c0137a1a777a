"""What a member receives: every change takes effect at once and leaves its proof."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils.translation import gettext as _

from newsletter import signals
from newsletter.digests.models import Newsletter
from newsletter.exceptions import InvalidMember
from newsletter.members.consent import record
from newsletter.members.models import Consent, Member, Selection, Subscription

LONGEST_PAUSE = timedelta(days=366)


def is_all(theme_ids: Iterable[int], active: Collection[int]) -> bool:
    """Whether these are all that a reader can choose. The only one is a choice, not all."""
    return len(active) > 1 and set(active) <= set(theme_ids)


def selection_for(theme_ids: Iterable[int]) -> Selection:
    """The row that equal choices share. No theme means every theme."""
    key = ",".join(str(number) for number in sorted(set(theme_ids)))
    longest = Selection._meta.get_field("key").max_length or 0
    if len(key) > longest:
        raise InvalidMember(_("These are too many themes. Choose none to receive all of them."))
    return Selection.objects.get_or_create(key=key)[0]


@transaction.atomic
def subscribe(
    member: Member,
    newsletter: Newsletter,
    *,
    now: datetime,
    source: str,
    theme_ids: Iterable[int] = (),
) -> Subscription:
    """Active at once: for a member who has proved to own the mailbox."""
    theme_ids = list(theme_ids)
    subscription, created = Subscription.objects.select_for_update().get_or_create(
        member=member,
        newsletter=newsletter,
        defaults={
            "selection": selection_for(theme_ids),
            "state": Subscription.State.ACTIVE,
            "created_at": now,
        },
    )
    if created or subscription.state != Subscription.State.ACTIVE:
        if not created:
            subscription.selection = selection_for(theme_ids)
            subscription.state = Subscription.State.ACTIVE
            subscription.ended_at = subscription.paused_until = None
            subscription.save()
        record(member, Consent.Event.CONFIRMED, [newsletter], theme_ids, now=now, source=source)
    return subscription


@transaction.atomic
def change_themes(member: Member, theme_ids: Iterable[int], *, now: datetime, source: str) -> bool:
    """The themes of everything the member receives; False when they were these already."""
    theme_ids = list(theme_ids)
    selection = selection_for(theme_ids)
    changed = list(
        member.subscriptions.select_for_update(of=("self",))
        .exclude(state=Subscription.State.ENDED)
        .exclude(selection=selection)
        .select_related("newsletter")
    )
    if not changed:
        return False
    member.subscriptions.filter(pk__in=[one.pk for one in changed]).update(selection=selection)
    newsletters = [one.newsletter for one in changed]
    record(member, Consent.Event.CHANGED, newsletters, theme_ids, now=now, source=source)
    return True


def pause(
    member: Member, newsletter: Newsletter | None, until: datetime, *, now: datetime
) -> datetime:
    """Nothing is sent until then, of one newsletter or of all; the moment it was set to.

    A year at most: who wants no mail for longer unsubscribes.
    """
    until = min(until, now + LONGEST_PAUSE)
    if until <= now:
        raise InvalidMember(_("A pause ends in the future: choose a later day."))
    _of(member, newsletter).update(paused_until=until)
    return until


def resume(member: Member, newsletter: Newsletter | None = None) -> None:
    _of(member, newsletter).update(paused_until=None)


@transaction.atomic
def unsubscribe(member: Member, newsletter: Newsletter, *, now: datetime, source: str) -> bool:
    """True when there was something to end. Twice is no error: mail programs repeat themselves."""
    ended = (
        _of(member, newsletter)
        .exclude(state=Subscription.State.ENDED)
        .update(state=Subscription.State.ENDED, ended_at=now, paused_until=None)
    )
    if not ended:
        return False
    record(member, Consent.Event.WITHDRAWN, [newsletter], [], now=now, source=source)
    transaction.on_commit(
        lambda: signals.member_left.send(Member, member=member, newsletter=newsletter), robust=True
    )
    return True


@transaction.atomic
def unsubscribe_all(member: Member, *, now: datetime, source: str) -> int:
    """How many newsletters were ended."""
    newsletters = [
        one.newsletter
        for one in _of(member, None)
        .exclude(state=Subscription.State.ENDED)
        .select_related("newsletter")
    ]
    return sum(unsubscribe(member, one, now=now, source=source) for one in newsletters)


def asked_for(member: Member) -> list[Subscription]:
    """What waits for the member's confirmation; when nothing does, what they receive already."""
    kept = _of(member, None).exclude(state=Subscription.State.ENDED)
    subscriptions = list(kept.select_related("newsletter", "selection").order_by("newsletter"))
    pending = [one for one in subscriptions if one.state == Subscription.State.PENDING]
    return pending or subscriptions


def _of(member: Member, newsletter: Newsletter | None) -> models.QuerySet[Subscription]:
    subscriptions = Subscription.objects.filter(member=member)
    return subscriptions.filter(newsletter=newsletter) if newsletter else subscriptions
