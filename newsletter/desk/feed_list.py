"""The list of feeds: how each is doing, in words, and what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BaseColumn, BulkActionsCheckboxColumn
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import Button

from newsletter.desk import moments
from newsletter.desk.plots import last_days, sparkline
from newsletter.feeds.health import PROBLEMS, Health, what_to_do, with_health
from newsletter.feeds.models import Feed

MAY_CHANGE = "newsletter.change_feed"
ANY_PROBLEM = "problem"
ICONS = {
    Health.GONE: "bin",
    Health.STOPPED: "circle-xmark",
    Health.SILENT: "warning",
    Health.MOVED: "redirect",
    Health.SHAKY: "resubmit",
    Health.WAITING: "time",
    Health.WORKING: "circle-check",
    Health.PAUSED: "minus",
}


@dataclass(frozen=True)
class Mark:
    """A feed's health as the desk shows it: a word with an icon, and what to do."""

    health: str
    word: str
    icon: str
    advice: str

    @property
    def look(self) -> str:
        """Which of the desk's borders: good, bad or plain."""
        if self.health in PROBLEMS:
            return "desk-bad"
        return "desk-good" if self.health == Health.WORKING else "desk-state--rejected"


def mark(feed: Any) -> Mark:
    """Of a feed that came through `with_health`."""
    health = Health(feed.health)
    return Mark(health.value, str(health.label), ICONS[health], what_to_do(health, feed.error_code))


class FeedFilterSet(WagtailFilterSet):
    health = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=[(ANY_PROBLEM, gettext_lazy("Any problem")), *Health.choices],
        method="with_this_health",
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )
    auto_accept = django_filters.ChoiceFilter(
        label=gettext_lazy("New posts"),
        choices=[
            ("True", gettext_lazy("accepted automatically")),
            ("False", gettext_lazy("wait in the inbox")),
        ],
        empty_label=gettext_lazy("All"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Feed
        fields: list[str] = []

    def with_this_health(self, feeds: QuerySet, name: str, wanted: str) -> QuerySet:
        return feeds.filter(health__in=PROBLEMS if wanted == ANY_PROBLEM else [wanted])


class FeedColumn(BaseColumn):
    """The name, where it is, and below it what is wrong and what to do."""

    cell_template_name = "newsletter/admin/feed/cell.html"

    def get_cell_context_data(self, instance: Feed, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["mark"] = mark(instance)
        place = instance.url.partition("://")[2]
        context["place"] = place if len(place) <= 60 else f"{place[:59]}…"
        context["url"] = reverse("newsletter_feeds:inspect", args=[instance.pk])
        return context


class HealthColumn(BaseColumn):
    cell_template_name = "newsletter/admin/feed/state.html"

    def get_cell_context_data(self, instance: Feed, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["mark"] = mark(instance)
        return context


class MonthColumn(BaseColumn):
    """Needs feeds with `drawing` and `articles_lately`: see FeedIndexView.paginate_queryset."""

    cell_template_name = "newsletter/admin/feed/month.html"


class PollsColumn(BaseColumn):
    cell_template_name = "newsletter/admin/feed/polls.html"

    def get_cell_context_data(self, instance: Feed, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["last"], context["next"] = ago(instance), upcoming(instance)
        return context


class ActionsColumn(BaseColumn):
    """Buttons of the form around the list, so that each is one click."""

    cell_template_name = "newsletter/admin/feed/actions.html"


def ago(feed: Feed) -> str:
    at = feed.last_polled_at
    return moments.ago(at, now=timezone.now()) if at else _("not yet")


def upcoming(feed: Feed) -> str:
    if feed.state != Feed.State.ACTIVE or not feed.next_poll_at:
        return "–"
    return moments.until(feed.next_poll_at, now=timezone.now())


class FeedIndexView(generic.IndexView):
    template_name = "newsletter/admin/feed/index.html"
    results_template_name = "newsletter/admin/feed/results.html"
    filterset_class = FeedFilterSet
    table_classname = "listing desk-cards"

    @cached_property
    def may_change(self) -> bool:
        return bool(self.request.user.has_perm(MAY_CHANGE))

    def get_base_queryset(self) -> QuerySet:
        return with_health(Feed.objects.all(), now=timezone.now())

    def search_queryset(self, queryset: QuerySet) -> QuerySet:
        return found_by(queryset, self.search_query or "")

    def order_queryset(self, queryset: QuerySet) -> QuerySet:
        if self.ordering in ("severity", "-severity"):
            return queryset.order_by(self.ordering, "title", "pk")
        ordered: QuerySet = super().order_queryset(queryset)
        return ordered

    @cached_property
    def columns(self) -> list[BaseColumn]:
        columns: list[BaseColumn] = [
            FeedColumn("title", label=_("Feed"), sort_key="title"),
            HealthColumn("health", label=_("State"), sort_key="severity"),
            MonthColumn("month", label=_("Last 30 days")),
            PollsColumn("last_polled_at", label=_("Polls"), sort_key="last_polled_at"),
        ]
        if self.may_change:
            columns.insert(0, BulkActionsCheckboxColumn("bulk_actions", obj_type="feed"))
            columns.append(ActionsColumn("actions", label=_("Actions"), width="1%"))
        return columns

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, found, has_others = super().paginate_queryset(queryset, page_size)
        feeds = list(found)
        months = last_days([feed.pk for feed in feeds], now=timezone.now())
        for feed in feeds:
            feed.articles_lately = sum(day.articles for day in months[feed.pk])
            feed.drawing = sparkline(months[feed.pk])
        page.object_list = feeds
        return paginator, page, feeds, has_others

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons = [
            Button(
                _("Export as OPML"), url=reverse("newsletter_feeds:export"), icon_name="download"
            )
        ]
        if self.request.user.has_perm("newsletter.add_feed"):
            buttons.insert(
                0,
                Button(
                    _("Import from OPML"),
                    url=reverse("newsletter_feeds:import"),
                    icon_name="upload",
                ),
            )
        return [*super().header_more_buttons, *buttons]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        shown = self.request.GET.copy()
        shown.pop("_w_filter_fragment", None)
        context["here"] = f"{self.index_url}?{shown.urlencode()}" if shown else self.index_url
        context["may_change"] = self.may_change
        return context


def found_by(feeds: QuerySet, words: str) -> QuerySet:
    """Those whose name or address holds every word."""
    for word in words.split():
        feeds = feeds.filter(
            Q(title__icontains=word) | Q(url__icontains=word) | Q(site_url__icontains=word)
        )
    return feeds


def listed_feeds(request: HttpRequest) -> list[int]:
    """Every feed that the list shows at this address, on all its pages.

    Wagtail's own "select all in listing" forgets filters and search (wagtail#12853).
    """
    feeds = with_health(Feed.objects.all(), now=timezone.now())
    filters = FeedFilterSet(request.GET, request=request, queryset=feeds)
    if not filters.is_valid():
        return []
    found = filters.qs
    found = found_by(found, request.GET.get("q", ""))
    return list(found.order_by("severity", "title", "pk").values_list("pk", flat=True))
