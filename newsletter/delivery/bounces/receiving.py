"""What a report that reached us does: it is verified, remembered once, and weighed.

Without a token that we made, for a mail that we sent, to an address that its member still has,
nothing happens.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from newsletter import conf
from newsletter.delivery import return_path
from newsletter.delivery.bounces.models import Bounce, BounceCount, ReportCount
from newsletter.delivery.bounces.reading import read_report
from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.scoring import Mark, standing
from newsletter.delivery.bounces.status import Meaning, meaning_of
from newsletter.delivery.models import Delivery
from newsletter.delivery.reconcile import settle_seen
from newsletter.digests.models import Digest
from newsletter.members.models import Consent, Lifting, Member
from newsletter.members.suppression import suppress

logger = logging.getLogger(__name__)

# At once; the next call goes on.
MOST_FORGOTTEN = 20_000

Worth, Kind, Source = ReportCount.Worth, Bounce.Kind, Bounce.Source

_KINDS = {
    Meaning.GONE: Kind.GONE,
    Meaning.PASSING: Kind.PASSING,
    Meaning.ABOUT_US: Kind.ABOUT_US,
}
_WITHOUT_TOKEN = {
    Said.AUTO_REPLY: Worth.AUTO_REPLY,
    Said.NOTHING: Worth.NO_REPORT,
}


@dataclass(frozen=True)
class Mail:
    """The mail that a report is about: a digest's, to an address of ours."""

    delivery: Delivery
    member: Member
    mailed_on: date


def receive(raw: bytes, *, recipients: tuple[str, ...] = (), now: datetime) -> ReportCount.Worth:
    """Take in a mail that came to a return path; what it was worth, which is counted."""
    report = read_report(raw, recipients=recipients)
    worth = Worth.UNREADABLE if report is None else _weigh_mail(report, now=now)
    count(worth, Source.MAIL, now=now)
    return worth


def _weigh_mail(report: Report, *, now: datetime) -> ReportCount.Worth:
    if report.said in _WITHOUT_TOKEN:
        return _WITHOUT_TOKEN[report.said]
    mail = mail_of(report.tokens)
    if mail is None:
        return Worth.NOT_OURS
    if now.date() - mail.mailed_on > timedelta(days=int(conf.get("RETURN_PATH_DAYS"))):
        return Worth.EXPIRED
    return take(report, mail, Source.MAIL, now=now)


def mail_of(tokens: tuple[str, ...]) -> Mail | None:
    """The mail that one of the tokens was made for; None when none of them is good."""
    for token in tokens:
        for claimed in return_path.read(token):
            delivery = (
                Delivery.objects.filter(pk=claimed.delivery_id)
                .select_related("member", "digest")
                .defer("digest__content")
                .first()
            )
            if delivery is None or delivery.member is None:
                continue
            if claimed.proves(delivery.digest.uid, delivery.member.address):
                return Mail(delivery, delivery.member, claimed.mailed_on)
    return None


@transaction.atomic
def take(report: Report, mail: Mail, source: Bounce.Source, *, now: datetime) -> ReportCount.Worth:
    """Remember a verified report, and suppress the address if it is one too many."""
    if report.said is Said.COMPLAINT:
        kind = Kind.COMPLAINT
    elif report.said is Said.FAILED:
        kind = _KINDS[meaning_of(report.status)]
    else:
        settle_seen(mail.delivery.pk, now=now)
        return Worth.NOT_FINAL
    if source != Source.REFUSAL:
        settle_seen(mail.delivery.pk, now=now)  # who reports on it has had it
    if not _remember(report, mail, kind, source, now=now):
        return Worth.REPLAYED
    if kind == Kind.ABOUT_US:
        return Worth.ABOUT_US
    verdict = standing(marks_of(mail.member.address_hash), today=now.date()).verdict
    if verdict and suppress(mail.member.address_hash, verdict, now=now):
        logger.info("Member %s is suppressed: %s", mail.member.pk, verdict.value)
        return Worth.SUPPRESSED
    return Worth.COUNTED


def marks_of(address_hash: str) -> list[Mark]:
    """What counts against an address: not what was before its owner or a person cleared it."""
    again = _cleared_at(address_hash)
    return [
        Mark(Kind(bounce.kind), bounce.mailed_on, bounce.source == Source.PROVIDER)
        for bounce in Bounce.objects.filter(address_hash=address_hash)
        if again is None or (bounce.mailed_on >= again.date() and bounce.received_at > again)
    ]


def count(worth: ReportCount.Worth, source: Bounce.Source, *, now: datetime) -> None:
    today = ReportCount.objects.filter(day=now.date(), source=source, worth=worth)
    if not today.update(number=F("number") + 1):
        ReportCount.objects.get_or_create(day=now.date(), source=source, worth=worth)
        today.update(number=F("number") + 1)


def came_back(digest: Digest) -> dict[str, int]:
    """How many of its mails did, by Bounce.Kind, the most first."""
    kinds = digest.bounces.order_by().values_list("kind").annotate(number=Count("pk"))
    return dict(kinds.order_by("-number", "kind"))


@transaction.atomic
def forget_bounces(*, now: datetime) -> int:
    """Delete what came back longer than BOUNCE_DAYS ago, and the counts of reports of that time.

    How many came back on which day stays.
    """
    too_old = now - timedelta(days=int(conf.get("BOUNCE_DAYS")))
    ReportCount.objects.filter(day__lt=too_old.date()).delete()
    old = Bounce.objects.filter(received_at__lt=too_old)
    # Locked: two who forget at once would count them twice.
    due = list(old.select_for_update(of=("self",)).values_list("pk", flat=True)[:MOST_FORGOTTEN])
    _keep_counts(Bounce.objects.filter(pk__in=due))
    return Bounce.objects.filter(pk__in=due).delete()[0]


def _keep_counts(bounces: QuerySet[Bounce]) -> None:
    day = TruncDate("received_at", tzinfo=timezone.get_default_timezone())
    rows = bounces.order_by().annotate(day=day).values_list("digest__newsletter", "day", "kind")
    for newsletter_id, on, kind, number in rows.annotate(number=Count("pk")):
        kept, _created = BounceCount.objects.select_for_update().get_or_create(
            newsletter_id=newsletter_id, day=on, kind=kind
        )
        BounceCount.objects.filter(pk=kept.pk).update(number=F("number") + number)


def _remember(
    report: Report,
    mail: Mail,
    kind: Bounce.Kind,
    source: Bounce.Source,
    *,
    now: datetime,
) -> bool:
    """False when the mail has come back before."""
    try:
        with transaction.atomic():
            Bounce.objects.create(
                digest_id=mail.delivery.digest_id,
                member=mail.member,
                address_hash=mail.member.address_hash,
                kind=kind,
                source=source,
                status=report.status[:12],
                server=report.server,
                detail=report.detail,
                mailed_on=mail.mailed_on,
                received_at=now,
            )
    except IntegrityError:
        return False
    return True


def _cleared_at(address_hash: str) -> datetime | None:
    """When they last confirmed from this mailbox, or a person lifted its suppression."""
    confirmed = Q(event=Consent.Event.CONFIRMED, source="mail") | Q(
        event=Consent.Event.CHANGED, source="address"
    )
    moments = [
        Consent.objects.filter(confirmed, address_hash=address_hash).aggregate(at=Max("at"))["at"],
        Lifting.objects.filter(address_hash=address_hash).aggregate(at=Max("at"))["at"],
    ]
    return max((moment for moment in moments if moment is not None), default=None)
