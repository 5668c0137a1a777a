"""The card on the admin's first page: what there is to do in twenty minutes a week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from newsletter import conf
from newsletter.articles.models import Article
from newsletter.desk.alarms import send_alarms
from newsletter.desk.feed_list import ANY_PROBLEM, mark
from newsletter.desk.inbox import MAY_TRIAGE
from newsletter.desk.sentences import moment_in_words
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.schedule import next_slot
from newsletter.feeds.health import troubled

COUNT_UP_TO = 1000  # "1,000+": nobody needs the number beyond


@dataclass(frozen=True)
class Next:
    """One sentence, and the button that goes there."""

    sentence: str
    label: str
    url: str


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


class TwentyMinutesPanel(Component):
    name = "newsletter_twenty_minutes"
    template_name = "newsletter/admin/home.html"
    order = 50

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        user: AbstractUser = parent_context["request"].user
        to_triage = Article.objects.to_triage().one_per_story()[: COUNT_UP_TO + 1].count()
        drafts = Digest.objects.filter(
            status__in=[Digest.Status.DRAFT, Digest.Status.HELD], approved_at__isnull=True
        )
        draft = drafts.select_related("newsletter").order_by("slot").first()
        broken = troubled(now=now)
        return {
            "to_triage": to_triage,
            "more_than": COUNT_UP_TO if to_triage > COUNT_UP_TO else 0,
            "coming": coming(draft, now=now),
            "broken": [(feed, mark(feed)) for feed in broken[:3]],
            "broken_count": broken.count(),
            "alarms": send_alarms(now=now),
            "next": next_action(user, to_triage, draft, now=now),
            "broken_url": f"{reverse('newsletter_feeds:index')}?health={ANY_PROBLEM}",
            "inbox_url": inbox_url(),
            "now": now,
        }

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        user = parent_context["request"].user if parent_context else None
        if not user or not user.has_perm("newsletter.view_article"):
            return ""
        html: str = super().render_html(parent_context)
        return html


def inbox_url() -> str:
    return f"{reverse('newsletter_articles:index')}?state=new"


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


def next_action(
    user: AbstractUser, to_triage: int, draft: Digest | None, *, now: datetime
) -> Next | None:
    """The one thing to do first: triage feeds the draft, unless the draft's time is near."""
    may_edit = user.has_perm("newsletter.change_digest")
    if draft and may_edit and draft.status == Digest.Status.HELD:
        return Next(
            _("%(digest)s is held. %(reason)s") % {"digest": draft, "reason": draft.status_reason},
            _("Look at %(digest)s, which is held") % {"digest": draft},
            reverse("newsletter_digests:overview", args=[draft.pk]),
        )
    near = draft is not None and draft.slot < now + timedelta(hours=conf.get("REMIND_HOURS"))
    if draft and may_edit and (near or not to_triage or not user.has_perm(MAY_TRIAGE)):
        return _check(user, draft)
    if to_triage and user.has_perm(MAY_TRIAGE):
        count = {"count": min(to_triage, COUNT_UP_TO)}
        return Next(
            ngettext(
                "%(count)d article waits for a yes or a no: one key or one tap.",
                "%(count)d articles wait for a yes or a no: one key or one tap each.",
                to_triage,
            )
            % count,
            ngettext("Look through %(count)d article", "Look through %(count)d articles", to_triage)
            % count,
            inbox_url(),
        )
    return None


def _check(user: AbstractUser, draft: Digest) -> Next:
    when = {"digest": draft, "when": moment_in_words(draft.slot, draft.newsletter)}
    label = (
        _("Check and approve %(digest)s")
        if user.has_perm("newsletter.publish_digest")
        else _("Check %(digest)s and propose it")
    )
    return Next(
        _("%(digest)s is composed and should go out on %(when)s: somebody has to approve it.")
        % when,
        label % {"digest": draft},
        reverse("newsletter_digests:edit", args=[draft.pk]),
    )
