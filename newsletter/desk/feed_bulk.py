"""Poll soon, pause and resume for every feed that is ticked, or that the filters show."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages

from newsletter.desk.bulk_action import ListBulkAction
from newsletter.desk.feed_list import MAY_CHANGE, listed_feeds
from newsletter.desk.feed_page import pause, resume
from newsletter.desk.poll_now import poll_soon
from newsletter.feeds.models import Feed


class FeedBulkAction(ListBulkAction):
    models = [Feed]
    template_name = "newsletter/admin/feed/bulk.html"
    permission = MAY_CHANGE
    index = "newsletter_feeds:index"
    nothing_selected = gettext_lazy("No feed is selected.")

    def listed(self) -> list[int]:
        return listed_feeds(self.request)

    def act(self, chosen: Sequence[int], form: forms.Form) -> None:
        messages.success(self.request, self.done(chosen))

    def done(self, feed_ids: Sequence[int]) -> str:
        """Does it, and says what was done."""
        raise NotImplementedError


class PollFeeds(FeedBulkAction):
    display_name = gettext_lazy("Poll")
    action_type = "poll"
    aria_label = gettext_lazy("Poll the selected feeds")
    action_priority = 10
    question = gettext_lazy("Poll them now? Those that are paused are left alone.")
    yes = gettext_lazy("Yes, poll")

    def done(self, feed_ids: Sequence[int]) -> str:
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

    def done(self, feed_ids: Sequence[int]) -> str:
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

    def done(self, feed_ids: Sequence[int]) -> str:
        count = resume(feed_ids)
        said = ngettext(
            "%(count)d feed is polled again.", "%(count)d feeds are polled again.", count
        )
        return said % {"count": count}
