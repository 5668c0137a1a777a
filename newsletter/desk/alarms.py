"""What is wrong with the sending, each with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.delivery.bounces.models import Bounce, MailboxLook
from newsletter.delivery.models import Delivery
from newsletter.delivery.pulse import TICK, last_pulses
from newsletter.desk.moments import ago, length
from newsletter.digests.models import Digest

# A tick comes every minute: what is so late has nobody to send it.
LATE = timedelta(minutes=10)
# Older failures have been seen, or have lost their interest.
RECENT = timedelta(days=7)
MOST = 5
# A mailbox that is away for a moment is nobody's trouble.
UNREAD = timedelta(hours=1)
KINDS = ("clock", "late", "paused", "refused", "mailbox", "uncertain", "failed")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Alarm:
    kind: str  # one of KINDS, for machines
    digest: Digest | None  # None: it is about no digest in particular
    what: str
    advice: str


def send_alarms(*, now: datetime) -> list[Alarm]:
    """The most pressing ones, first things first."""
    return every_alarm(now=now)[:MOST]


def every_alarm(*, now: datetime) -> list[Alarm]:
    open_ones = Q(status__in=[Digest.Status.APPROVED, Digest.Status.SENDING])
    recent = Q(status=Digest.Status.SENT, slot__gt=now - RECENT)
    digests = list(
        Digest.objects.filter(open_ones | recent)
        .select_related("newsletter")
        .defer("content")
        .order_by("slot")
    )
    bad = {
        (digest_id, state): count
        for digest_id, state, count in Delivery.objects.filter(
            digest__in=digests, state__in=[Delivery.State.UNCERTAIN, Delivery.State.FAILED]
        )
        .order_by()
        .values_list("digest", "state")
        .annotate(count=Count("pk"))
    }
    alarms = [*_clock(now), *_late(digests, now), *_paused(digests, now), *_refused(now)]
    return [*alarms, *_mailbox(now), *_counted(digests, bad)]


def _clock(now: datetime) -> list[Alarm]:
    """One that never ticked is an instance that nobody has started yet."""
    last = last_pulses().get(TICK)
    if last is None or last > now - LATE:
        return []
    what = _("Nothing has run in the background for %(length)s") % {"length": length(now - last)}
    return [Alarm("clock", None, what, _("Ask whoever runs the site whether beat is running."))]


def _late(digests: list[Digest], now: datetime) -> list[Alarm]:
    return [
        Alarm(
            "late",
            digest,
            _("should have gone out %(when)s") % {"when": ago(digest.slot, now=now)},
            _("Nobody seems to send it. Ask whoever runs the site whether the worker is running."),
        )
        for digest in digests
        if digest.status == Digest.Status.APPROVED
        and not digest.paused_at
        and digest.slot < now - LATE
    ]


def _paused(digests: list[Digest], now: datetime) -> list[Alarm]:
    again = _("Resume it on its page, or call off the retry.")
    what_to_do = _("Resume it on its page, or cancel it for good.")
    return [
        Alarm(
            "paused",
            digest,
            _("has been paused for %(length)s") % {"length": length(now - digest.paused_at)},
            " ".join(filter(None, (digest.status_reason, again if digest.sent_at else what_to_do))),
        )
        for digest in digests
        if digest.paused_at
    ]


def _refused(now: datetime) -> list[Alarm]:
    """Mails refused for our server's sake: it concerns everybody, so one alarm for all of them."""
    refused = Bounce.objects.filter(
        kind=Bounce.Kind.ABOUT_US, received_at__gt=now - RECENT
    ).select_related("digest__newsletter")
    latest = refused.order_by("-received_at").first()
    if latest is None:
        return []
    number = refused.count()
    what = ngettext(
        "%(count)d mail was refused because of the server that sends it",
        "%(count)d mails were refused because of the server that sends them",
        number,
    )
    advice = _(
        "No member's fault. Whoever runs the site finds the refusing servers' words under “Mails "
        "that came back”."
    )
    return [Alarm("refused", latest.digest, what % {"count": number}, advice)]


def _mailbox(now: datetime) -> list[Alarm]:
    look = MailboxLook.objects.exclude(problem="").first()
    if look is None or not conf.get("BOUNCE_MAILBOX") or (look.read_at or LONG_AGO) > now - UNREAD:
        return []
    return [
        Alarm("mailbox", None, look.problem, _("Bounces and reports of spam wait there meanwhile."))
    ]


def _counted(digests: list[Digest], bad: dict[tuple[int, str], int]) -> list[Alarm]:
    found = []
    for digest in digests:
        if unsure := bad.get((digest.pk, Delivery.State.UNCERTAIN), 0):
            what = ngettext(
                "%(count)d delivery is uncertain", "%(count)d deliveries are uncertain", unsure
            )
            advice = _(
                "They are not sent again by themselves: say on its page whether they arrived."
            )
            found.append(Alarm("uncertain", digest, what % {"count": unsure}, advice))
        if failed := bad.get((digest.pk, Delivery.State.FAILED), 0):
            what = ngettext(
                "%(count)d mail failed for good", "%(count)d mails failed for good", failed
            )
            advice = _("Its page says why; addresses that do not exist any more are suppressed.")
            found.append(Alarm("failed", digest, what % {"count": failed}, advice))
    return found
