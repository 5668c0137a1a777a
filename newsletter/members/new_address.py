"""A member moves to another mailbox: confirmed from the new one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from newsletter import signals
from newsletter.exceptions import InvalidMember, InvalidToken
from newsletter.members.address import address_hash, canonical_address
from newsletter.members.consent import record
from newsletter.members.models import AddressChange, Consent, Member, Suppression
from newsletter.members.suppression import welcome_back
from newsletter.members.tokens import ADDRESS, read_confirmation

ONCE_IN = timedelta(days=1)


@transaction.atomic
def ask_for_address(member: Member, email: str, *, now: datetime) -> None:
    """Want a mail to the new address; the old one is used until it is confirmed.

    The answer is the same whether somebody has that address already. One a day for a member:
    the form must not be a way to mail strangers.
    """
    canonical_address(email)
    known = AddressChange.objects.select_for_update().filter(member=member).first()
    if known and (known.old_email or (known.sent_at and known.sent_at > now - ONCE_IN)):
        raise InvalidMember(
            _("A mail for a change of address was sent today. Use its link, or come back tomorrow.")
        )
    if known:
        known.delete()
    AddressChange.objects.create(member=member, email=email.strip(), created_at=now)
    transaction.on_commit(lambda: signals.confirmation_wanted.send(Member), robust=True)


def who_moves(token: str, *, now: datetime) -> AddressChange:
    uid = read_confirmation(token, ADDRESS, now=now)
    change = AddressChange.objects.filter(uid=uid, old_email="").select_related("member").first()
    if change is None:
        raise InvalidToken(_("This change was made already, or another one was asked for since."))
    return change


@transaction.atomic
def confirm_address(token: str, *, now: datetime) -> Member:
    """The button was pressed. InvalidMember when the address belongs to another member."""
    change = who_moves(token, now=now)
    member = Member.objects.select_for_update().get(pk=change.member_id)
    address = canonical_address(change.email)
    if Member.objects.filter(address=address).exclude(pk=member.pk).exists():
        raise InvalidMember(
            _("This address receives the newsletters already. Unsubscribe the old one instead.")
        )
    if Suppression.objects.filter(address_hash=member.address_hash).exists():
        change.delete()
    else:
        # Whoever holds the link could take the mail elsewhere: the old mailbox hears of it.
        change.old_email, change.sent_at = member.email, None
        change.save()
    member.email = change.email
    member.address = address
    member.address_hash = address_hash(address)
    member.save()
    welcome_back(member, now=now)
    record(member, Consent.Event.CHANGED, [], [], now=now, source="address")
    transaction.on_commit(lambda: signals.confirmation_wanted.send(Member), robust=True)
    return member
