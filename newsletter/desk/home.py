"""The card on the admin's first page: what there is to do in twenty minutes a week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from newsletter.articles.models import Article
from newsletter.delivery.models import Delivery
from newsletter.desk.feed_list import ANY_PROBLEM, mark
from newsletter.desk.inbox import MAY_TRIAGE
from newsletter.digests.models import Digest
from newsletter.feeds.health import troubled

COUNT_UP_TO = 1000  # "1,000+": nobody needs the number beyond


@dataclass(frozen=True)
class Next:
    label: str
    url: str


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
        coming = Digest.objects.filter(
            Q(status=Digest.Status.SENDING) | Q(status=Digest.Status.APPROVED)
        )
        going = coming.select_related("newsletter").defer("content").order_by("slot").first()
        broken = troubled(now=now)
        unsure = Digest.objects.filter(
            status=Digest.Status.SENDING, deliveries__state=Delivery.State.UNCERTAIN
        ).distinct()
        return {
            "to_triage": to_triage,
            "more_than": COUNT_UP_TO if to_triage > COUNT_UP_TO else 0,
            "draft": draft,
            "going": going,
            "upcoming": going or draft,
            "broken": [(feed, mark(feed)) for feed in broken[:3]],
            "broken_count": broken.count(),
            "unsure": list(unsure[:3]),
            "held": draft is not None and draft.status == Digest.Status.HELD,
            "next": next_action(user, to_triage, draft),
            "broken_url": f"{reverse('newsletter_feeds:index')}?health={ANY_PROBLEM}",
            "inbox_url": f"{reverse('newsletter_articles:index')}?state=new",
            "now": now,
        }

    def render_html(self, parent_context: Mapping[str, Any] | None = None) -> str:
        user = parent_context["request"].user if parent_context else None
        if not user or not user.has_perm("newsletter.view_article"):
            return ""
        html: str = super().render_html(parent_context)
        return html


def next_action(user: AbstractUser, to_triage: int, draft: Digest | None) -> Next | None:
    """The one thing to do first: triage feeds the draft, so it comes before approving."""
    if draft and draft.status == Digest.Status.HELD and user.has_perm("newsletter.change_digest"):
        return Next(
            _("Look at %(digest)s, which is held") % {"digest": draft},
            reverse("newsletter_digests:overview", args=[draft.pk]),
        )
    if to_triage and user.has_perm(MAY_TRIAGE):
        return Next(
            ngettext("Look through %(count)d article", "Look through %(count)d articles", to_triage)
            % {"count": min(to_triage, COUNT_UP_TO)},
            f"{reverse('newsletter_articles:index')}?state=new",
        )
    if draft and user.has_perm("newsletter.change_digest"):
        label = (
            _("Check and approve %(digest)s")
            if user.has_perm("newsletter.publish_digest")
            else _("Check %(digest)s and propose it")
        )
        return Next(label % {"digest": draft}, reverse("newsletter_digests:edit", args=[draft.pk]))
    return None
