"""Poll soon, pause and resume for every feed that is ticked, or that the filters show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.bulk_action import BulkAction

from newsletter.desk.feed_list import MAY_CHANGE, listed_feeds
from newsletter.desk.feed_page import pause, poll_soon, resume
from newsletter.feeds.models import Feed

EXAMPLES = 10  # names shown on the page that asks


class FeedBulkAction(BulkAction):
    models = [Feed]
    template_name = "newsletter/admin/feed/bulk.html"
    question: Any = ""
    yes: Any = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(MAY_CHANGE):
            raise PermissionDenied
        if not self.feed_ids:
            messages.warning(request, _("No feed is selected."))
            return redirect(self.back)
        return super().dispatch(request, *args, **kwargs)

    @property
    def back(self) -> str:
        # Without a page to go back to, Wagtail names this one: a redirect without end.
        here = self.next_url in {"", self.request.path}
        return reverse("newsletter_feeds:index") if here else str(self.next_url)

    @cached_property
    def feed_ids(self) -> list[int]:
        """What is ticked, or all that filters and search show."""
        ticked = self.request.GET.getlist("id")
        if "all" in ticked:
            return self.get_all_objects_in_listing_query(None)
        return [int(pk) for pk in ticked if pk.isdecimal()]

    def get_all_objects_in_listing_query(self, parent_id: Any) -> list[int]:
        return listed_feeds(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = FormView.get_context_data(self, **kwargs)
        context.update(
            question=self.question,
            yes=self.yes,
            count=len(self.feed_ids),
            examples=Feed.objects.filter(pk__in=self.feed_ids[:EXAMPLES]),
            more=max(len(self.feed_ids) - EXAMPLES, 0),
            next=self.back,
            submit_url=f"{self.request.path}?{self.request.META['QUERY_STRING']}",
        )
        return context

    def form_valid(self, form: forms.Form) -> HttpResponse:
        messages.success(self.request, self.act(self.feed_ids))
        return redirect(self.back)

    def act(self, feed_ids: list[int]) -> str:
        raise NotImplementedError


class PollFeeds(FeedBulkAction):
    display_name = gettext_lazy("Poll")
    action_type = "poll"
    aria_label = gettext_lazy("Poll the selected feeds")
    action_priority = 10
    question = gettext_lazy("Poll them now? Those that are paused are left alone.")
    yes = gettext_lazy("Yes, poll")

    def act(self, feed_ids: list[int]) -> str:
        count = poll_soon(feed_ids)
        said = ngettext(
            "%(count)d feed is polled in a moment.",
            "%(count)d feeds are polled one after the other.",
            count,
        )
        return said % {"count": count}


class PauseFeeds(FeedBulkAction):
    display_name = gettext_lazy("Pause")
    action_type = "pause"
    aria_label = gettext_lazy("Pause the selected feeds")
    action_priority = 20
    question = gettext_lazy("Pause them? Nothing is fetched until somebody resumes them.")
    yes = gettext_lazy("Yes, pause")

    def act(self, feed_ids: list[int]) -> str:
        count = pause(feed_ids)
        said = ngettext("%(count)d feed is paused.", "%(count)d feeds are paused.", count)
        return said % {"count": count}


class ResumeFeeds(FeedBulkAction):
    display_name = gettext_lazy("Resume")
    action_type = "resume"
    aria_label = gettext_lazy("Resume the selected feeds")
    action_priority = 30
    question = gettext_lazy("Poll them again, also those that had stopped?")
    yes = gettext_lazy("Yes, resume")

    def act(self, feed_ids: list[int]) -> str:
        count = resume(feed_ids)
        said = ngettext(
            "%(count)d feed is polled again.", "%(count)d feeds are polled again.", count
        )
        return said % {"count": count}
