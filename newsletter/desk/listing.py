"""Which articles a filter and a search find: one answer for the inbox and for its bulk actions."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.search.backends import get_search_backend

from newsletter.articles.models import Article
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
    every match of 100,000 articles. Without words, all of them: a story as one, by the first that
    told it.

    The search backend filters by indexed fields only, so the filters' outcome goes in as ids.
    """
    if not words:
        return articles.one_per_story()
    among = Article.objects.filter(id__in=articles.order_by().values("id")).order_by(*LATEST_FIRST)
    backend = get_search_backend()
    matches = backend.search(words, among, order_by_relevance=False)
    if matches.count():
        return matches
    # Nothing has these whole words: while somebody types, titles with words that begin so.
    return backend.autocomplete(words, among, order_by_relevance=False)


def listed_ids(request: HttpRequest) -> list[int]:
    """Every article that the inbox shows at this address, on all its pages, latest first.

    Wagtail's own "select all in listing" forgets filters and search (wagtail#12853).
    """
    filters = ArticleFilterSet(request.GET, request=request, queryset=Article.objects.all())
    if not filters.is_valid():
        return []
    words = request.GET.get("q", "").strip()
    if words:
        return [article.pk for article in found_by(filters.qs, words)]
    rows = found_by(filters.qs, "")
    return list(rows.order_by(*LATEST_FIRST).values_list("pk", flat=True))


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
