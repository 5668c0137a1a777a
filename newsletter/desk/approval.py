"""Publishing a digest is approving it (docs/decisions/0003-publishing-is-approving.md)."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import get_active_log_context, log
from wagtail.models import Revision

from newsletter.delivery.freeze import approve
from newsletter.digests.content import content_of
from newsletter.digests.freeze import give_first_word
from newsletter.digests.models import Digest
from newsletter.exceptions import NewsletterError

EDITABLE = frozenset({Digest.Status.DRAFT, Digest.Status.HELD, Digest.Status.SKIPPED})


def is_editable(digest: Digest) -> bool:
    """Whether editing it still changes what is sent."""
    return not digest.is_frozen and digest.status in EDITABLE


def who(request: HttpRequest) -> AbstractUser:
    """The person: the admin lets nobody else in."""
    return cast(AbstractUser, request.user)


def may_approve(user: Any, digest: Digest | None) -> bool:
    """Who may publish; of a newsletter that asks nobody, whoever may edit."""
    if user.has_perm("newsletter.publish_digest"):
        return True
    asks_nobody = digest is not None and digest.newsletter.needed_approvals == 0
    return asks_nobody and user.has_perm("newsletter.change_digest")


def approve_label(digest: Digest) -> str:
    if digest.newsletter.needed_approvals == 0:
        return _("Schedule it")
    return _("Approve for sending")


def first_word(digest: Digest, by: AbstractUser) -> str:
    """Keeps the first of two approvals; what to tell whoever gave it."""
    give_first_word(digest.pk, by)
    log(instance=digest, action="newsletter.first_approve", user=by)
    # Short: on a phone Wagtail's button for the menu lies on the third line of a message.
    return _("Your approval is kept: a second person has to give theirs.")


def has_approved(user: Any, digest: Digest) -> bool:
    """Whether this person gave the first of two approvals, of what it holds now."""
    return first_approver(digest) == user


def first_approver(digest: Digest) -> Any | None:
    """Who gave the first of two approvals, if nothing has changed since."""
    first = digest.first_approved_by
    if first is None or digest.is_frozen or digest.newsletter.needed_approvals < 2:
        return None
    return first if digest.first_approved_hash == content_of(digest).hash() else None


def waiting_for_a_second(digest: Digest) -> str:
    """Where an issue stands on its way to two approvals; empty where one is enough."""
    newsletter = digest.newsletter
    if digest.is_frozen or newsletter.needed_approvals < 2:
        return ""
    first = digest.first_approved_by
    if first is None:
        if newsletter.kind == newsletter.Kind.URGENT:
            return _("An urgent notice: two people have to approve it.")
        return _("Two people have to approve it.")
    name = {"name": name_of(first)}
    if first_approver(digest) is None:
        return _("Changed since %(name)s approved it: two people have to approve it again.") % name
    return (
        _(
            "Approved by %(name)s: a second person has to approve it too. If anything changes "
            "before, both have to approve it again."
        )
        % name
    )


def proposed(digest: Digest) -> str:
    """That the moderators are asked; empty before, and once they have decided."""
    if digest.is_frozen or not digest.workflow_in_progress:
        return ""
    return _("It was proposed: a moderator has to approve it.")


def awaits_moderators(user: Any, digest: Digest) -> bool:
    """Whether it was proposed, and this person can do no more for it."""
    return bool(proposed(digest)) and not may_approve(user, digest)


def name_of(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())


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
