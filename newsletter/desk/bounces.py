"""The mails that came back: who cannot be reached and why, and what our server must mend."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import BaseColumn, Column, DateColumn, TitleColumn
from wagtail.admin.views import generic

from newsletter.delivery.bounces.models import Bounce
from newsletter.desk.viewset import DeskViewSet
from newsletter.desk.whole_address import WholeAddressSearch
from newsletter.members.models import Suppression


def what_follows(bounce: Bounce) -> str:
    """What it led to, as things stand now."""
    if bounce.kind == Bounce.Kind.ABOUT_US:
        return _("Not the member's fault: whoever runs the site must look at it")
    if bounce.is_suppressed:  # type: ignore[attr-defined]
        return _("Gets no mail any more")
    return _("Is still mailed")


class WordsColumn(BaseColumn):
    """What happened and what follows, with the server's own words for who wants them."""

    cell_template_name = "newsletter/admin/bounce/words.html"

    def get_cell_context_data(self, instance: Bounce, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        return context | {"follows": what_follows(instance)}


class BounceIndexView(WholeAddressSearch, generic.IndexView):
    template_name = "newsletter/admin/bounce/index.html"
    is_searchable = True
    search_kwarg = "q"

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            TitleColumn(
                "member",
                label=_("Member"),
                accessor="member.email",
                get_url=lambda bounce: reverse(
                    "newsletter_members:inspect", args=[bounce.member_id]
                ),
            ),
            WordsColumn("kind", label=_("What happened")),
            Column("digest", label=_("Digest"), accessor="digest", classname="desk-wide"),
            DateColumn("received_at", label=_("When")),
        ]

    def get_base_queryset(self) -> QuerySet:
        suppressed = Suppression.objects.filter(address_hash=OuterRef("address_hash"))
        return (
            Bounce.objects.select_related("member", "digest__newsletter")
            .defer("digest__content")
            .annotate(is_suppressed=Exists(suppressed))
            .order_by("-received_at", "-pk")
        )

    @cached_property
    def no_results_message(self) -> str:
        if self.is_searching:
            return _("No mail to this address has come back. Write it whole: name@domain.example")
        return _("No mail has come back.")


class BounceViewSet(DeskViewSet):
    model = Bounce
    name = "newsletter_bounces"
    url_prefix = "bollettino/bounces"
    icon = "arrow-left"
    menu_label = gettext_lazy("Mails that came back")
    menu_name = "newsletter-bounces"
    index_view_class = BounceIndexView
    index_template_name = BounceIndexView.template_name
    form_fields = ["kind"]
    list_filter = ["kind"]
    without = ("add", "edit", "delete", "history", "usage")
