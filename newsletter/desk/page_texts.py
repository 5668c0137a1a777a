"""The texts of posts' own pages: how many came, which did not and why, and the offer to begin."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.admin import messages

from newsletter.articles.models import PageText
from newsletter.feeds.models import Feed

FAILURES_SHOWN = 5


def page_texts(feed: Feed) -> dict[str, Any]:
    """What the feed's page says of them."""
    on = feed.page_text == Feed.PageText.EXCERPTS
    texts = PageText.objects.filter(article__feed=feed)
    counts = dict(texts.order_by().values_list("state").annotate(Count("pk")))
    given_up = texts.filter(state=PageText.State.FAILED).select_related("article")
    return {
        "on": on,
        "offered": feed.gives_excerpts and not on,
        "counts": [
            (label, counts[state]) for state, label in PageText.State.choices if state in counts
        ],
        "given_up": given_up.order_by("-pk")[:FAILURES_SHOWN],
    }


def switch(request: HttpRequest, feed: Feed) -> HttpResponse:
    on = request.POST.get("page_text") == Feed.PageText.EXCERPTS
    feed.page_text = Feed.PageText.EXCERPTS if on else Feed.PageText.OFF
    feed.save(update_fields=["page_text"])
    if on:
        said = _("From now on the text of new posts comes from their own pages.")
    else:
        said = _("The posts' own pages are not fetched any more.")
    messages.success(request, said)
    return redirect("newsletter_feeds:inspect", feed.pk)
