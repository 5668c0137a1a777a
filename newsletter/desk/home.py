"""The admin's first page: the one thing to do first, and a card with how things stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from wagtail.admin.site_summary import SummaryItem
from wagtail.admin.ui.components import Component

from newsletter.articles.models import Article
from newsletter.desk.alarms import send_alarms
from newsletter.desk.feed_list import ANY_PROBLEM, mark
from newsletter.desk.next_step import (
    COUNT_UP_TO,
    draft_for,
    inbox_url,
    next_action,
    next_draft,
)
from newsletter.desk.sentences import moment_in_words
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.schedule import next_slot
from newsletter.feeds.health import troubled

MAY_SEE = "newsletter.view_article"


@dataclass(frozen=True)
class Coming:
    """The next issue that somebody will get, with the moment it goes."""

    name: str
    at: datetime
    words: str
    digest: Digest | None  # None while its draft has not composed itself

    @property
    def unapproved(self) -> bool:
        return self.digest is not None and not self.digest.is_frozen


class NextStepItem(SummaryItem):
    """The one thing to do first, above Wagtail's own numbers and search: on a phone these fill the
    first screen.
    """

    order = 0
    template_name = "newsletter/admin/home_next.html"

    def is_shown(self) -> bool:
        return bool(self.request.user.has_perm(MAY_SEE))

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        now, user = timezone.now(), self.request.user
        return {
            "next": next_action(user, waiting_in_the_inbox(), draft_for(user), now=now),
            "coming": coming(next_draft(), now=now),
        }


class TwentyMinutesPanel(Component):
    name = "newsletter_twenty_minutes"
    template_name = "newsletter/admin/home.html"
    order = 50

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        to_triage = waiting_in_the_inbox()
        draft = next_draft()
        broken = troubled(now=now)
        return {
            "to_triage": to_triage,
            "more_than": COUNT_UP_TO if to_triage > COUNT_UP_TO else 0,
            "coming": coming(draft, now=now),
            "broken": [(feed, mark(feed)) for feed in broken[:3]],
            "broken_count": broken.count(),
            "alarms": send_alarms(now=now),
            "broken_url": f"{reverse('newsletter_feeds:index')}?health={ANY_PROBLEM}",
            "inbox_url": inbox_url(),
            "now": now,
        }

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        user = parent_context["request"].user if parent_context else None
        if not user or not user.has_perm(MAY_SEE):
            return ""
        html: str = super().render_html(parent_context)
        return html


def waiting_in_the_inbox() -> int:
    """Rows, not articles; COUNT_UP_TO + 1 when there are more."""
    return Article.objects.to_triage().one_per_story()[: COUNT_UP_TO + 1].count()


def coming(draft: Digest | None, *, now: datetime) -> Coming | None:
    """What is going out or will go next, else the next slot that a draft will be made for."""
    going = (
        Digest.objects.filter(status__in=[Digest.Status.SENDING, Digest.Status.APPROVED])
        .select_related("newsletter")
        .defer("content")
        .order_by("slot")
        .first()
    )
    if digest := going or draft:
        words = moment_in_words(digest.slot, digest.newsletter)
        return Coming(str(digest), digest.slot, words, digest)
    slots = [
        (slot, newsletter)
        for newsletter in Newsletter.objects.filter(is_active=True)
        if (slot := next_slot(newsletter, now))
    ]
    if not slots:
        return None
    slot, newsletter = min(slots, key=lambda one: one[0])
    return Coming(newsletter.name, slot, moment_in_words(slot, newsletter), None)
