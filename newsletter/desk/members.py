"""Members: how many and in which state. An address is found only by who has it in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.ui.tables import BaseColumn, Column, DateColumn, TitleColumn
from wagtail.admin.views import generic

from newsletter.desk.bounce_words import standing_in_words
from newsletter.desk.viewset import DeskViewSet
from newsletter.desk.whole_address import WholeAddressSearch
from newsletter.digests.models import Newsletter
from newsletter.exceptions import InvalidMember
from newsletter.members.address import address_hash, canonical_address
from newsletter.members.models import Lifting, Member, Subscription, Suppression
from newsletter.members.subscriptions import is_all
from newsletter.members.suppression import lift, suppress
from newsletter.themes.models import Theme

HOW_CONSENT_CAME = {
    "form": gettext_lazy("sign-up form"),
    "mail": gettext_lazy("link in the mail"),
    "preferences": gettext_lazy("page of choices"),
    "address": gettext_lazy("change of address"),
    "unsubscribe": gettext_lazy("page to unsubscribe"),
    "one-click": gettext_lazy("button of the mail program"),
    "command": gettext_lazy("added by the operators"),
    "import": gettext_lazy("added by the operators"),
}


def state_of(member: Member) -> str:
    if not member.confirmed_at:
        return _("Waiting for confirmation")
    now = timezone.now()
    active = [one for one in member.current if one.state == Subscription.State.ACTIVE]  # type: ignore[attr-defined]
    if not active:
        return _("Left")
    if all(one.paused_until and one.paused_until > now for one in active):
        return _("Paused")
    return _("Active")


def reads(member: Member) -> str:
    return ", ".join(
        one.newsletter.name
        for one in member.current  # type: ignore[attr-defined]
        if one.state == Subscription.State.ACTIVE
    )


def with_subscriptions(members: QuerySet) -> QuerySet:
    subscriptions = Subscription.objects.select_related("newsletter", "selection").order_by("pk")
    return members.prefetch_related(
        Prefetch("subscriptions", queryset=subscriptions, to_attr="current")
    )


class MemberIndexView(WholeAddressSearch, generic.IndexView):
    template_name = "newsletter/admin/member/index.html"
    table_classname = "listing desk-cards"
    is_searchable = True
    search_kwarg = "q"

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            TitleColumn(
                "email",
                label=_("Address"),
                get_url=lambda member: reverse("newsletter_members:inspect", args=[member.pk]),
            ),
            Column("state", label=_("State"), accessor=state_of),
            Column("reads", label=_("Newsletters"), accessor=reads),
            DateColumn("created_at", label=_("Since")),
        ]

    def get_base_queryset(self) -> QuerySet:
        return with_subscriptions(Member.objects.order_by("-pk"))

    @cached_property
    def no_results_message(self) -> str:
        if self.is_searching:
            return _("Nobody has this address. Write it whole: name@domain.example")
        return _("No members yet.")


def themes_of(subscription: Subscription, themes: Sequence[Theme]) -> str:
    chosen = set(subscription.selection.theme_ids)
    if not chosen or is_all(chosen, [theme.pk for theme in themes if theme.is_active]):
        return _("All themes")
    names = ", ".join(theme.local_name for theme in themes if theme.pk in chosen)
    return names or _("Only themes that are gone: nothing is sent.")


class MemberPage(generic.InspectView):
    template_name = "newsletter/admin/member/inspect.html"
    page_title = gettext_lazy("Member")

    def get_object(self, queryset: QuerySet | None = None) -> Member:
        member: Member = get_object_or_404(with_subscriptions(Member.objects.all()), pk=self.pk)
        return member

    def get_page_subtitle(self) -> str:
        return self.object.email

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        member = self.object
        context["member"] = member
        context["state"] = state_of(member)
        themes = list(Theme.objects.all())
        context["subscriptions"] = [(one, themes_of(one, themes)) for one in member.current]
        names = dict(Newsletter.objects.values_list("slug", "name"))
        context["consents"] = [
            (
                one,
                HOW_CONSENT_CAME.get(one.source, one.source),
                # By its slug one that is gone since.
                [names.get(slug, slug) for slug in one.newsletter_slugs],
            )
            for one in member.consents.all()[:50]
        ]
        context["suppressed"] = Suppression.objects.filter(address_hash=member.address_hash).first()
        context["bounces"] = member.bounces.select_related("digest__newsletter").order_by("-pk")[
            :20
        ]
        context["standing"] = standing_in_words(member.address_hash, now=timezone.now())
        return context

    def get_fields(self) -> list[str]:
        return []


class MemberViewSet(DeskViewSet):
    """Seen, not edited: members change their own choices, by their own links."""

    model = Member
    name = "newsletter_members"
    url_prefix = "bollettino/members"
    icon = "group"
    menu_label = gettext_lazy("Members")
    menu_name = "newsletter-members"
    index_view_class = MemberIndexView
    index_template_name = MemberIndexView.template_name
    inspect_view_class = MemberPage
    inspect_template_name = MemberPage.template_name
    inspect_view_enabled = True
    form_fields = ["language"]
    without = ("add", "edit", "delete", "history", "usage")


class SuppressionForm(forms.Form):
    address = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=320,
        help_text=gettext_lazy(
            "No digest goes to it any more. Only a keyed hash is kept: nobody can read it back."
        ),
    )

    def clean_address(self) -> str:
        try:
            return canonical_address(self.cleaned_data["address"])
        except InvalidMember as error:
            raise forms.ValidationError(str(error)) from error


class SuppressionAddView(generic.base.WagtailAdminTemplateMixin, FormView):
    form_class = SuppressionForm
    template_name = "newsletter/admin/member/suppress.html"
    page_title = gettext_lazy("Suppress an address")
    header_icon = "no-view"
    model = Suppression

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm("newsletter.add_suppression"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_suppressions:index"), "label": _("Suppressed addresses")},
            {"url": "", "label": _("Suppress an address")},
        ]

    def form_valid(self, form: SuppressionForm) -> HttpResponse:
        hashed = address_hash(form.cleaned_data["address"])
        suppress(hashed, Suppression.Reason.MANUAL, now=timezone.now())
        messages.success(self.request, _("The address is suppressed."))
        return redirect("newsletter_suppressions:index")


class LiftForm(forms.Form):
    why = forms.CharField(
        label=gettext_lazy("Why may it be mailed again?"),
        max_length=300,
        help_text=gettext_lazy(
            "Kept with your name. Such as: “she called, her mailbox works again”."
        ),
    )


class LiftView(generic.base.WagtailAdminTemplateMixin, FormView):
    form_class = LiftForm
    template_name = "newsletter/admin/member/lift.html"
    page_title = gettext_lazy("Mail it again")
    header_icon = "no-view"
    model = Suppression
    suppression: Suppression

    def dispatch(self, request: HttpRequest, *args: Any, pk: int, **kwargs: Any) -> Any:
        if not request.user.has_perm("newsletter.delete_suppression"):
            raise PermissionDenied
        self.suppression = get_object_or_404(
            Suppression.objects.exclude(reason=Suppression.Reason.ERASED), pk=pk
        )
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {
            "suppression": self.suppression,
            "was_complaint": self.suppression.reason == Suppression.Reason.COMPLAINT,
            "earlier": Lifting.objects.filter(
                address_hash=self.suppression.address_hash
            ).select_related("by")[:10],
        }

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_suppressions:index"), "label": _("Suppressed addresses")},
            {"url": "", "label": _("Mail it again")},
        ]

    def form_valid(self, form: LiftForm) -> HttpResponse:
        user: Any = self.request.user
        why = form.cleaned_data["why"]
        if lift(self.suppression, by=user, why=why, now=timezone.now()):
            messages.success(self.request, _("The address may be mailed again."))
        return redirect("newsletter_suppressions:index")


class HashColumn(BaseColumn):
    """The hash's beginning, enough to compare two; the way to lift it."""

    cell_template_name = "newsletter/admin/member/hash.html"

    def get_cell_context_data(self, instance: Suppression, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        may_lift = parent_context["request"].user.has_perm("newsletter.delete_suppression")
        by_owner = instance.reason == Suppression.Reason.ERASED
        context["url"] = (
            reverse("newsletter_suppressions:lift", args=[instance.pk])
            if may_lift and not by_owner
            else ""
        )
        return context


class SuppressionIndexView(WholeAddressSearch, generic.IndexView):
    is_searchable = True

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            HashColumn("address_hash", label=_("Keyed hash")),
            Column("reason", label=_("Reason"), accessor="get_reason_display", sort_key="reason"),
            DateColumn("created_at", label=_("Since"), sort_key="created_at"),
        ]

    def get_base_queryset(self) -> QuerySet:
        return Suppression.objects.order_by("-pk")

    @cached_property
    def add_item_label(self) -> str:
        return _("Suppress an address")

    @cached_property
    def no_results_message(self) -> str:
        if self.is_searching:
            if not self.is_an_address:
                return _("Write the whole address, name@domain.example: of a part nobody can say.")
            return _("This address is not suppressed.")
        return _("No address is suppressed.")


class SuppressionViewSet(DeskViewSet):
    model = Suppression
    name = "newsletter_suppressions"
    url_prefix = "bollettino/suppressions"
    icon = "no-view"
    menu_label = gettext_lazy("Suppressed addresses")
    menu_name = "newsletter-suppressions"
    index_view_class = SuppressionIndexView
    form_fields = ["reason"]
    without = ("edit", "delete", "history", "usage")
    list_filter = ["reason"]

    @property
    def add_view(self) -> Any:
        return self.construct_view(SuppressionAddView)

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/lift/", self.construct_view(LiftView), name="lift"),
        ]
