"""How somebody comes to be a member: double opt-in, the same answer for everybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from newsletter import conf, signals
from newsletter.digests.models import Newsletter
from newsletter.exceptions import InvalidMember, InvalidToken
from newsletter.members.address import address_hash, canonical_address
from newsletter.members.consent import consent_text, record
from newsletter.members.models import (
    Consent,
    Member,
    SignupAttempt,
    Subscription,
    Suppression,
)
from newsletter.members.subscriptions import selection_for, subscribe
from newsletter.members.suppression import welcome_back
from newsletter.members.tokens import SUBSCRIPTION, read_confirmation


class Answer(StrEnum):
    ACCEPTED = "accepted"  # whether the address was known, new or unwelcome
    LIMITED = "limited"  # too many uses of the form: says nothing about the address


def sign_up(
    email: str,
    *,
    newsletters: Iterable[Newsletter],
    theme_ids: Iterable[int],
    language: str,
    form_url: str,
    ip: str,
    now: datetime,
) -> Answer:
    """Remember the wish and want a confirmation mail; nothing is received before it is confirmed.

    A known member's subscriptions don't change: what is new to them waits for the confirmation.
    InvalidMember for an address that mail can't reach.
    """
    address = canonical_address(email)
    if not within_limits(ip, now=now):
        return Answer.LIMITED
    newsletters, theme_ids = list(newsletters), list(theme_ids)
    with transaction.atomic():
        member, _created = Member.objects.get_or_create(
            address=address,
            defaults={
                "email": email.strip(),
                "address_hash": address_hash(address),
                "language": language,
                "created_at": now,
            },
        )
        member = Member.objects.select_for_update().get(pk=member.pk)
        if member.confirmed_at is None:
            member.language = language
            member.created_at = now  # the days to confirm begin again
        member.confirmation_wanted_at = now
        member.save()
        _want(member, newsletters, theme_ids, now)
        record(
            member, Consent.Event.REQUESTED, newsletters, theme_ids, now=now, source="form",
            text=consent_text(language), form_url=form_url, ip=ip,
        )  # fmt: skip
        transaction.on_commit(
            lambda: signals.confirmation_wanted.send(Member), robust=True
        )  # the next tick looks anyway
    return Answer.ACCEPTED


def _want(
    member: Member, newsletters: Sequence[Newsletter], theme_ids: Iterable[int], now: datetime
) -> None:
    """Pending subscriptions; those that are active stay as they are."""
    selection = selection_for(theme_ids)
    Subscription.objects.bulk_create(
        [
            Subscription(
                member=member,
                newsletter=newsletter,
                selection=selection,
                state=Subscription.State.PENDING,
                created_at=now,
            )
            for newsletter in newsletters
        ],
        ignore_conflicts=True,
    )
    member.subscriptions.filter(newsletter__in=newsletters).exclude(
        state=Subscription.State.ACTIVE
    ).update(
        selection=selection, state=Subscription.State.PENDING, created_at=now, paused_until=None
    )


def within_limits(ip: str, *, now: datetime) -> bool:
    """Counts this use of a form that sends mail; False when it is one too many."""
    an_hour_ago = now - timedelta(hours=1)
    lately = SignupAttempt.objects.filter(at__gt=an_hour_ago)
    ip_hash = salted_hmac("newsletter.members.ip", ip, algorithm="sha256").hexdigest()
    allowed = lately.filter(ip_hash=ip_hash).count() < int(
        conf.get("SIGNUPS_PER_HOUR_PER_IP")
    ) and lately.count() < int(conf.get("SIGNUPS_PER_HOUR"))
    if allowed:
        SignupAttempt.objects.create(at=now, ip_hash=ip_hash)
    return allowed


def who_confirms(token: str, *, now: datetime) -> Member:
    """Whose confirmation link it is; InvalidToken when it is not ours, too old, or erased."""
    uid = read_confirmation(token, SUBSCRIPTION, now=now)
    member = Member.objects.filter(uid=uid).first()
    if member is None:
        raise InvalidToken(_("This link is too old. Sign up again to get a new one."))
    return member


@transaction.atomic
def confirm(token: str, now: datetime, *, takes_complaint_back: bool = False) -> Member:
    """The button was pressed: what was asked for begins. Twice is no error."""
    member = Member.objects.select_for_update().get(pk=who_confirms(token, now=now).pk)
    welcome_back(member, now=now, takes_complaint_back=takes_complaint_back)
    pending = list(
        member.subscriptions.filter(state=Subscription.State.PENDING).select_related(
            "newsletter", "selection"
        )
    )
    if not pending and member.confirmed_at:
        return member
    first_time = member.confirmed_at is None
    member.confirmed_at = member.confirmed_at or now
    member.confirmation_wanted_at = None
    member.save()
    member.subscriptions.filter(pk__in=[one.pk for one in pending]).update(
        state=Subscription.State.ACTIVE, ended_at=None
    )
    record(
        member, Consent.Event.CONFIRMED, [one.newsletter for one in pending],
        {theme_id for one in pending for theme_id in one.selection.theme_ids},
        now=now, source="mail", text=consent_text(member.language),
    )  # fmt: skip
    if first_time:
        transaction.on_commit(
            lambda: signals.member_confirmed.send(Member, member=member), robust=True
        )
    return member


@transaction.atomic
def add_member(
    email: str,
    newsletters: Iterable[Newsletter],
    theme_ids: Iterable[int],
    *,
    now: datetime,
    language: str = "it",
    source: str = "command",
) -> Member:
    """Somebody whose consent the operator vouches for; receives at once.

    Of newsletters they receive already, the themes are changed when `theme_ids` names any.
    InvalidMember for an address that asked to be erased, or that must not be mailed.
    """
    address = canonical_address(email)
    hashed = address_hash(address)
    suppression = Suppression.objects.filter(address_hash=hashed).first()
    if suppression:
        raise InvalidMember(
            _("This address must not be mailed (%(reason)s): its owner can sign up again.")
            % {"reason": suppression.get_reason_display()}
        )
    newsletters, theme_ids = list(newsletters), list(theme_ids)
    member, created = Member.objects.get_or_create(
        address=address,
        defaults={
            "email": email.strip(),
            "address_hash": hashed,
            "language": language,
            "created_at": now,
            "confirmed_at": now,
        },
    )
    if not created and member.confirmed_at is None:
        Member.objects.filter(pk=member.pk).update(confirmed_at=now, confirmation_wanted_at=None)
        member.refresh_from_db()
    record(member, Consent.Event.IMPORTED, newsletters, theme_ids, now=now, source=source)
    for newsletter in newsletters:
        subscription = subscribe(member, newsletter, now=now, source=source, theme_ids=theme_ids)
        if theme_ids:
            wanted = selection_for(theme_ids)
            Subscription.objects.filter(pk=subscription.pk).update(selection=wanted)
    return member
