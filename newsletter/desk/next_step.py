"""The one thing to do first: the home page's card says it, and an empty inbox leads on to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.desk.approval import (
    awaits_moderators,
    first_approver,
    has_approved,
    may_approve,
    name_of,
    waiting_for_a_second,
)
from newsletter.desk.sentences import moment_in_words
from newsletter.desk.triage import MAY_TRIAGE
from newsletter.digests.models import Digest

COUNT_UP_TO = 1000  # "1,000+": nobody needs the number beyond


@dataclass(frozen=True)
class Next:
    """One sentence, and the button that goes there."""

    sentence: str
    label: str
    url: str


def inbox_url() -> str:
    return f"{reverse('newsletter_articles:index')}?state=new"


def next_draft() -> Digest | None:
    """The first to go of those that are not approved."""
    return _drafts().first()


def draft_for(user: AbstractUser) -> Digest | None:
    """The first of them that waits for this person too: not where only another's word is wanted."""
    waiting = (
        draft
        for draft in _drafts()[:10]
        if not has_approved(user, draft) and not awaits_moderators(user, draft)
    )
    return next(waiting, None)


def _drafts() -> QuerySet[Digest]:
    drafts = Digest.objects.filter(
        status__in=[Digest.Status.DRAFT, Digest.Status.HELD], approved_at__isnull=True
    )
    return drafts.select_related("newsletter", "first_approved_by").order_by("slot")


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
        return _check(user, draft, now)
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


def _check(user: AbstractUser, draft: Digest, now: datetime) -> Next:
    label = (
        _("Check and approve %(digest)s")
        if may_approve(user, draft)
        else _("Check %(digest)s and propose it")
    )
    url = reverse("newsletter_digests:edit", args=[draft.pk])
    return Next(_standing(draft, now), label % {"digest": draft}, url)


def _standing(draft: Digest, now: datetime) -> str:
    """Whose word is wanted, and until when."""
    if first := first_approver(draft):
        said = _("%(name)s approved %(digest)s. A second person has to approve it too.")
        return said % {"name": name_of(first), "digest": draft}
    if draft.slot <= now:
        said = _("%(digest)s goes out as soon as it is approved.") % {"digest": draft}
    else:
        said = _(
            "%(digest)s is composed and should go out on %(when)s: somebody has to approve it."
        ) % {"digest": draft, "when": moment_in_words(draft.slot, draft.newsletter)}
    return f"{said} {waiting_for_a_second(draft)}".strip()
