"""The mails that ask "was it you?", one a day for an address at most.

Pulled from the database: a mail that could not be handed over is still wanted.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta
from enum import Enum, auto

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.digests.models import Newsletter
from newsletter.exceptions import InvalidMember
from newsletter.members.address import canonical_address
from newsletter.members.models import AddressChange, Member, Subscription, Suppression
from newsletter.members.rhythm import sentence
from newsletter.members.subscriptions import asked_for
from newsletter.members.tokens import ADDRESS, SUBSCRIPTION, make_confirmation, make_token

logger = logging.getLogger(__name__)

ONCE_IN = timedelta(days=1)
RETRY_IN = timedelta(minutes=15)


class Outcome(Enum):
    SENT = auto()
    REFUSED = auto()  # for good: nobody is there
    LATER = auto()  # greylisting, a full mailbox
    NO_SERVER = auto()


def send_confirmations(*, now: datetime, limit: int = 200) -> int:
    """Send what is wanted and due; how many mails were handed over.

    A mail server that does not answer ends the round: the rest waits for the next one.
    """
    sent = 0
    for member in _due(now)[:limit]:
        asked, last = member.confirmation_wanted_at, member.confirmation_sent_at
        own = Member.objects.filter(pk=member.pk, confirmation_wanted_at=asked)
        if not own.filter(confirmation_sent_at=last).update(confirmation_sent_at=now):
            continue  # another worker has it
        # Killed from here on, the mail is wanted still and goes tomorrow: at most one a day.
        match _hand_over(_confirmation(member, now), f"confirmation of member {member.pk}"):
            case Outcome.SENT:
                own.update(confirmation_wanted_at=None)
                sent += 1
            case Outcome.REFUSED:
                own.update(confirmation_wanted_at=None)
            case Outcome.LATER:
                own.update(confirmation_wanted_at=now + RETRY_IN, confirmation_sent_at=last)
            case Outcome.NO_SERVER:
                own.update(confirmation_sent_at=last)
                return sent
    for change in _due_changes()[: limit - sent]:
        own_change = AddressChange.objects.filter(pk=change.pk)
        if not own_change.filter(sent_at=None).update(sent_at=now):
            continue
        mail = _moved_mail(change) if change.old_email else _address_mail(change, now)
        outcome = _hand_over(mail, f"address change {change.pk}")
        sent += outcome is Outcome.SENT
        match outcome:
            case Outcome.SENT | Outcome.REFUSED if change.old_email:
                own_change.delete()  # no reason is left to keep the old address
            case Outcome.LATER | Outcome.NO_SERVER:
                own_change.update(sent_at=None)
                return sent
    return sent


def _due(now: datetime) -> QuerySet[Member]:
    """In the order of asking; not who had a mail within a day, not addresses to be left alone."""
    rested = Q(confirmation_sent_at__isnull=True) | Q(confirmation_sent_at__lte=now - ONCE_IN)
    left_alone = Suppression.objects.filter(
        address_hash=OuterRef("address_hash"), reason=Suppression.Reason.MANUAL
    )
    return (
        Member.objects.filter(rested, confirmation_wanted_at__lte=now)
        .exclude(Exists(left_alone))
        .order_by("confirmation_wanted_at")
    )


def _due_changes() -> QuerySet[AddressChange]:
    return (
        AddressChange.objects.filter(sent_at__isnull=True)
        .select_related("member")
        .order_by("created_at")
    )


def _confirmation(member: Member, now: datetime) -> EmailMultiAlternatives:
    wanted = asked_for(member)
    pending = [one for one in wanted if one.state == Subscription.State.PENDING]
    with translation.override(member.language):
        context: dict[str, object] = {
            "wanted": [sentence(one) for one in wanted],
            # What happens to whoever does nothing: forgotten, or left as they are.
            "known": member.confirmed_at is not None,
            "days": conf.get("CONFIRMATION_DAYS"),
            "language": member.language,
        }
        suppressed = Suppression.objects.filter(address_hash=member.address_hash)
        if pending or member.confirmed_at is None or suppressed.exists():
            token = make_confirmation(member.uid, SUBSCRIPTION, now=now)
            context["url"] = conf.site_url(reverse("newsletter:confirm", args=[token]))
            return _mail("confirm", _("Confirm your address"), member.email, context)
        # Asked again for what they have: the same mail to wait for, another thing to do.
        token = make_token(member.uid)
        context["url"] = conf.site_url(reverse("newsletter:preferences", args=[token]))
        return _mail("known", _("You are subscribed already"), member.email, context)


def _address_mail(change: AddressChange, now: datetime) -> EmailMultiAlternatives:
    with translation.override(change.member.language):
        token = make_confirmation(change.uid, ADDRESS, now=now)
        context = {
            "url": conf.site_url(reverse("newsletter:confirm-address", args=[token])),
            "days": conf.get("CONFIRMATION_DAYS"),
            "language": change.member.language,
        }
        return _mail("address", _("Confirm your new address"), change.email, context)


def _moved_mail(change: AddressChange) -> EmailMultiAlternatives:
    """Without the new address and without a personal link: who reads the old mailbox now?"""
    with translation.override(change.member.language):
        context: dict[str, object] = {"language": change.member.language}
        return _mail("moved", _("Your mail goes to another address now"), change.old_email, context)


def _mail(
    template: str,
    subject: str,
    email: str,
    context: dict[str, object],
) -> EmailMultiAlternatives:
    # The subject names no newsletter: it is read over shoulders and on lock screens.
    sender = Newsletter.objects.filter(is_active=True, is_public=True).order_by("pk").first()
    context |= {"subject": subject, "sender": sender}
    mail = EmailMultiAlternatives(
        subject,
        render_to_string(f"newsletter/members/mail/{template}.txt", context),
        f"{_quoted(sender.sender_name)} <{sender.sender_email}>"
        if sender
        else settings.DEFAULT_FROM_EMAIL,
        [_mailable(email)],
        reply_to=[sender.reply_to] if sender and sender.reply_to else None,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    page = render_to_string(f"newsletter/members/mail/{template}.html", context)
    mail.attach_alternative(_inlined(page), "text/html")
    return mail


def _inlined(page: str) -> str:
    """With the styles inside the tags; the dark mode, an at-rule, stays where it is."""
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return inliner.inline(page)


def _quoted(name: str) -> str:
    plain = " ".join(name.replace("\\", "").replace('"', "").split())
    return f'"{plain}"'


def _mailable(email: str) -> str:
    try:
        return canonical_address(email)
    except InvalidMember:
        return email


def _hand_over(mail: EmailMultiAlternatives, what: str) -> Outcome:
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _answer in error.recipients.values()]
        outcome = Outcome.LATER if any(code < 500 for code in codes) else Outcome.REFUSED
        # By number: an address has no business in a log.
        logger.warning("The mail server refused the %s: %s", what, codes)
        return outcome
    except OSError as error:  # smtplib's other errors and those of the socket
        logger.warning("The %s waits for the mail server: %s", what, type(error).__name__)
        return Outcome.NO_SERVER
    return Outcome.SENT
