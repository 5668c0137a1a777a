"""A feed's page: facts, what is wrong and what to do, a month in drawings, its fetches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.db.models.functions import Least
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.admin.views import generic

from newsletter.articles.models import Article, Sighting
from newsletter.desk.feed_list import MAY_CHANGE, ago, mark, upcoming
from newsletter.desk.older_posts import fetch_older, older_posts, stop_fetching
from newsletter.desk.page_texts import page_texts, switch
from newsletter.desk.plots import answer_times, in_words, last_days, sparkline
from newsletter.desk.poll_now import ASKED, asked, poll_now
from newsletter.feeds.health import with_health
from newsletter.feeds.models import Feed

HISTORY = 30
LATEST = 5
NEIGHBOURS = 10


@dataclass(frozen=True)
class Neighbour:
    """Another feed that carries some of the same articles."""

    feed_id: int
    name: str
    shared: int


class FeedPage(generic.InspectView):
    template_name = "newsletter/admin/feed/inspect.html"
    live_template_name = "newsletter/admin/feed/live.html"
    page_title = gettext_lazy("Feed")

    @property
    def is_refreshing(self) -> bool:
        """The page asks for what changes while somebody waits for it."""
        return "live" in self.request.GET

    def get_template_names(self) -> list[str]:
        return [self.live_template_name if self.is_refreshing else self.template_name]

    def going_on(self) -> dict[str, Any]:
        """What a worker does for this feed just now; `live` names the state it is in."""
        waited_for = asked(self.object, self.request.GET.get(ASKED, ""), now=timezone.now())
        older = older_posts(self.object)
        waiting = waited_for is not None and waited_for.waiting
        return {
            "asked": waited_for,
            "older": older,
            "live_now": waiting or older["running"],
            "live": f"{'waiting' if waiting else ''} {older['run'].state if older['run'] else ''}",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs) | self.going_on()
        if self.is_refreshing:
            return context
        now = timezone.now()
        feed = with_health(Feed.objects.all(), now=now).get(pk=self.object.pk)
        fetches = list(feed.fetches.all()[:HISTORY])
        month = last_days([feed.pk], now=now)[feed.pk]
        seen = Article.objects.filter(sightings__feed=feed)
        latest = seen.only("pk", "title", "editor_title", "state", "arrived_at")
        return context | {
            "feed": feed,
            "mark": mark(feed),
            "last": ago(feed),
            "next": upcoming(feed),
            "twin": Feed.objects.filter(url=feed.moved_to).first() if feed.moved_to else None,
            "fetches": fetches,
            "month": sparkline(month, width=480, height=96),
            "month_words": in_words(month),
            "days": month,
            "answer_times": answer_times(fetches[::-1]) if fetches else "",
            "latest": latest.order_by("-listed_at", "-pk")[:LATEST],
            "seen": seen.count(),
            "articles": feed.articles.count(),
            "neighbours": neighbours(feed),
            "hub": feed.hub_subscriptions.order_by("-pk").first(),
            "page_texts": page_texts(feed),
            "may_change": self.request.user.has_perm(MAY_CHANGE),
        }

    def get_fields(self) -> list[str]:
        return []


def neighbours(feed: Feed) -> list[Neighbour]:
    """The feeds that carry the same articles, those with most of them first."""
    elsewhere = Sighting.objects.filter(article__sightings__feed=feed).exclude(feed=feed)
    counted = elsewhere.order_by().values("feed", "feed__title", "feed__url")
    return [
        Neighbour(row["feed"], row["feed__title"] or row["feed__url"], row["shared"])
        for row in counted.annotate(shared=Count("pk")).order_by("-shared", "feed")[:NEIGHBOURS]
    ]


def feed_for_change(request: HttpRequest, pk: int) -> Feed:
    if not request.user.has_perm(MAY_CHANGE):
        raise PermissionDenied
    return get_object_or_404(Feed, pk=pk)


def back(request: HttpRequest, feed: Feed) -> HttpResponse:
    """To the list when the button was pressed there, else to the feed's page."""
    return redirect(
        get_valid_next_url_from_request(request)
        or reverse("newsletter_feeds:inspect", args=[feed.pk])
    )


@require_POST
def poll_view(request: HttpRequest, pk: int) -> HttpResponse:
    return poll_now(request, feed_for_change(request, pk))


@require_POST
def pause_view(request: HttpRequest, pk: int) -> HttpResponse:
    feed = feed_for_change(request, pk)
    pause([feed.pk])
    messages.success(request, _("“%(feed)s” is paused: nothing is fetched.") % {"feed": feed})
    return back(request, feed)


@require_POST
def resume_view(request: HttpRequest, pk: int) -> HttpResponse:
    feed = feed_for_change(request, pk)
    resume([feed.pk])
    messages.success(
        request, _("“%(feed)s” is polled again, the first time in a moment.") % {"feed": feed}
    )
    return back(request, feed)


@require_POST
def page_text_view(request: HttpRequest, pk: int) -> HttpResponse:
    return switch(request, feed_for_change(request, pk))


@require_POST
def older_view(request: HttpRequest, pk: int) -> HttpResponse:
    return fetch_older(request, feed_for_change(request, pk))


@require_POST
def stop_older_view(request: HttpRequest, pk: int) -> HttpResponse:
    return stop_fetching(request, feed_for_change(request, pk))


def pause(feed_ids: Sequence[int]) -> int:
    return Feed.objects.filter(pk__in=feed_ids).update(state=Feed.State.PAUSED)


def resume(feed_ids: Sequence[int]) -> int:
    """Also what had stopped, or what its publisher removed: perhaps it is back."""
    return Feed.objects.filter(pk__in=feed_ids).update(
        # One failure stays: until a fetch succeeds it does not count as working.
        state=Feed.State.ACTIVE,
        failures=Least("failures", 1),
        next_poll_at=timezone.now(),
    )
