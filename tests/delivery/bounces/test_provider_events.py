"""Webhooks of mail providers, called over HTTP as the providers call them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from newsletter.delivery.bounces.models import Bounce, ProviderEvent
from newsletter.delivery.bounces.provider_events import Event, forget_events, take_event
from newsletter.delivery.message_id import message_id
from newsletter.delivery.models import Delivery
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.digests.models import Digest
from newsletter.members.models import Member
from tests.delivery.bounces.conftest import ANNA, BRUNO, Sent, counts, suppressions
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
KEY = "key-of-the-provider"
_count = itertools.count(1)
Ready = Callable[..., Digest]


def event(digest: Digest, kind: str, clock: Clock, *, address: str = ANNA, **fields: Any) -> Event:
    defaults: dict[str, Any] = {
        "at": clock.now,
        "event_id": f"event-{next(_count)}",
        "message_ids": (message_id(delivery_to(digest, address)),),
        "recipient": address,
        "is_signed": True,
        "provider": "Piccione",
    }
    return Event(kind=kind, **defaults | fields)


def take(*args: Any, clock: Clock, **fields: Any) -> str | None:
    worth = take_event(event(*args, clock, **fields), now=clock.now)
    return worth.value if worth else None


# --- what an event does


def test_a_signed_word_that_a_mailbox_is_gone_suffices_once(sent: Sent, clock: Clock) -> None:
    digest = sent()
    words = "550 5.1.1 <anna@posta.example> no such user"
    assert take(digest, "bounced", clock=clock, words=words) == "suppressed"
    assert suppressions() == {ANNA: "bounce"}
    assert "@" not in Bounce.objects.get().detail


def test_a_complaint_suppresses_at_once(sent: Sent, clock: Clock) -> None:
    assert take(sent(), "complained", clock=clock) == "suppressed"
    assert suppressions() == {ANNA: "complaint"}


@pytest.mark.parametrize(
    ("fields", "kind", "worth"),
    [
        ({"words": "550 5.7.1 blocked", "reason": "invalid"}, "about_us", "about_us"),
        ({"words": "552 5.2.2 over quota"}, "passing", "counted"),
        ({"words": "it bounced", "reason": "bounced"}, "passing", "counted"),
        ({"words": "", "reason": "blocked"}, "about_us", "about_us"),
        ({"words": "", "reason": "invalid"}, "gone", "suppressed"),
    ],
)
def test_the_code_is_read_before_the_providers_own_word(
    fields: dict[str, str], kind: str, worth: str, sent: Sent, clock: Clock
) -> None:
    assert take(sent(), "bounced", clock=clock, **fields) == worth
    assert Bounce.objects.get().kind == kind


def test_opens_and_clicks_are_not_looked_at(sent: Sent, clock: Clock) -> None:
    digest = sent()
    for kind in ("opened", "clicked", "subscribed", "unknown", ""):
        assert take(digest, kind, clock=clock) is None
    assert counts() == {}
    assert not ProviderEvent.objects.exists()


# --- what has no effect


@pytest.mark.parametrize(
    ("fields", "worth"),
    [
        ({"is_signed": False}, "not_ours"),
        ({"message_ids": ("<1234@union.example>",)}, "not_ours"),
        ({"message_ids": (f"<{'0' * 32}.1.{'0' * 20}@union.example>",)}, "not_ours"),
        ({"message_ids": ()}, "not_ours"),
        ({"recipient": BRUNO}, "not_ours"),
        ({"recipient": ""}, "not_ours"),
        ({"at": None}, "expired"),
    ],
)
def test_an_event_that_is_not_proven_ours_has_no_effect(
    fields: dict[str, Any], worth: str, sent: Sent, clock: Clock
) -> None:
    assert take(sent(), "complained", clock=clock, **fields) == worth
    assert suppressions() == {}
    assert counts() == {worth: 1}


@pytest.mark.parametrize("days", [-4, -3.1, 0.1])
def test_an_event_from_another_time_has_no_effect(days: float, sent: Sent, clock: Clock) -> None:
    digest = sent()
    at = clock.now + timedelta(days=days)
    assert take(digest, "complained", clock=clock, at=at) == "expired"


def test_an_event_is_taken_once(sent: Sent, clock: Clock) -> None:
    digest = sent()
    same = event(digest, "bounced", clock, words="552 5.2.2 full")
    assert take_event(same, now=clock.now) == "counted"
    assert take_event(same, now=clock.forward(days=1)) == "replayed"
    other = event(digest, "bounced", clock, words="550 5.1.1 no such user")
    assert take_event(other, now=clock.now) == "replayed", "one mail comes back once"
    assert forget_events(now=clock.forward(days=9)) > 0
    assert take_event(same, now=clock.now) == "expired"


# --- events as evidence


def test_an_accepted_mail_is_no_longer_uncertain(
    ready_digest: Ready, smtp: ScriptedServer, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO])
    smtp.keep_and_hang_up(match=ANNA)
    send_batches(digest.pk, clock=clock)
    assert states(digest)[ANNA] == "uncertain"
    assert take(digest, "delivered", clock=clock) == "not_final"
    row = delivery_to(digest, ANNA)
    assert (row.state, row.reason) == ("sent", "evidence")


def test_an_event_that_comes_before_the_doubt_is_remembered_as_evidence(
    ready_digest: Ready, clock: Clock, configure: Callable[..., None]
) -> None:
    path = "newsletter.delivery.bounces.provider_events.ProviderEvents"
    configure(EVIDENCE=[{"class": path}])
    digest = ready_digest([ANNA, BRUNO])
    # The worker is still busy, or was killed and nobody has noticed yet.
    assert take(digest, "sent", clock=clock) == "not_final"
    Delivery.objects.filter(digest=digest).update(state=Delivery.State.UNCERTAIN)
    assert sweep(now=clock.forward(minutes=1)).reconciled.sent == 1
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain"}


def test_events_about_mails_that_are_sent_leave_nothing_behind(sent: Sent, clock: Clock) -> None:
    digest = sent()
    assert take(digest, "delivered", clock=clock) == "not_final"
    assert not ProviderEvent.objects.exists()


# --- over HTTP


def post(url: str, body: dict[str, Any], **headers: str) -> int:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def mailgun(digest: Digest, now: float, *, key: str = KEY, token: str = "t1") -> dict[str, Any]:
    stamp = str(int(now))
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": signature},
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "timestamp": now,
            "recipient": ANNA,
            "message": {"headers": {"message-id": message_id(delivery_to(digest, ANNA))[1:-1]}},
            "delivery-status": {"code": 550, "message": "5.1.1 The mailbox does not exist"},
        },
    }


@pytest.fixture
def just_sent(
    ready_digest: Ready, smtp: ScriptedServer, transactional_db: None
) -> tuple[Digest, float]:
    """Sent now, by the clock on the wall."""
    from django.utils import timezone

    digest = ready_digest([ANNA, BRUNO])
    now = timezone.now()
    send_batches(digest.pk, clock=lambda: now)
    return digest, now.timestamp()


def test_a_signed_webhook_is_believed_and_a_forged_one_refused(
    just_sent: tuple[Digest, float], live_server: Any, settings: Any
) -> None:
    digest, now = just_sent
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": KEY}
    url = f"{live_server.url}/anymail/mailgun/tracking/"
    assert post(url, mailgun(digest, now, key="another")) == 400
    assert not Bounce.objects.exists()
    assert post(url, mailgun(digest, now)) == 200
    assert suppressions() == {ANNA: "bounce"}
    assert post(url, mailgun(digest, now)) == 200
    assert counts() == {"suppressed": 1, "replayed": 1}


def postmark(digest: Digest) -> dict[str, Any]:
    from django.utils import timezone

    return {
        "RecordType": "SpamComplaint",
        "ID": 42,
        "Type": "SpamComplaint",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Email": ANNA,
        "BouncedAt": timezone.now().isoformat(),
        "Metadata": {"newsletter_mail": message_id(delivery_to(digest, ANNA))},
    }


@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailInsecureWebhookWarning")
def test_a_provider_that_does_not_sign_must_know_our_secret(
    just_sent: tuple[Digest, float], live_server: Any, settings: Any
) -> None:
    digest, _now = just_sent
    url = f"{live_server.url}/anymail/postmark/tracking/"
    # Without a secret anymail takes anybody's word; we do not.
    settings.ANYMAIL = {}
    assert post(url, postmark(digest)) == 200
    assert counts() == {"not_ours": 1}
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:secret"}
    wrong = base64.b64encode(b"user:wrong").decode()
    assert post(url, postmark(digest), Authorization=f"Basic {wrong}") == 400
    assert suppressions() == {}
    right = base64.b64encode(b"user:secret").decode()
    assert post(url, postmark(digest), Authorization=f"Basic {right}") == 200
    assert suppressions() == {ANNA: "complaint"}
    assert Member.objects.filter(address=ANNA).exists()
