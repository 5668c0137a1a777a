"""Drafts that nobody approved: remind the editors, then hold them or let them go."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.digests.editors import Notice, edit_url, tell
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.wording import inside_a_sentence, one_line

# A draft that was held for so long is hardly going any more.
_STALE = timedelta(days=7)
_BETWEEN_MAILS = timedelta(hours=3)


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
        # Told of it just now: a second mail within the hour helps nobody.
        .exclude(announced_at__gt=now - _BETWEEN_MAILS, slot__gt=now + timedelta(hours=1))
    )
    reminded = []
    for digest in waiting:
        # Claimed before it is sent: two beats must not remind twice.
        unclaimed = Digest.objects.filter(pk=digest.pk, reminded_at__isnull=True)
        if not unclaimed.update(reminded_at=now):
            continue
        if _tell_approvers(digest):
            reminded.append(digest)
        else:
            Digest.objects.filter(pk=digest.pk).update(reminded_at=None)
    return reminded


def drafts_to_send_unapproved(*, now: datetime) -> list[Digest]:
    """Drafts whose slot has come and whose newsletter says to send what was proposed.

    Only within the grace period, and never where two people have to approve, as an urgent notice
    always wants it.
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


def drafts_about_to_go(*, now: datetime) -> QuerySet[Digest]:
    """What may be approved or go within a day, the first to go first."""
    near = Digest.objects.filter(
        approved_at__isnull=True,
        status__in=[Digest.Status.DRAFT, Digest.Status.HELD],
        slot__gt=now - _STALE,
        slot__lte=now + timedelta(days=1),
    )
    return near.select_related("newsletter").order_by("slot", "pk")


def articles_about_to_go(*, now: datetime) -> list[int]:
    """In those drafts, in their order."""
    ids: dict[int, None] = {}
    for digest in drafts_about_to_go(now=now):
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
        newsletter__approvals__lt=2,
        newsletter__is_active=True,
        slot__gt=now - timedelta(hours=conf.get("GRACE_HOURS")),
    )


def _tell_approvers(digest: Digest) -> bool:
    draft = digest.get_latest_revision_as_object()
    items = sum(not item.deferred for item in draft.items.all())

    def write() -> tuple[str, str]:
        local = localtime(digest.slot, digest.newsletter.zone)
        articles = ngettext("%(count)d article", "%(count)d articles", items) % {"count": items}
        body = _(
            "%(digest)s is ready (%(articles)s) and nobody has approved it yet.\n"
            "It should go out on %(slot)s. Unapproved, it is held.\n\n"
            "Look at it here:\n%(url)s\n"
        ) % {
            "digest": str(digest),
            "articles": articles,
            "slot": inside_a_sentence(date_format(local, "l j F, H:i")),
            "url": edit_url(digest),
        }
        return _("To approve: %(digest)s") % {"digest": one_line(str(digest))}, body

    asks_nobody = digest.newsletter.needed_approvals == 0
    permission = "newsletter.change_digest" if asks_nobody else "newsletter.approve_digest"
    return tell(digest, Notice.SLOT_NEAR, permission, write)
