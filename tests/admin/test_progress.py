"""An issue that goes out, watched from its page; and who did not get it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.control import pause
from newsletter.delivery.forecast import forecast
from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Delivery
from newsletter.delivery.pace.models import Throttle
from newsletter.delivery.progress import progress
from newsletter.delivery.send import send_batches
from newsletter.digests.models import Digest, Newsletter
from newsletter.members.models import Subscription
from newsletter.members.rights import erase
from tests.builders import have_sent, make_article, make_digest, make_member, make_newsletter
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def sending() -> Callable[..., Digest]:
    """A digest that has just begun to go out to these addresses."""

    def sending(*addresses: str) -> Digest:
        newsletter = make_newsletter()
        for address in addresses:
            make_member(address, newsletter=newsletter)
        digest = make_digest(newsletter, articles=[make_article()], slot=timezone.now())
        Subscription.objects.filter(member__address__startswith="pausa").update(
            paused_until=timezone.now() + timedelta(days=9)
        )
        approve(digest.pk, now=timezone.now())
        Digest.objects.update(status=Digest.Status.SENDING, sending_at=timezone.now())
        digest.refresh_from_db()
        return digest

    return sending


def page(client: Client, digest: Digest, **query: str) -> str:
    url = reverse("newsletter_digests:overview", args=[digest.pk])
    return client.get(url, query).content.decode()


def test_what_changes_is_asked_for_without_the_rest_of_the_page(
    editor: Client, sending: Callable[..., Digest]
) -> None:
    digest = sending(*(f"p{number}@posta.example" for number in range(4)))
    whole = page(editor, digest)
    assert 'data-desk-live="sending"' in whole
    Delivery.objects.filter(member__address="p0@posta.example").update(
        state="sent", changed_at=timezone.now()
    )
    part = page(editor, digest, live="1")
    assert "<html" not in part
    assert "1 sent, of 4" in part
    assert 'data-desk-live="sending"' in part
    Digest.objects.update(status=Digest.Status.SENT, sent_at=timezone.now())
    # Told apart from the page that asks: it loads itself anew, once, and asks no more.
    assert 'data-desk-live="sent"' in page(editor, digest, live="1")
    assert "data-desk-live" not in page(editor, digest)


def test_the_rate_and_the_time_left_are_the_last_minutes(
    sending: Callable[..., Digest],
) -> None:
    digest, now = sending(*(f"p{number}@posta.example" for number in range(20))), timezone.now()
    assert forecast(digest, progress(digest), now=now).per_minute is None
    pks = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    old, recent = pks[:4], pks[4:10]
    Delivery.objects.filter(pk__in=old).update(state="sent", changed_at=now - timedelta(hours=1))
    Delivery.objects.filter(pk__in=recent).update(
        state="sent", changed_at=now - timedelta(minutes=1)
    )
    Delivery.objects.filter(pk=pks[10]).update(state="uncertain")
    found = forecast(digest, progress(digest), now=now)
    # Six in a minute; nine are left, for the uncertain one waits for a person.
    assert (found.per_minute, found.minutes_left) == (6, 2)


def test_what_holds_it_back_is_said(editor: Client, sending: Callable[..., Digest]) -> None:
    digest = sending("p@posta.example")
    Newsletter.objects.update(spread_minutes=120)
    now = timezone.now()
    Throttle.objects.create(
        name="domain gmail.com", filled_at=now, slow_until=now + timedelta(minutes=4)
    )
    shown = page(editor, digest)
    assert "It is spread over 120 minutes." in shown
    assert "gmail.com takes no more mails for now" in shown


def test_the_limits_of_the_site_are_said_while_it_goes_out(
    editor: Client, sending: Callable[..., Digest], settings: Any
) -> None:
    digest, now = sending("p@posta.example"), timezone.now()
    today = now.astimezone(digest.newsletter.zone).date()
    settings.NEWSLETTER = settings.NEWSLETTER | {
        "RATE_LIMITS": {"*": "5000/h", "libero.it": {"rate": "1/s", "connections": 2}},
        "WARM_UP": {"begins": today.isoformat(), "first_day": 200},
    }
    shown = page(editor, digest)
    assert "The site’s limit: 5,000 mails an hour." in shown
    assert "The limit for libero.it: 3,600 mails an hour, 2 senders at once." in shown
    assert "today 200 mails may go, 200 are left" in shown
    Throttle.objects.create(name=f"day {today}", filled_at=now, tokens=57)
    assert "today 200 mails may go, 57 are left" in page(editor, digest)


def test_a_limit_of_a_few_mails_is_told_by_the_day(
    editor: Client, sending: Callable[..., Digest], settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"RATE_LIMITS": {"*": "5/d", "libero.it": "20/d"}}
    shown = page(editor, sending("p@posta.example"))
    assert "The site’s limit: 5 mails a day." in shown
    assert "The limit for libero.it: 20 mails a day." in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"QUIET_HOURS": "by night"},
        {"WARM_UP": {"first_day": 3}},
        {"RATE_LIMITS": {"*": "fast"}},
    ],
)
def test_the_page_of_an_issue_says_which_setting_cannot_be_understood(
    editor: Client, sending: Callable[..., Digest], settings: Any, wrong: dict[str, Any]
) -> None:
    digest = sending("p@posta.example")
    settings.NEWSLETTER = settings.NEWSLETTER | wrong
    assert send_batches(digest.pk).ended == "settings"
    assert "How fast to send is not clear" in page(editor, digest)


def test_a_paused_issue_promises_no_rate_and_no_end(
    editor: Client, sending: Callable[..., Digest]
) -> None:
    digest = sending(*(f"p{number}@posta.example" for number in range(6)))
    have_sent(digest, now=timezone.now(), sent=3, deferred=1)
    assert "minute left" in page(editor, digest)
    pause(digest.pk, now=timezone.now())
    shown = page(editor, digest)
    assert "3 sent, of 6" in shown
    assert "minute" not in shown.partition("Deliveries")[2].partition("<progress")[0]


def test_everybody_who_did_not_get_it_is_listed_with_the_reason(
    moderator: Client, sending: Callable[..., Digest], settings: object
) -> None:
    digest = sending(
        "arriva@posta.example", "rifiutata@posta.example", "=formula@posta.example",
        "pausa@posta.example", "via@posta.example", "cancellata@posta.example",
    )  # fmt: skip
    Subscription.objects.filter(member__address="via@posta.example").update(
        state=Subscription.State.ENDED
    )
    with ScriptedServer() as smtp:
        settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": smtp.url}  # type: ignore[attr-defined]
        smtp.answer("rcpt", "550 5.1.1 no such mailbox", match="rifiutata")
        smtp.answer("rcpt", "450 4.2.1 busy", match="formula")
        smtp.answer("rcpt", "550 5.1.1 gone", match="cancellata")
        send_batches(digest.pk)
    erase(Delivery.objects.get(member__address="cancellata@posta.example").member, timezone.now())
    url = reverse("newsletter_digests:undelivered", args=[digest.pk])
    assert url in page(moderator, digest)
    shown = moderator.get(url).content.decode()
    assert "arriva@" not in shown
    for words in ("rifiutata@posta.example", "no such mailbox", "Unsubscribed meanwhile",
                  "Not included", "Paused", "To be tried again", "(erased)"):  # fmt: skip
        assert words in shown
    only = moderator.get(url, {"state": "failed"}).content.decode()
    assert "rifiutata@" in only
    assert "pausa@" not in only
    answer = moderator.get(url, {"form": "csv"})
    rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 1 + 5 == 1 + progress(digest).not_sent
    assert "'=formula@posta.example" in {row[0] for row in rows}
    assert (
        "Downloaded who did not get it"
        in moderator.get(reverse("newsletter_digests:history", args=[digest.pk])).content.decode()
    )


def test_a_mail_given_up_at_its_deadline_is_not_called_refused(
    moderator: Client, sending: Callable[..., Digest]
) -> None:
    digest = sending("tardi@posta.example", "no@posta.example")
    have_sent(digest, now=timezone.now(), sent=0, expired=1)
    Delivery.objects.filter(digest=digest, state="pending").update(
        state=Delivery.State.FAILED, reason=Delivery.Reason.REFUSED
    )
    url = reverse("newsletter_digests:undelivered", args=[digest.pk])
    answer = moderator.get(url, {"form": "csv"})
    rows = csv.reader(StringIO(b"".join(answer.streaming_content).decode()))
    assert {row[0]: row[1] for row in rows} == {
        "Member": "State", "tardi@posta.example": "Given up", "no@posta.example": "Refused",
    }  # fmt: skip
    given_up = moderator.get(url, {"state": "given-up"}).content.decode()
    assert "tardi@" in given_up
    assert "no@" not in given_up
    refused = moderator.get(url, {"state": "failed"}).content.decode()
    assert "no@" in refused
    assert "tardi@" not in refused
    overview = page(moderator, digest)
    assert '<tr data-state="given-up"><td>Given up</td><td class="desk-number">1</td>' in overview
    assert '<tr data-state="failed"><td>Refused</td><td class="desk-number">1</td>' in overview
    assert "Given up: The time for trying again has passed (1)" in overview


def test_who_may_not_see_members_sees_numbers_only(
    editor: Client, sending: Callable[..., Digest]
) -> None:
    digest = sending("p@posta.example")
    assert "undelivered" not in page(editor, digest)
