"""Drafts that nobody approved: remind the editors, then hold them or let them go."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.wording import inside_a_sentence, one_line

# A draft that was held for so long is hardly going any more.
_STALE = timedelta(days=7)

logger = logging.getLogger(__name__)


def remind(*, now: datetime) -> list[Digest]:
    """Mail those who may approve, once per digest; the digests they were reminded of.

    Not where the newsletter sends by itself: there nobody has to do anything.
    """
    waiting = (
        _scheduled()
        .filter(
            status__in=[Digest.Status.DRAFT, Digest.Status.HELD],
            reminded_at__isnull=True,
            slot__lte=now + timedelta(hours=conf.get("REMIND_HOURS")),
        )
        .exclude(newsletter__when_unapproved=Newsletter.WhenUnapproved.SEND)
    )
    reminded = []
    for digest in waiting:
        # Claimed before it is sent: two beats must not remind twice.
        unclaimed = Digest.objects.filter(pk=digest.pk, reminded_at__isnull=True)
        if not unclaimed.update(reminded_at=now):
            continue
        if _mail_approvers(digest):
            reminded.append(digest)
        else:
            Digest.objects.filter(pk=digest.pk).update(reminded_at=None)
    return reminded


def drafts_to_send_unapproved(*, now: datetime) -> list[Digest]:
    """Drafts whose slot has come and whose newsletter says to send what was proposed.

    Only within the grace period, and never an urgent notice: that wants a person's word.
    """
    return list(
        _scheduled().filter(_goes_unapproved(now), status=Digest.Status.DRAFT, slot__lte=now)
    )


def hold_unapproved(*, now: datetime) -> list[Digest]:
    """Hold the drafts whose slot has passed, each with a reason an editor can read."""
    held = []
    late = _scheduled().filter(status=Digest.Status.DRAFT, slot__lte=now)
    for digest in late.exclude(_goes_unapproved(now)):
        with translation.override(digest.newsletter.language):
            reason = _("Nobody approved it in time. It goes out as soon as somebody does.")
        draft = Digest.objects.filter(pk=digest.pk, status=Digest.Status.DRAFT)
        if draft.update(status=Digest.Status.HELD, status_reason=reason):
            digest.refresh_from_db(fields=["status", "status_reason"])
            held.append(digest)
    return held


def articles_about_to_go(*, now: datetime) -> list[int]:
    """In drafts that may be approved or go within a day, the first to go first."""
    near = Digest.objects.filter(
        approved_at__isnull=True,
        status__in=[Digest.Status.DRAFT, Digest.Status.HELD],
        slot__gt=now - _STALE,
        slot__lte=now + timedelta(days=1),
    )
    ids: dict[int, None] = {}
    for digest in near.order_by("slot", "pk"):
        draft = digest.get_latest_revision_as_object()
        ids |= dict.fromkeys(item.article_id for item in draft.items.all())
    return list(ids)


def _scheduled() -> QuerySet[Digest]:
    """Unapproved digests of newsletters with a schedule: one made by hand has no deadline."""
    return (
        Digest.objects.filter(approved_at__isnull=True)
        .exclude(newsletter__frequency=Newsletter.Frequency.MANUAL)
        .select_related("newsletter")
        .order_by("slot", "pk")
    )


def _goes_unapproved(now: datetime) -> Q:
    return Q(
        newsletter__when_unapproved=Newsletter.WhenUnapproved.SEND,
        newsletter__kind=Newsletter.Kind.REGULAR,
        newsletter__is_active=True,
        slot__gt=now - timedelta(hours=conf.get("GRACE_HOURS")),
    )


def _mail_approvers(digest: Digest) -> bool:
    """False when nobody could be reached though there is somebody: then it is worth a new try."""
    users = get_user_model()._default_manager.with_perm(
        "newsletter.approve_digest", backend="django.contrib.auth.backends.ModelBackend"
    )
    items = digest.get_latest_revision_as_object().items.count()
    reached = failed = 0
    # One mail each: colleagues' addresses are not everybody's business.
    for user in users.filter(is_active=True).exclude(email="").order_by("pk"):
        with translation.override(_language_of(user) or digest.newsletter.language):
            local = localtime(digest.slot, digest.newsletter.zone)
            slot = inside_a_sentence(date_format(local, "l j F, H:i"))
            subject = _("To approve: %(digest)s") % {"digest": one_line(str(digest))}
            articles = ngettext("%(count)d article", "%(count)d articles", items) % {"count": items}
            body = _(
                "%(digest)s is ready (%(articles)s) and nobody has approved it yet.\n"
                "It should go out on %(slot)s. Unapproved, it is held.\n\n"
                "Look at it here:\n%(url)s\n"
            ) % {
                "digest": str(digest),
                "articles": articles,
                "slot": slot,
                "url": conf.site_url(_edit_path(digest)),
            }
        try:
            EmailMessage(subject, body, to=[user.email]).send()
            reached += 1
        except OSError as error:  # no mail server, or it refused (smtplib.SMTPException is one)
            failed += 1
            # Not its words: they name the address.
            kind = type(error).__name__
            logger.warning("%s: editor %s could not be reminded: %s", digest, user.pk, kind)
    return bool(reached) or not failed


def _language_of(user: Any) -> str:
    """What the user chose in Wagtail's account page; empty when nothing was chosen."""
    profile = getattr(user, "wagtail_userprofile", None)
    return profile.preferred_language if profile else ""


def _edit_path(digest: Digest) -> str:
    try:
        # Also loads the admin's addresses: a worker has not needed any of them so far.
        home = reverse("wagtailadmin_home")
    except NoReverseMatch:  # a site without the admin
        return "/"
    viewset = getattr(Digest, "snippet_viewset", None)
    return reverse(viewset.get_url_name("edit"), args=[digest.pk]) if viewset else home
