"""What a mail provider tells by its webhooks, by way of django-anymail.

An event is believed when the provider signed it or called with our secret, when it is recent, when
its id was not seen before, and when it names a Message-ID that we made: the seal in it is ours.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from newsletter import conf
from newsletter.delivery.bounces.models import Bounce, ProviderEvent, ReportCount
from newsletter.delivery.bounces.receiving import Mail, count, take
from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.status import status_of
from newsletter.delivery.bounces.words import plain
from newsletter.delivery.evidence import Verdict
from newsletter.delivery.message_id import delivery_id_of, local_parts
from newsletter.delivery.models import Delivery
from newsletter.delivery.provider import METADATA
from newsletter.delivery.reconcile import settle_seen
from newsletter.exceptions import InvalidMember
from newsletter.members.address import canonical_address

logger = logging.getLogger(__name__)

Worth = ReportCount.Worth

# Providers repeat an event that we did not take for a day or two.
WINDOW = timedelta(days=3)
_CLOCKS_DIFFER = timedelta(minutes=15)

_ACCEPTED = {"queued", "sent", "delivered", "deferred"}
_FAILED = {"bounced", "rejected", "failed"}
# The provider's word for why, where it gives no status code: what is plainly said, and no more.
_STATUS_BY_REASON = {"invalid": "5.1.1", "spam": "5.7.1", "blocked": "5.7.1", "timed_out": "4.4.7"}


@dataclass(frozen=True)
class Event:
    """A provider's event in our words."""

    kind: str  # anymail's normalised type
    at: datetime | None
    event_id: str
    message_ids: tuple[str, ...]
    recipient: str = field(default="", repr=False)
    reason: str = ""  # anymail's normalised reason of a rejection
    words: str = field(default="", repr=False)
    is_signed: bool = False
    provider: str = ""


def receive_tracking(sender: Any, event: Any, esp_name: str, **kwargs: Any) -> None:
    """The receiver of anymail's `tracking` signal."""
    take_event(_read(event, esp_name, is_signed=_is_verified(sender)), now=timezone.now())


def take_event(event: Event, *, now: datetime) -> ReportCount.Worth | None:
    """What it was worth, which is counted; None for what we do not want to know (opens, clicks)."""
    if event.kind not in _ACCEPTED | _FAILED | {"complained"}:
        return None
    worth = _weigh(event, now=now)
    count(worth, Bounce.Source.PROVIDER, now=now)
    return worth


def forget_events(*, now: datetime) -> int:
    """Delete what could not come in again anyway, being too old."""
    return ProviderEvent.objects.filter(received_at__lt=now - 3 * WINDOW).delete()[0]


class ProviderEvents:
    """Evidence about uncertain mails: what the provider says it took. See EVIDENCE."""

    def look_up(
        self, message_ids: Mapping[str, datetime], *, now: datetime
    ) -> Mapping[str, Verdict]:
        mails = {_local(one): one for one in message_ids}
        seen = ProviderEvent.objects.filter(mail__in=list(mails), is_accepted=True)
        # Silence proves nothing: an event may still be under way.
        return {mails[mail]: Verdict.ACCEPTED for mail in seen.values_list("mail", flat=True)}


@transaction.atomic
def _weigh(event: Event, *, now: datetime) -> ReportCount.Worth:
    delivery = _delivery_of(event.message_ids) if event.is_signed else None
    if delivery is None:
        return Worth.NOT_OURS
    if event.at is None or not now - WINDOW <= event.at <= now + _CLOCKS_DIFFER:
        return Worth.EXPIRED
    too_old = now - timedelta(days=int(conf.get("RETURN_PATH_DAYS")))
    if delivery.changed_at < too_old:
        return Worth.EXPIRED
    if event.kind in _ACCEPTED and delivery.state == Delivery.State.SENT:
        return Worth.NOT_FINAL  # nothing new; not worth a row for every mail
    if not _is_new(event, delivery, now=now):
        return Worth.REPLAYED
    if event.kind in _ACCEPTED:
        settle_seen(delivery.pk, now=now)
        return Worth.NOT_FINAL
    member = delivery.member
    if member is None or not _is_address(event.recipient, member.address):
        return Worth.NOT_OURS  # erased, or moved to another mailbox since
    mail = Mail(delivery, member, delivery.changed_at.date())
    return take(_report(event), mail, Bounce.Source.PROVIDER, now=now)


def _report(event: Event) -> Report:
    if event.kind == "complained":
        return Report(Said.COMPLAINT, server=plain(event.provider, 100))
    status = status_of("", event.words) or _STATUS_BY_REASON.get(event.reason, "")
    return Report(
        Said.FAILED,
        status=status,
        server=plain(event.provider, 100),
        detail=plain(event.words, 500),
    )


def _delivery_of(message_ids: Iterable[str]) -> Delivery | None:
    for message_id in message_ids:
        delivery_id = delivery_id_of(message_id)
        if delivery_id is None:
            continue
        delivery = (
            Delivery.objects.select_related("member", "digest")
            .defer("digest__content")
            .filter(pk=delivery_id)
            .first()
        )
        # Two digests may have had the same number, as after a restored backup.
        if delivery and _local(message_id) in local_parts(delivery):
            return delivery
    return None


def _is_new(event: Event, delivery: Delivery, *, now: datetime) -> bool:
    """Remember it; False when it came before."""
    own = event.event_id or f"{event.kind} {event.at} {event.message_ids}"
    key = hashlib.sha256(f"{event.provider}\0{own}".encode()).hexdigest()
    _row, created = ProviderEvent.objects.get_or_create(
        key=key,
        defaults={
            "mail": next(iter(local_parts(delivery))),
            "is_accepted": event.kind in _ACCEPTED | {"bounced", "complained"},
            "received_at": now,
        },
    )
    return created


def _is_address(written: str, address: str) -> bool:
    try:
        return canonical_address(written) == address
    except InvalidMember:
        return False


def _local(message_id: str) -> str:
    return message_id.strip().strip("<>").partition("@")[0]


def _read(event: Any, esp_name: str, *, is_signed: bool) -> Event:
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    named = (metadata.get(METADATA), event.message_id)
    return Event(
        kind=str(event.event_type or ""),
        at=event.timestamp,
        event_id=str(event.event_id or ""),
        message_ids=tuple(str(one) for one in named if one),
        recipient=str(event.recipient or ""),
        reason=str(event.reject_reason or ""),
        words=str(event.mta_response or event.description or ""),
        is_signed=is_signed,
        provider=esp_name,
    )


def _is_verified(view: Any) -> bool:
    """Whether anymail checked who called: by the provider's signature, or by WEBHOOK_SECRET.

    Without either it takes anybody's word, and warns. Some of its views know only once they are
    made, so one is made.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = view()
        except Exception:
            logger.warning("The webhook of %s is not configured", getattr(view, "esp_name", view))
            return False
    return bool(made.basic_auth) or not made.warn_if_no_basic_auth
