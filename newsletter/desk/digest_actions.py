"""The buttons of a digest's page: approve, stop, send, pause, cancel, propose anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.log_actions import log

from newsletter.delivery import control
from newsletter.delivery.freeze import approve
from newsletter.delivery.missed import call_off, missed, retry_missed
from newsletter.delivery.models import Delivery
from newsletter.delivery.reconcile import resolve
from newsletter.delivery.unschedule import unschedule
from newsletter.desk.approval import first_word, is_editable, may_approve, who
from newsletter.digests.models import Digest
from newsletter.digests.reproposal import propose_anew
from newsletter.exceptions import DigestNotReady, SecondApprovalWanted

MAY_STEER = "newsletter.approve_digest"

Act = Callable[[HttpRequest, Digest], str]


def offered(digest: Digest, user: Any) -> list[dict[str, Any]]:
    """The buttons for this person as things stand, besides approving."""
    status, Status = digest.status, Digest.Status
    found: list[dict[str, Any]] = []
    if digest.is_frozen and digest.sending_at is None and status in (Status.APPROVED, Status.HELD):
        found.append(
            {
                "name": "unschedule",
                "label": _("Stop it: back to a draft"),
                "serious": _("Nothing goes out until it is approved again."),
                "yes": _("Yes, stop it"),
                "ends_it": True,
            }
        )
    if digest.is_frozen and status in (Status.APPROVED, Status.HELD):
        found.append({"name": "send-now", "label": _("Send now")})
    if status in (Status.APPROVED, Status.SENDING) and not digest.called_off_at:
        found.append(
            {"name": "resume", "label": _("Resume")}
            if digest.paused_at
            else {"name": "pause", "label": _("Pause")}
        )
    if status == Status.SENT and user.has_perm(MAY_STEER):
        found += _retrying(digest)
    retried = status in (Status.SENDING, Status.HELD) and digest.sent_at
    if retried and not digest.called_off_at:
        found.append(_calling_off())
    open_ones = (Status.DRAFT, Status.HELD, Status.APPROVED, Status.SENDING)
    if status in open_ones and digest.sent_at is None:
        found.append(_cancelling(digest))
    return [one for one in found if _may(user, digest, one["name"])]


def _retrying(digest: Digest) -> list[dict[str, Any]]:
    count = len(missed(digest, now=timezone.now()))
    if not count:
        return []
    serious = ngettext(
        "%(count)d reader missed it for a reason that may have gone. Nobody else gets it again.",
        "%(count)d readers missed it for a reason that may have gone. Nobody else gets it again.",
        count,
    )
    return [
        {
            "name": "retry-missed",
            "label": _("Retry only the missed"),
            "serious": serious % {"count": count},
            "yes": _("Yes, send it to them"),
        }
    ]


def _calling_off() -> dict[str, Any]:
    return {
        "name": "call-off",
        "label": _("Call off the retry"),
        "serious": _("Whoever has not had it yet will not get it, unless you try again later."),
        "yes": _("Yes, call it off"),
        "ends_it": True,
    }


def _cancelling(digest: Digest) -> dict[str, Any]:
    if is_editable(digest):
        return {
            "name": "cancel",
            "label": _("Skip this issue"),
            "serious": _("It will not be sent. Its articles stay for the next issue."),
            "yes": _("Yes, skip it"),
            "ends_it": True,
        }
    return {
        "name": "cancel",
        "label": _("Cancel for good"),
        "serious": _("Whoever has not had it yet will not get it. This cannot be undone."),
        "yes": _("Yes, cancel it"),
        "ends_it": True,
    }


def _may(user: Any, digest: Digest, action: str) -> bool:
    """Whoever may schedule an issue may also stop it before it goes."""
    if action in ("approve", "unschedule") and may_approve(user, digest):
        return True
    return action != "approve" and bool(user.has_perm(MAY_STEER))


def _approve(request: HttpRequest, digest: Digest) -> str:
    account = approve(digest.pk, now=timezone.now(), by=who(request))
    return ngettext(
        "Approved, for %(count)d reader.", "Approved, for %(count)d readers.", account.deliveries
    ) % {"count": account.deliveries}


def _unschedule(request: HttpRequest, digest: Digest) -> str:
    unschedule(digest.pk, by=who(request))
    return _("Stopped: it is a draft again, and has to be approved again.")


def _send_now(request: HttpRequest, digest: Digest) -> str:
    control.send_now(digest.pk, now=timezone.now())
    return _("It goes out: the first mails leave within a minute.")


def _pause(request: HttpRequest, digest: Digest) -> str:
    control.pause(digest.pk, now=timezone.now(), by=who(request))
    return _("Paused: nothing more goes out until somebody resumes it.")


def _resume(request: HttpRequest, digest: Digest) -> str:
    control.resume(digest.pk, now=timezone.now(), by=who(request))
    return _("Resumed.")


def _cancel(request: HttpRequest, digest: Digest) -> str:
    control.cancel(digest.pk, now=timezone.now(), by=who(request))
    return _("Cancelled: it will not be sent.")


def _retry_missed(request: HttpRequest, digest: Digest) -> str:
    count = retry_missed(digest.pk, now=timezone.now(), by=who(request))
    said = ngettext("It goes to %(count)d reader.", "It goes to %(count)d readers.", count)
    return said % {"count": count}


def _call_off(request: HttpRequest, digest: Digest) -> str:
    count = call_off(digest.pk, now=timezone.now(), by=who(request))
    return ngettext(
        "Called off: %(count)d reader was not tried again.",
        "Called off: %(count)d readers were not tried again.",
        count,
    ) % {"count": count}


ACTIONS: dict[str, Act] = {
    "approve": _approve,
    "unschedule": _unschedule,
    "send-now": _send_now,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry-missed": _retry_missed,
    "call-off": _call_off,
}


@require_POST
def action_view(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    digest = get_object_or_404(Digest.objects.select_related("newsletter"), pk=pk)
    if not _may(request.user, digest, action):
        raise PermissionDenied
    if action not in ACTIONS:
        raise Http404
    try:
        said = ACTIONS[action](request, digest)
    except SecondApprovalWanted:
        messages.success(request, first_word(digest, who(request)))
    except DigestNotReady as error:
        messages.error(request, str(error))
    else:
        log(instance=digest, action=f"newsletter.{action.replace('-', '_')}", user=request.user)
        messages.success(request, said)
    return redirect("newsletter_digests:overview", pk)


@require_POST
def propose_anew_view(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.has_perm("newsletter.change_digest"):
        raise PermissionDenied
    digest = get_object_or_404(Digest, pk=pk)
    try:
        added = propose_anew(pk, now=timezone.now(), by=who(request))
    except DigestNotReady as error:
        messages.error(request, str(error))
        return redirect("newsletter_digests:overview", pk)
    log(instance=digest, action="newsletter.propose_anew", user=request.user)
    said = ngettext(
        "Proposed anew, with %(count)d article that was not in it.",
        "Proposed anew, with %(count)d articles that were not in it.",
        added,
    )
    messages.success(request, said % {"count": added})
    return redirect("newsletter_digests:edit", pk)


@require_POST
def resolve_view(request: HttpRequest, pk: int, delivery_pk: int) -> HttpResponse:
    """A person's word on a mail whose fate nobody knows."""
    if not request.user.has_perm("newsletter.change_delivery"):
        raise PermissionDenied
    delivery = get_object_or_404(Delivery, pk=delivery_pk, digest=pk)
    now = timezone.now()
    if request.POST.get("word") == "resend":
        changed = resolve(delivery.pk, "resend", now=now, by=who(request))
    else:
        changed = resolve(delivery.pk, "sent", now=now, by=who(request))
    if changed:
        log(instance=delivery.digest, action="newsletter.settle_uncertain", user=request.user)
        messages.success(request, _("Settled."))
    else:
        messages.info(request, _("It was settled meanwhile."))
    return redirect("newsletter_digests:overview", pk)
