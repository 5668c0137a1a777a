"""Feeds: how each is doing, in words; adding one really fetches it first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import BaseColumn, Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton

from newsletter.articles.ingest import poll
from newsletter.desk.older_posts import fetch_older, older_posts, stop_fetching
from newsletter.desk.viewset import DeskViewSet
from newsletter.exceptions import FeedError
from newsletter.feeds.discovery import discover
from newsletter.feeds.fetch import fetch
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import ParsedFeed, parse

HISTORY = 30
MAY_CHANGE = "newsletter.change_feed"


class StateColumn(BaseColumn):
    cell_template_name = "newsletter/admin/feed/state.html"


class FeedIndexView(generic.IndexView):
    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            TitleColumn(
                "title",
                label=_("Feed"),
                accessor=str,
                get_url=lambda feed: reverse("newsletter_feeds:inspect", args=[feed.pk]),
                sort_key="title",
            ),
            StateColumn("state", label=_("State"), sort_key="state"),
            Column(
                "last_polled_at",
                label=_("Last poll"),
                accessor=ago,
                sort_key="last_polled_at",
                classname="desk-wide",
            ),
            Column("next_poll_at", label=_("Next poll"), accessor=upcoming, classname="desk-wide"),
        ]


def ago(feed: Feed) -> str:
    return str(naturaltime(feed.last_polled_at)) if feed.last_polled_at else _("Not yet")


def upcoming(feed: Feed) -> str:
    if feed.state != Feed.State.ACTIVE or not feed.next_poll_at:
        return "–"
    return str(naturaltime(feed.next_poll_at))


class FeedPage(generic.InspectView):
    """A feed's page: facts, the last error and what to do, the history of its fetches."""

    template_name = "newsletter/admin/feed/inspect.html"
    page_title = gettext_lazy("Feed")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["feed"] = self.object
        context["fetches"] = self.object.fetches.all()[:HISTORY]
        context["latest"] = self.object.articles.order_by("-listed_at", "-pk")[:5]
        context["articles"] = self.object.articles.count()
        context["older"] = older_posts(self.object)
        context["may_change"] = self.request.user.has_perm(MAY_CHANGE)
        return context

    def get_fields(self) -> list[str]:
        return []


class NewFeedForm(forms.Form):
    """The address, which is fetched; then, with what came before one's eyes, the choices."""

    url = forms.URLField(
        label=gettext_lazy("Address of the feed or of the blog"),
        max_length=1000,
        assume_scheme="https",
        error_messages={
            "invalid": gettext_lazy("Write the whole address, such as https://blog.example/feed/.")
        },
        widget=forms.URLInput(attrs={"placeholder": "https://blog.example/feed/"}),
    )
    auto_accept = forms.BooleanField(
        label=gettext_lazy("Accept automatically"),
        required=False,
        help_text=gettext_lazy("For a blog of your own: its posts skip the inbox."),
    )
    rights = forms.ChoiceField(
        label=gettext_lazy("What may be shown"),
        choices=Feed.Rights.choices,
        initial=Feed.Rights.EXCERPT,
        required=False,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Full text only where you wrote it or may reproduce it."),
    )

    parsed: ParsedFeed

    def clean_rights(self) -> str:
        return self.cleaned_data["rights"] or Feed.Rights.EXCERPT.value

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            found = discover(url)
        except FeedError as error:
            raise forms.ValidationError(str(error)) from error
        self.parsed, url = found.parsed, found.url
        if Feed.objects.filter(url=url).exists():
            raise forms.ValidationError(_("This feed is already in the list."))
        return url


class FeedAddView(generic.base.WagtailAdminTemplateMixin, FormView):
    form_class = NewFeedForm
    template_name = "newsletter/admin/feed/add.html"
    page_title = gettext_lazy("Add a feed")
    header_icon = "rotate"
    model = Feed

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm("newsletter.add_feed"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_feeds:index"), "label": _("Feeds")},
            {"url": "", "label": _("Add a feed")},
        ]

    def form_valid(self, form: NewFeedForm) -> HttpResponse:
        parsed = form.parsed
        # What was checked must be what is saved: another address is checked again first.
        if self.request.POST.get("checked") != form.cleaned_data["url"]:
            shown = self.request.POST.copy()
            shown["url"] = form.cleaned_data["url"]
            shown.setdefault("rights", Feed.Rights.EXCERPT)
            form.data = shown
            return self.render_to_response(
                self.get_context_data(form=form, parsed=parsed, checked=form.cleaned_data["url"])
            )
        feed = Feed.objects.create(
            url=form.cleaned_data["url"],
            title=parsed.title[:255],
            site_url=parsed.site_url[:1000],
            language=parsed.language[:10],
            auto_accept=form.cleaned_data["auto_accept"],
            rights=form.cleaned_data["rights"],
            next_poll_at=timezone.now(),
        )
        messages.success(
            self.request, _("“%(feed)s” is added: its posts come in a moment.") % {"feed": feed}
        )
        return redirect("newsletter_feeds:inspect", feed.pk)


class FeedForm(WagtailAdminModelForm):
    """Checks a changed address by fetching it, as when adding."""

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if "url" in self.changed_data:
            try:
                fetched = fetch(url)
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


def feed_for_change(request: HttpRequest, pk: int) -> Feed:
    if not request.user.has_perm(MAY_CHANGE):
        raise PermissionDenied
    return get_object_or_404(Feed, pk=pk)


def back_to_feed(feed: Feed) -> HttpResponse:
    return redirect("newsletter_feeds:inspect", feed.pk)


@require_POST
def poll_view(request: HttpRequest, pk: int) -> HttpResponse:
    feed = feed_for_change(request, pk)
    now = timezone.now()
    Feed.objects.filter(pk=feed.pk).update(state=Feed.State.ACTIVE, next_poll_at=now)
    ingested = poll(feed.pk, now=now)
    feed.refresh_from_db()
    if ingested is not None:
        messages.success(
            request,
            ngettext(
                "Polled: %(count)d new article.",
                "Polled: %(count)d new articles.",
                len(ingested.new),
            )
            % {"count": len(ingested.new)},
        )
    elif feed.error:
        messages.error(request, feed.error)
    else:
        messages.info(request, _("It is being polled at this moment, or has nothing new."))
    return back_to_feed(feed)


@require_POST
def pause_view(request: HttpRequest, pk: int) -> HttpResponse:
    feed = feed_for_change(request, pk)
    Feed.objects.filter(pk=feed.pk).update(state=Feed.State.PAUSED)
    messages.success(request, _("“%(feed)s” is paused: nothing is fetched.") % {"feed": feed})
    return back_to_feed(feed)


@require_POST
def resume_view(request: HttpRequest, pk: int) -> HttpResponse:
    feed = feed_for_change(request, pk)
    Feed.objects.filter(pk=feed.pk).update(
        state=Feed.State.ACTIVE, failures=0, next_poll_at=timezone.now()
    )
    messages.success(
        request, _("“%(feed)s” is polled again, the first time in a moment.") % {"feed": feed}
    )
    return back_to_feed(feed)


@require_POST
def older_view(request: HttpRequest, pk: int) -> HttpResponse:
    return fetch_older(request, feed_for_change(request, pk))


@require_POST
def stop_older_view(request: HttpRequest, pk: int) -> HttpResponse:
    return stop_fetching(request, feed_for_change(request, pk))


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
    list_filter = ["state", "auto_accept"]
    search_fields = ["title", "url"]
    search_backend_name = None

    @cached_property
    def edit_handler(self) -> ObjectList:
        return ObjectList(
            [
                FieldPanel(name)
                for name in ("url", "title", "site_url", "language", "auto_accept", "rights")
            ],
            base_form_class=FeedForm,
        )

    @property
    def add_view(self) -> Any:
        return self.construct_view(FeedAddView)

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/poll/", poll_view, name="poll"),
            path("<int:pk>/pause/", pause_view, name="pause"),
            path("<int:pk>/resume/", resume_view, name="resume"),
            path("<int:pk>/older/", older_view, name="older"),
            path("<int:pk>/older/stop/", stop_older_view, name="stop-older"),
        ]
