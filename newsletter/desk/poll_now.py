"""“Poll now”: handed to a worker, and what came told where somebody waits for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail.admin.utils import get_valid_next_url_from_request

from newsletter.desk.asked import Asked, nothing_came
from newsletter.feeds.models import WANTED, Feed, FetchRecord
from newsletter.signals import poll_wanted

# In the address of a feed's page: its latest exchange when somebody asked for another.
ASKED = "since"


def asked(feed: Feed, since: str, *, now: datetime) -> Asked | None:
    """None when nobody asked. A poll that nobody could make is not waited for for ever."""
    came = _came(feed, since)
    if came is None:
        if feed.poll_wanted_at is None:
            return None
        return Asked() if feed.poll_wanted_at > now - WANTED else nothing_came(WANTED)
    if came.outcome == FetchRecord.Outcome.FAILED:
        return Asked(f"{feed}: {came.error}", failed=True)
    if not came.articles_new:
        return Asked(_("“%(feed)s” is polled: nothing new.") % {"feed": feed})
    said = ngettext(
        "“%(feed)s” is polled: %(count)d new article.",
        "“%(feed)s” is polled: %(count)d new articles.",
        came.articles_new,
    )
    return Asked(said % {"feed": feed, "count": came.articles_new})


def _came(feed: Feed, since: str) -> FetchRecord | None:
    if not re.fullmatch(r"[0-9]{1,18}", since):
        return None
    return feed.fetches.filter(pk__gt=int(since)).order_by("pk").first()


def poll_now(request: HttpRequest, feed: Feed) -> HttpResponse:
    latest = feed.fetches.aggregate(latest=Max("pk"))["latest"] or 0
    # What had stopped goes on; what somebody paused is fetched this once.
    poll_soon([feed.pk])
    Feed.objects.filter(pk=feed.pk).update(poll_wanted_at=timezone.now())
    poll_wanted.send_robust(sender=Feed, feed_id=feed.pk)
    page = f"{reverse('newsletter_feeds:inspect', args=[feed.pk])}?{ASKED}={latest}"
    back = get_valid_next_url_from_request(request)
    if not back:
        return redirect(page)
    messages.info(
        request,
        _("“%(feed)s” is being polled in the background.") % {"feed": feed},
        buttons=[messages.button(page, _("See what comes"))],
    )
    return redirect(back)


def poll_soon(feed_ids: Sequence[int]) -> int:
    """At the next tick, by a worker; what is paused stays so."""
    return (
        Feed.objects.filter(pk__in=feed_ids)
        .exclude(state=Feed.State.PAUSED)
        .update(state=Feed.State.ACTIVE, next_poll_at=timezone.now())
    )
