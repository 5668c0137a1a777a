"""The feeds' screens together, and the settings of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton

from newsletter.archive.own_feeds import against_own_feeds
from newsletter.desk.feed_adding import LOOK_SECONDS, FeedAddView
from newsletter.desk.feed_list import FeedIndexView
from newsletter.desk.feed_page import (
    FeedPage,
    older_view,
    page_text_view,
    pause_view,
    poll_view,
    resume_view,
    stop_older_view,
)
from newsletter.desk.opml import OpmlImportView, export_view
from newsletter.desk.viewset import DeskViewSet
from newsletter.exceptions import FeedError
from newsletter.feeds.fetch import fetch
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import parse


class FeedForm(WagtailAdminModelForm):
    """Checks a changed address by fetching it, as when adding."""

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if "url" in self.changed_data:
            if reason := against_own_feeds()(url):
                raise forms.ValidationError(reason)
            try:
                fetched = fetch(url, seconds=LOOK_SECONDS)
                parse(fetched.body, url=fetched.url, content_type=fetched.content_type)
            except FeedError as error:
                raise forms.ValidationError(str(error)) from error
        return url

    def save(self, commit: bool = True) -> Any:
        if "url" in self.changed_data:
            feed = self.instance
            # Another place: what the old one said of its state proves nothing here.
            feed.etag = feed.last_modified = feed.body_hash = ""
            feed.next_poll_at = timezone.now()
        return super().save(commit)


class FeedEditView(generic.EditView):
    def get_success_url(self) -> str:
        return reverse("newsletter_feeds:inspect", args=[self.object.pk])

    @cached_property
    def header_buttons(self) -> list[Any]:
        return [HeaderButton(_("State and history"), url=self.get_inspect_url(), icon_name="view")]


class FeedViewSet(DeskViewSet):
    model = Feed
    name = "newsletter_feeds"
    url_prefix = "bollettino/feeds"
    icon = "rotate"
    menu_label = gettext_lazy("Feeds")
    menu_name = "newsletter-feeds"
    index_view_class = FeedIndexView
    edit_view_class = FeedEditView
    inspect_view_class = FeedPage
    inspect_template_name = FeedPage.template_name
    inspect_view_enabled = True
    index_template_name = FeedIndexView.template_name
    index_results_template_name = FeedIndexView.results_template_name
    ordering = ("severity", "title", "pk")
    search_fields = ["title", "url", "site_url"]
    search_backend_name = None

    @cached_property
    def edit_handler(self) -> ObjectList:
        return ObjectList(
            [
                FieldPanel(name)
                for name in (
                    "url",
                    "title",
                    "site_url",
                    "language",
                    "auto_accept",
                    "rights",
                    "page_text",
                )
            ],
            base_form_class=FeedForm,
        )

    @property
    def add_view(self) -> Any:
        return self.construct_view(FeedAddView)

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("import/", self.construct_view(OpmlImportView), name="import"),
            path("export/", export_view, name="export"),
            path("<int:pk>/poll/", poll_view, name="poll"),
            path("<int:pk>/pause/", pause_view, name="pause"),
            path("<int:pk>/resume/", resume_view, name="resume"),
            path("<int:pk>/page-text/", page_text_view, name="page-text"),
            path("<int:pk>/older/", older_view, name="older"),
            path("<int:pk>/older/stop/", stop_older_view, name="stop-older"),
        ]
