"""Recipients that the mail server refused while we were sending: the same, without a report.

Read from the ledger once a minute: a refusal that a worker noted and could not tell anybody is
found by the next look.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from newsletter.delivery.bounces.models import Bounce
from newsletter.delivery.bounces.receiving import Mail, count, take
from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.status import status_of
from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest

# A digest that ended longer ago has been looked at many times.
_RECENT = timedelta(days=1)


def weigh_refusals(*, now: datetime, most: int = 1000) -> int:
    """Take in the refusals that were not yet; how many."""
    lately = Q(status=Digest.Status.SENDING) | Q(
        status=Digest.Status.SENT, sent_at__gt=now - _RECENT
    )
    known = Bounce.objects.exclude(kind=Bounce.Kind.COMPLAINT).filter(
        digest_id=OuterRef("digest_id"), member_id=OuterRef("member_id")
    )
    digest_ids = list(Digest.objects.filter(lately).values_list("pk", flat=True))
    refused = (
        Delivery.objects.filter(digest_id__in=digest_ids, state=Delivery.State.FAILED)
        .filter(reason=Delivery.Reason.REFUSED, member__isnull=False)
        .exclude(Exists(known))
        .select_related("member")
    )
    weighed = 0
    for delivery in refused[:most]:
        member = delivery.member
        if member is None:
            continue
        report = Report(
            Said.FAILED,
            status=status_of("", f"{delivery.smtp_code or 550} {delivery.detail}"),
            detail=delivery.detail,
        )
        # As of then: whoever has moved to another mailbox since is not meant any more.
        at = delivery.changed_at
        worth = take(report, Mail(delivery, member, at.date()), Bounce.Source.REFUSAL, now=at)
        count(worth, Bounce.Source.REFUSAL, now=now)
        weighed += 1
    return weighed
