"""Which articles a filter and a search find: one answer for the inbox and for its bulk actions."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet

from newsletter.articles.models import Article
from newsletter.articles.searching import complete, ids_of, search
from newsletter.feeds.models import Feed
from newsletter.themes.models import Theme, ThemeAssignment

LATEST_FIRST = ("-listed_at", "-id")


class ArticleFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=Article.State.choices,
        method="in_state",
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    feed = django_filters.ModelChoiceFilter(
        label=_("Feed"), queryset=Feed.objects.all(), empty_label=_("All")
    )
    theme = django_filters.ModelChoiceFilter(
        label=_("Theme"),
        queryset=Theme.objects.active(),
        method="with_theme",
        empty_label=_("All"),
    )
    language = django_filters.ChoiceFilter(
        label=_("Language"),
        choices=[("it", _("Italian")), ("en", _("English"))],
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    arrived_at = django_filters.DateFromToRangeFilter(
        label=_("Arrived"), widget=DateRangePickerWidget
    )

    class Meta:
        model = Article
        fields: list[str] = []

    def in_state(self, articles: Any, name: str, state: str) -> QuerySet:
        if state == Article.State.NEW:
            return articles.to_triage()
        return articles.filter(state=state)

    def with_theme(self, articles: QuerySet, name: str, theme: Theme) -> QuerySet:
        standing = ThemeAssignment.objects.standing().filter(theme=theme)
        return articles.filter(pk__in=standing.values("article_id"))


def found_by(articles: Any, words: str) -> Any:
    """The articles among these that the search finds, latest first; relevance order would sort
    every match of 100,000 articles.
    """
    whole, begun = _searches(articles, words)
    return whole if whole.count() else begun


def shown_ids(articles: Any, words: str) -> list[int]:
    """Of the articles among these, every row of the list, latest first: what the search finds, or
    without words all of them, a story as one, by the first that told it.
    """
    if words:
        # All ids at once: to count them and then to sort them anew for a page takes twice as long.
        whole, begun = _searches(articles, words)
        return ids_of(whole) or ids_of(begun)
    rows = articles.one_per_story().order_by(*LATEST_FIRST)
    return list(rows.values_list("pk", flat=True))


def _searches(articles: Any, words: str) -> tuple[Any, Any]:
    """By whole words, and for when nothing has these: while somebody types, titles with words that
    begin so.

    The search backend filters by indexed fields only, so the filters' outcome goes in as ids.
    """
    among = Article.objects.filter(id__in=articles.order_by().values("id")).order_by(*LATEST_FIRST)
    return search(among, words), complete(among, words)


def listed_ids(request: HttpRequest) -> list[int]:
    """Every article that the inbox shows at this address, on all its pages, latest first.

    Wagtail's own "select all in listing" forgets filters and search (wagtail#12853).
    """
    filters = ArticleFilterSet(request.GET, request=request, queryset=Article.objects.all())
    if not filters.is_valid():
        return []
    return shown_ids(filters.qs, request.GET.get("q", "").strip())


def with_suggestions(article_ids: list[int]) -> list[int]:
    """Those of these that have at least one theme, in the same order."""
    tagged = {
        pk
        for start in range(0, len(article_ids), 10_000)
        for pk in ThemeAssignment.objects.standing()
        .filter(article__in=article_ids[start : start + 10_000])
        .order_by()
        .values_list("article_id", flat=True)
    }
    return [pk for pk in article_ids if pk in tagged]


def with_themes(articles: QuerySet) -> QuerySet:
    """Brings each article's feed and standing themes (as `chosen`) in two queries more."""
    standing = ThemeAssignment.objects.standing().select_related("theme")
    return articles.select_related("feed").prefetch_related(
        Prefetch("assignments", queryset=standing, to_attr="chosen")
    )
