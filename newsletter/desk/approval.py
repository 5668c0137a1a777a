"""Publishing a digest is approving it (docs/decisions/0003-publishing-is-approving.md)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from wagtail.log_actions import get_active_log_context
from wagtail.models import Revision

from newsletter.delivery.freeze import approve
from newsletter.digests.models import Digest
from newsletter.exceptions import NewsletterError

EDITABLE = frozenset({Digest.Status.DRAFT, Digest.Status.HELD, Digest.Status.SKIPPED})


def is_editable(digest: Digest) -> bool:
    """Whether editing it still changes what is sent."""
    return not digest.is_frozen and digest.status in EDITABLE


def approve_published(
    sender: type[Digest], instance: Digest, revision: Revision, **kwargs: Any
) -> None:
    """Listens to `wagtail.signals.published`, whoever published: an editor's button, the last
    task of a workflow, or a script.

    A digest that cannot be approved must not look published: it is put back, and the error goes
    up to whoever pressed the button. Approving publishes too; that digest is frozen already.
    """
    if not instance.live or Digest.objects.filter(pk=instance.pk, approved_at__isnull=False):
        return
    by = get_active_log_context().user or revision.user
    try:
        approve(instance.pk, now=timezone.now(), by=by)
    except NewsletterError:
        Digest.objects.filter(pk=instance.pk).update(
            live=False,
            live_revision=None,
            has_unpublished_changes=True,
            first_published_at=None,
            last_published_at=None,
        )
        raise
