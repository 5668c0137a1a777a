"""A digest's page: the checks before, the deliveries after, and the buttons between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log

from newsletter.delivery import control
from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Delivery, Exclusion
from newsletter.delivery.progress import progress
from newsletter.delivery.reconcile import resolve
from newsletter.delivery.test_send import MOST_ADDRESSES, send_test
from newsletter.desk.approval import first_word, is_editable, waiting_for_a_second, who
from newsletter.desk.checklist import checks_and_audience, going_sentence
from newsletter.desk.digest_mail import MAY_SEE_MEMBERS
from newsletter.desk.sentences import language_name, moment_in_words
from newsletter.digests.content import DigestContent
from newsletter.digests.models import Digest
from newsletter.digests.reproposal import propose_anew
from newsletter.exceptions import DigestNotReady, NewsletterError, SecondApprovalWanted

UNCERTAIN_SHOWN = 50
MAY_APPROVE = "newsletter.approve_digest"
MAY_TEST = "newsletter.send_test_digest"


class TestForm(forms.Form):
    addresses = forms.CharField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy("Up to ten addresses, with commas between them."),
        max_length=2000,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("it", gettext_lazy("Italian")), ("en", gettext_lazy("English"))],
    )

    def clean_addresses(self) -> list[str]:
        written = self.cleaned_data["addresses"].replace(";", ",").split(",")
        addresses = [one.strip() for one in written if one.strip()]
        if len(addresses) > MOST_ADDRESSES:
            raise ValidationError(_("Not more than ten addresses at once."))
        for address in addresses:
            validate_email(address)
        return addresses


class DigestPage(PermissionCheckedMixin, generic.base.WagtailAdminTemplateMixin, TemplateView):
    model = Digest
    any_permission_required = ("view", "change")
    template_name = "newsletter/admin/digest/overview.html"
    header_icon = "doc-full-inverse"

    @cached_property
    def digest(self) -> Digest:
        return get_object_or_404(
            Digest.objects.select_related("newsletter", "approved_by"), pk=self.kwargs["pk"]
        )

    def get_page_title(self) -> str:
        return str(self.digest)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_digests:list"), "label": _("Digests")},
            {"url": "", "label": str(self.digest)},
        ]

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons = []
        if is_editable(self.digest) and self.user_has_permission("change"):
            url = reverse("newsletter_digests:edit", args=[self.digest.pk])
            buttons.append(HeaderButton(_("Edit"), url=url, icon_name="edit"))
        return buttons

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        digest, user = self.digest, self.request.user
        context.update(
            digest=digest,
            editable=is_editable(digest),
            waiting=waiting_for_a_second(digest),
            may_approve=user.has_perm(MAY_APPROVE),
            may_publish=user.has_perm("newsletter.publish_digest"),
            test_form=kwargs.get("test_form")
            or TestForm(
                initial={
                    "addresses": who(self.request).email,
                    "language": digest.newsletter.language,
                }
            ),
            may_test=user.has_perm(MAY_TEST),
            may_change=user.has_perm("newsletter.change_digest"),
            may_see_members=user.has_perm(MAY_SEE_MEMBERS),
            when=moment_in_words(digest.slot, digest.newsletter),
            actions=self.actions(),
        )
        if digest.is_frozen:
            context.update(self.sending())
        else:
            context.update(self.expected())
        return context

    def expected(self) -> dict[str, Any]:
        """What approving would find, and whom it would reach."""
        now = timezone.now()
        checks, audience = checks_and_audience(self.digest, now=now)
        excluded = dict(Exclusion.Reason.choices)
        return {
            "checks": checks,
            "blocked": any(one.blocking and not one.passed for one in checks),
            "going": going_sentence(self.digest, audience.readers, now=now),
            "expected_variants": audience.variants,
            "left_out": [
                (excluded.get(reason, reason), count)
                for reason, count in sorted(audience.exclusions.items())
            ],
        }

    def actions(self) -> list[dict[str, Any]]:
        status, Status = self.digest.status, Digest.Status
        if not self.request.user.has_perm(MAY_APPROVE):
            return []
        found: list[dict[str, Any]] = []
        if self.digest.is_frozen and status in (Status.APPROVED, Status.HELD):
            found.append({"name": "send-now", "label": _("Send now")})
        if status in (Status.APPROVED, Status.SENDING):
            found.append(
                {"name": "resume", "label": _("Resume")}
                if self.digest.paused_at
                else {"name": "pause", "label": _("Pause")}
            )
        if status in (Status.DRAFT, Status.HELD, Status.APPROVED, Status.SENDING):
            found.append(self.cancelling())
        return found

    def cancelling(self) -> dict[str, Any]:
        if is_editable(self.digest):
            return {
                "name": "cancel",
                "label": _("Skip this issue"),
                "serious": _("It will not be sent. Its articles stay for the next issue."),
                "yes": _("Yes, skip it"),
            }
        return {
            "name": "cancel",
            "label": _("Cancel for good"),
            "serious": _("Whoever has not had it yet will not get it. This cannot be undone."),
            "yes": _("Yes, cancel it"),
        }

    def sending(self) -> dict[str, Any]:
        digest = self.digest
        account = progress(digest)
        states = dict(Delivery.State.choices)
        reasons = dict(Delivery.Reason.choices)
        excluded = dict(Exclusion.Reason.choices)
        uncertain = digest.deliveries.filter(state=Delivery.State.UNCERTAIN).order_by("pk")
        segments: dict[int | None, int] = {}
        for variant_id, members in digest.segments.values_list("variant_id", "members"):
            segments[variant_id] = segments.get(variant_id, 0) + members
        content = DigestContent.from_json(digest.content or {})
        titles = {item.position: item.title for item in content.items}
        return {
            "account": account,
            "states": [
                (states[state], count, state) for state, count in account.states.items() if count
            ],
            "reasons": [
                (states[state], reasons.get(reason, reason), count)
                for (state, reason), count in account.reasons.items()
            ],
            "exclusions": [
                (excluded.get(reason, reason), count)
                for reason, count in account.exclusions.items()
            ],
            "uncertain": uncertain[:UNCERTAIN_SHOWN],
            "may_resolve": self.request.user.has_perm("newsletter.change_delivery"),
            "variants": [
                (
                    variant,
                    language_name(variant.language),
                    segments.get(variant.pk, 0),
                    [titles[at] for at in variant.items if at in titles],
                )
                for variant in digest.variants.order_by("pk").defer("html", "text")
            ],
            "content": content,
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The test send: to oneself, or to whom one types; nothing of it enters the ledger."""
        if not request.user.has_perm(MAY_TEST):
            raise PermissionDenied
        form = TestForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(test_form=form), status=422)
        try:
            results = send_test(
                self.digest,
                form.cleaned_data["addresses"],
                language=form.cleaned_data["language"],
                now=timezone.now(),
            )
        except NewsletterError as error:
            messages.error(request, _("The test was not sent: %(why)s") % {"why": error})
            return redirect(request.path)
        sent = sum(1 for refusal in results.values() if not refusal)
        if sent:
            log(instance=self.digest, action="newsletter.test_send", user=request.user)
            messages.success(
                request,
                ngettext("%(count)d test sent.", "%(count)d tests sent.", sent) % {"count": sent},
            )
        for address, refusal in results.items():
            if refusal:
                messages.error(request, f"{address}: {refusal}")
        return redirect(request.path)


def approve_now(request: HttpRequest, digest: Digest) -> str:
    if not request.user.has_perm("newsletter.publish_digest"):
        raise PermissionDenied
    account = approve(digest.pk, now=timezone.now(), by=who(request))
    return ngettext(
        "Approved, for %(count)d reader.", "Approved, for %(count)d readers.", account.deliveries
    ) % {"count": account.deliveries}


def send_now(request: HttpRequest, digest: Digest) -> str:
    control.send_now(digest.pk, now=timezone.now())
    return _("It goes out: the first mails leave within a minute.")


def pause(request: HttpRequest, digest: Digest) -> str:
    control.pause(digest.pk, now=timezone.now(), by=who(request))
    return _("Paused: nothing more goes out until somebody resumes it.")


def resume(request: HttpRequest, digest: Digest) -> str:
    control.resume(digest.pk, now=timezone.now(), by=who(request))
    return _("Resumed.")


def cancel(request: HttpRequest, digest: Digest) -> str:
    control.cancel(digest.pk, now=timezone.now(), by=who(request))
    return _("Cancelled: it will not be sent.")


ACTIONS: dict[str, Callable[[HttpRequest, Digest], str]] = {
    "approve": approve_now,
    "send-now": send_now,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
}


@require_POST
def action_view(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    if not request.user.has_perm(MAY_APPROVE):
        raise PermissionDenied
    if action not in ACTIONS:
        raise Http404
    digest = get_object_or_404(Digest, pk=pk)
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
        messages.success(request, _("Settled."))
    else:
        messages.info(request, _("It was settled meanwhile."))
    return redirect("newsletter_digests:overview", pk)
