"""A digest's page: the checks before, the deliveries after, and a test mail between."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton

from newsletter.delivery.forecast import forecast
from newsletter.delivery.models import Delivery, Exclusion
from newsletter.delivery.progress import progress
from newsletter.desk.addressing import addressees_in_words
from newsletter.desk.approval import (
    approve_label,
    has_approved,
    is_editable,
    may_approve,
    proposed,
    waiting_for_a_second,
    who,
)
from newsletter.desk.bounce_words import came_back_in_words
from newsletter.desk.checklist import checks_and_audience, going_sentence
from newsletter.desk.delivery_words import counted, state_names, told_as
from newsletter.desk.digest_actions import offered
from newsletter.desk.digest_mail import MAY_SEE_MEMBERS
from newsletter.desk.links_now import links_asked
from newsletter.desk.pace_words import held_back_words
from newsletter.desk.sentences import language_name, moment_in_words
from newsletter.desk.test_mail import MAY_TEST, TestForm, send
from newsletter.digests.addressees import addressees_as_edited
from newsletter.digests.content import DigestContent
from newsletter.digests.models import Digest

UNCERTAIN_SHOWN = 50


class DigestPage(PermissionCheckedMixin, generic.base.WagtailAdminTemplateMixin, TemplateView):
    model = Digest
    any_permission_required = ("view", "change")
    template_name = "newsletter/admin/digest/overview.html"
    live_template_name = "newsletter/admin/digest/live.html"
    live_links_template_name = "newsletter/admin/digest/live_links.html"
    header_icon = "doc-full-inverse"

    @cached_property
    def digest(self) -> Digest:
        return get_object_or_404(
            Digest.objects.select_related("newsletter", "approved_by"), pk=self.kwargs["pk"]
        )

    @property
    def is_refreshing(self) -> bool:
        """The page asks for what changes while mails go out, or while links are followed."""
        return "live" in self.request.GET

    def get_template_names(self) -> list[str]:
        if not self.is_refreshing:
            return [self.template_name]
        frozen = self.digest.is_frozen
        return [self.live_template_name if frozen else self.live_links_template_name]

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
        if self.is_refreshing and not digest.is_frozen:
            return context | {"links": links_asked(digest, now=timezone.now())}
        context.update(
            digest=digest,
            editable=is_editable(digest),
            waiting=waiting_for_a_second(digest) or proposed(digest),
            may_approve=may_approve(user, digest) and not has_approved(user, digest),
            approve_label=approve_label(digest),
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
            actions=offered(digest, user),
        )
        if digest.is_frozen:
            context.update(self.sending())
        else:
            context.update(self.expected())
        return context

    def expected(self) -> dict[str, Any]:
        """What approving would find, and whom it would reach."""
        now = timezone.now()
        to = addressees_as_edited(self.digest.get_latest_revision_as_object())
        checks, audience = checks_and_audience(self.digest, now=now)
        excluded = dict(Exclusion.Reason.choices)
        return {
            "links": links_asked(self.digest, now=now),
            "checks": checks,
            "has_links": any(one.by_following for one in checks),
            "blocked": any(one.blocking and not one.passed for one in checks),
            "going": going_sentence(self.digest, audience, to, now=now),
            "subscribed": audience.subscribed,
            "expected_variants": audience.variants,
            "left_out": [
                (excluded.get(reason, reason), count)
                for reason, count in sorted(audience.exclusions.items())
            ],
        }

    def sending(self) -> dict[str, Any]:
        digest, now = self.digest, timezone.now()
        account = progress(digest)
        going_out = digest.status == Digest.Status.SENDING
        moving = going_out and digest.paused_at is None
        rest = forecast(digest, account, now=now) if moving else None
        states = state_names()
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
            "going_out": going_out,
            "not_begun": digest.sending_at is None
            and digest.status in (Digest.Status.APPROVED, Digest.Status.HELD),
            "rest": rest,
            "held_back": held_back_words(digest, rest, now=now) if rest else [],
            "came_back": came_back_in_words(digest),
            "states": [
                (states[state], count, state) for state, count in counted(account).items() if count
            ],
            "reasons": [
                (states[told_as(state, reason)], reasons.get(reason, reason), count)
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
            "addressed": addressees_in_words(content.addressees),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The test send: to oneself, or to whom one types; nothing of it enters the ledger."""
        if not request.user.has_perm(MAY_TEST):
            raise PermissionDenied
        form = TestForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(test_form=form), status=422)
        send(request, self.digest, form)
        return redirect(request.path)
