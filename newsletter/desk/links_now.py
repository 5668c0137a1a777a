"""“Follow the links now”: handed to a worker, and the send screen is told when it is done."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.desk.asked import Asked, nothing_came
from newsletter.desk.moments import ago
from newsletter.digests.link_requests import PATIENCE, LinkRequest, ask
from newsletter.digests.models import Digest
from newsletter.signals import links_wanted


def links_asked(digest: Digest, *, now: datetime) -> Asked | None:
    """None when nobody asked, or so long ago that nobody waits for it."""
    request = LinkRequest.objects.filter(digest=digest).first()
    if request is None or request.asked_at < now - 6 * PATIENCE:
        return None
    if request.answered_at:
        when = {"when": ago(request.answered_at, now=now)}
        return Asked(_("The links were followed %(when)s: the list says what was found.") % when)
    return Asked() if request.asked_at > now - PATIENCE else nothing_came(PATIENCE)


@require_POST
def follow_links_view(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.has_perm("newsletter.change_digest"):
        raise PermissionDenied
    digest = get_object_or_404(Digest, pk=pk)
    ask(digest.pk, now=timezone.now())
    links_wanted.send_robust(sender=Digest, digest_id=digest.pk)
    return redirect("newsletter_digests:overview", pk)
