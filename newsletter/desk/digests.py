"""The digests: the list, and where their screens are."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import BaseColumn, Column
from wagtail.snippets.views.snippets import (
    DeleteView,
    IndexView,
    SnippetViewSet,
)

from newsletter.desk.approval import is_editable
from newsletter.desk.digest_actions import (
    action_view,
    propose_anew_view,
    resolve_view,
)
from newsletter.desk.digest_editor import (
    DigestAddView,
    DigestEditView,
    DigestWorkflowActionView,
    digest_panels,
)
from newsletter.desk.digest_mail import as_reader_view, mail_view
from newsletter.desk.digest_page import DigestPage
from newsletter.desk.links_now import follow_links_view
from newsletter.desk.sentences import moment_in_words
from newsletter.desk.undelivered import UndeliveredView
from newsletter.digests.models import Digest


class DigestColumn(BaseColumn):
    cell_template_name = "newsletter/admin/digest/name.html"

    def get_cell_context_data(self, instance: Digest, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        user = parent_context["request"].user
        edit = is_editable(instance) and user.has_perm("newsletter.change_digest")
        name = "newsletter_digests:edit" if edit else "newsletter_digests:overview"
        context["url"] = reverse(name, args=[instance.pk])
        return context


class StatusColumn(BaseColumn):
    cell_template_name = "newsletter/admin/digest/status.html"


class DigestIndexView(IndexView):
    template_name = "wagtailadmin/generic/index.html"
    table_classname = "listing desk-cards"

    def get_base_queryset(self) -> QuerySet:
        return (
            Digest.objects.select_related("newsletter")
            .defer("content")
            .annotate(article_count=Count("items", filter=Q(items__deferred=False)))
        )

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            DigestColumn("name", label=_("Digest")),
            StatusColumn("status", label=_("Status"), sort_key="status"),
            Column(
                "slot",
                label=_("Goes out"),
                accessor=lambda digest: moment_in_words(digest.slot, digest.newsletter),
                sort_key="slot",
            ),
            Column("article_count", label=_("Articles"), classname="desk-wide"),
            Column(
                "candidates",
                label=_("Readers"),
                classname="desk-wide",
                accessor=lambda digest: digest.candidates if digest.is_frozen else "–",
            ),
        ]


class DigestDeleteView(DeleteView):
    """Drafts only: the ledger of a digest that went out is kept with it."""

    def get_object(self, queryset: QuerySet | None = None) -> Digest:
        digest: Digest = super().get_object(queryset)
        if digest.is_frozen:
            raise PermissionDenied
        return digest


class DigestViewSet(SnippetViewSet):
    model = Digest
    url_prefix = "bollettino/digests"
    url_namespace = "newsletter_digests"
    chooser_admin_url_namespace = "newsletter_digest_chooser"
    chooser_base_url_path = "bollettino/digest-chooser"
    icon = "doc-full-inverse"
    menu_label = gettext_lazy("Digests")
    menu_name = "newsletter-digests"
    # It stands in the plugin's own menu: else Wagtail adds an entry "Snippets" for it.
    menu_item_is_registered = True
    index_view_class = DigestIndexView
    edit_view_class = DigestEditView
    delete_view_class = DigestDeleteView
    workflow_action_view_class = DigestWorkflowActionView
    index_template_name = "wagtailadmin/generic/index.html"
    edit_template_name = DigestEditView.template_name
    copy_view_enabled = False
    list_filter = ["status", "newsletter"]
    search_fields = ["subject", "newsletter__name"]
    search_backend_name = None
    ordering = "-slot"

    @cached_property
    def edit_handler(self) -> Any:
        return digest_panels()

    @property
    def add_view(self) -> Any:
        return self.construct_view(DigestAddView)

    def get_urlpatterns(self) -> list[Any]:
        # Taking back a mail is not possible, and a proposal is composed, not typed: hence these.
        unused = ("unpublish", "copy", "preview_on_add", "usage")
        return [
            *(one for one in super().get_urlpatterns() if one.name not in unused),
            path("<int:pk>/", self.construct_view(DigestPage), name="overview"),
            path("<int:pk>/undelivered/", UndeliveredView.as_view(), name="undelivered"),
            path("<int:pk>/mail/", mail_view, name="mail"),
            path("<int:pk>/as-reader/", as_reader_view, name="as_reader"),
            path("<int:pk>/follow-links/", follow_links_view, name="follow_links"),
            path("<int:pk>/propose-anew/", propose_anew_view, name="propose_anew"),
            path("<int:pk>/do/<slug:action>/", action_view, name="action"),
            path("<int:pk>/deliveries/<int:delivery_pk>/resolve/", resolve_view, name="resolve"),
        ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return common | {"unpublish_url_name": None, "usage_url_name": None}
