"""A feed's older posts: asked for here, fetched in the background."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin import messages

from newsletter.articles.backfill import begin, stop
from newsletter.feeds.models import Backfill, Feed
from newsletter.signals import errands_wanted


def older_posts(feed: Feed) -> dict[str, Any]:
    """What the feed's page says of them."""
    run = Backfill.objects.filter(feed=feed).first()
    return {
        "run": run,
        "running": run is not None and run.state == Backfill.State.RUNNING,
        "unfinished": run is not None
        and run.state in (Backfill.State.STOPPED, Backfill.State.FAILED),
    }


def fetch_older(request: HttpRequest, feed: Feed) -> HttpResponse:
    now = timezone.now()
    begin(feed, now=now)
    errands_wanted.send_robust(sender=Feed)
    messages.success(request, _("The older posts come in the background, page by page."))
    return redirect("newsletter_feeds:inspect", feed.pk)


def stop_fetching(request: HttpRequest, feed: Feed) -> HttpResponse:
    stop(feed, now=timezone.now())
    messages.success(request, _("Stopped. What has come is kept, and it can go on from there."))
    return redirect("newsletter_feeds:inspect", feed.pk)
