"""How a feed is doing, in one word, and what an editor can do about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.feeds.models import Feed
from newsletter.feeds.polling import MOVES_TO_BELIEVE

# One bad fetch, or a server that is restarted, is no news (rss2email#195).
PATIENCE = timedelta(hours=24)
FAILURES_TO_TELL = 3


class Health(models.TextChoices):
    """Worst first: lists are sorted by it."""

    GONE = "gone", gettext_lazy("Removed by its publisher")
    STOPPED = "stopped", gettext_lazy("Stopped")
    SILENT = "silent", gettext_lazy("Not answering")
    MOVED = "moved", gettext_lazy("Moved")
    SHAKY = "shaky", gettext_lazy("Failed just now")
    WAITING = "waiting", gettext_lazy("Not fetched yet")
    WORKING = "working", gettext_lazy("Working")
    PAUSED = "paused", gettext_lazy("Paused")


# What somebody should look at; a feed that failed just now is tried again by itself.
PROBLEMS = (Health.GONE, Health.STOPPED, Health.SILENT, Health.MOVED)


def with_health(feeds: QuerySet[Feed], *, now: datetime) -> QuerySet[Any]:
    """Each feed with `health` and `severity`, its place in the order of the worst."""
    since = now - PATIENCE
    long_ago = Q(last_success_at__lt=since) | Q(last_success_at__isnull=True, created_at__lt=since)
    # Permanent redirects are followed (feeds.polling), but not to where we are polling already.
    twin = Feed.objects.filter(url=OuterRef("moved_to")).exclude(pk=OuterRef("pk"))
    rules: list[tuple[Any, Health]] = [
        (Q(state=Feed.State.PAUSED), Health.PAUSED),
        (Q(state=Feed.State.GONE), Health.GONE),
        (Q(state=Feed.State.FAILING), Health.STOPPED),
        (Q(failures__gte=FAILURES_TO_TELL) & long_ago, Health.SILENT),
        (Q(failures__gt=0), Health.SHAKY),
        (Q(moved_seen__gte=MOVES_TO_BELIEVE) & Exists(twin), Health.MOVED),
        (Q(last_polled_at__isnull=True), Health.WAITING),
    ]
    places = {health: place for place, health in enumerate(Health)}
    return feeds.annotate(
        health=Case(
            *(When(rule, then=Value(health.value)) for rule, health in rules),
            default=Value(Health.WORKING.value),
            output_field=models.CharField(),
        ),
        severity=Case(
            *(When(rule, then=Value(places[health])) for rule, health in rules),
            default=Value(places[Health.WORKING]),
            output_field=models.IntegerField(),
        ),
    )


def troubled(*, now: datetime) -> QuerySet[Any]:
    """The feeds that somebody should look at, worst first."""
    found = with_health(Feed.objects.all(), now=now)
    return found.filter(health__in=PROBLEMS).order_by("severity", "title", "pk")


def what_to_do(health: str, error_code: str) -> str:
    """One plain sentence for an editor; empty when there is nothing to do."""
    match health:
        case Health.GONE:
            return _("Delete this feed, or give it the blog's new address.")
        case Health.MOVED:
            return _("Its new address is in your list already: delete this one, or pause it.")
        case Health.PAUSED:
            return _("Resume it to have its posts again.")
        case Health.STOPPED | Health.SILENT | Health.SHAKY:
            return f"{_advice(error_code)} {_afterwards(health)}".strip()
        case _other:
            return ""


def _advice(code: str) -> str:
    match code:
        case "http_401" | "http_403":
            return _("Ask the publisher to let this reader through.")
        case "http_404" | "web_page" | "not_a_feed" | "empty" | "comment_feed" | "no_such_host":
            return _("Open the blog, look for its feed and change the address here.")
        case "bad_address" | "too_many_redirects":
            return _("Correct the address in the settings of this feed.")
        case "private_address":
            return _("Ask whoever runs this site to allow that server.")
        case "tls":
            return _("Tell the publisher that the certificate of the site is not valid.")
        case "too_large" | "unknown_encoding":
            return _("Look for another feed of the same blog, such as that of a category.")
        case _other:
            return ""


def _afterwards(health: str) -> str:
    if health == Health.STOPPED:
        return _("Then resume it: it is no longer tried by itself.")
    if health == Health.SILENT:
        return _("It goes on being tried by itself; if the blog has closed, pause it.")
    return _("Nothing to do yet: it is tried again by itself.")
