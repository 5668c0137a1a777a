"""Stop the presses: an approved digest, of which nothing has gone out, is a draft again."""

from __future__ import annotations

import logging

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from newsletter.delivery.models import Batch, Delivery, Exclusion, Segment
from newsletter.digests.models import Digest, Newsletter, Variant
from newsletter.digests.pictures import Picture
from newsletter.exceptions import DigestNotReady

logger = logging.getLogger(__name__)

Status = Digest.Status


@transaction.atomic
def unschedule(digest_id: int, *, by: AbstractBaseUser | None = None) -> None:
    """Take the approval back, with the audience and the work that it settled.

    The issue must be approved again, by as many people as before. Where its newsletter sends
    what nobody approved, it is held instead: whoever stopped it does not want the clock to send
    it. Raises DigestNotReady once the sending has begun, or while nothing was approved.
    """
    digest = Digest.objects.select_related("newsletter").get(pk=digest_id)
    goes_by_itself = digest.newsletter.when_unapproved == Newsletter.WhenUnapproved.SEND
    # The very rows that `start_due` and `send_now` look for: only one of us changes them.
    waiting = Digest.objects.filter(
        pk=digest_id,
        status__in=[Status.APPROVED, Status.HELD],
        approved_at__isnull=False,
        sending_at__isnull=True,
    )
    stopped = waiting.update(
        status=Status.HELD if goes_by_itself else Status.DRAFT,
        status_reason=_("Taken back from sending: it has to be approved again."),
        approved_at=None,
        approved_by=None,
        first_approved_by=None,
        first_approved_hash="",
        content=None,
        content_hash="",
        candidates=0,
        paused_at=None,
        live=False,
        live_revision=None,
        has_unpublished_changes=True,
        first_published_at=None,
        last_published_at=None,
    )
    if not stopped:
        raise DigestNotReady(
            _("%(digest)s cannot be taken back: it is “%(status)s”.")
            % {"digest": digest, "status": digest.get_status_display()}
        )
    for model in (Delivery, Exclusion, Batch, Segment, Variant, Picture):
        model._default_manager.filter(digest=digest_id).delete()
    logger.info("Digest %s taken back by %s", digest_id, getattr(by, "pk", None))
