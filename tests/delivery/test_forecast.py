"""When the rest of an issue goes, for its page, the command and the metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from newsletter.delivery.control import cancel
from newsletter.delivery.forecast import Forecast, Why, forecast
from newsletter.delivery.models import Delivery
from newsletter.delivery.pace.models import Throttle
from newsletter.delivery.progress import progress
from newsletter.delivery.send import send_batches
from newsletter.desk.pace_words import held_back_words
from newsletter.digests.models import Digest, Newsletter
from tests.builders import NOW
from tests.delivery.conftest import Clock
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
Configure = Callable[..., None]
# NOW is 11:00 in Rome, where the newsletter is at home.
MIDNIGHT = datetime(2026, 7, 15, 22, 0, tzinfo=UTC)
PLAN = {"begins": "2026-07-15", "first_day": 2, "growth": 2}


def rest_of(digest: Digest, *, now: datetime = NOW) -> Forecast:
    return forecast(digest, progress(digest), now=now)


def words(digest: Digest, *, now: datetime = NOW) -> str:
    return " ".join(held_back_words(digest, rest_of(digest, now=now), now=now))


def test_a_warm_ups_day_that_is_used_up_promises_no_minutes_but_the_next_day(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(WARM_UP=PLAN)
    digest = ready_digest(5)
    rest = rest_of(digest)
    assert (rest.going, rest.waiting, rest.goes_on_at) == (2, 3, MIDNIGHT)
    assert "3 readers wait for the warm-up’s next day: Thursday 16 July 2026, 00:00." in words(
        digest
    )
    send_batches(digest.pk, clock=clock)
    rest = rest_of(digest)
    assert rest.per_minute
    assert rest.stands_still
    assert (rest.minutes_left, rest.waiting, rest.goes_on_at) == (None, 3, MIDNIGHT)
    assert rest.why == Why.DAY
    assert "are out: it goes on Thursday 16 July 2026, 00:00." in words(digest)


def test_a_next_day_that_begins_in_quiet_hours_goes_on_after_them(
    ready_digest: Ready, configure: Configure
) -> None:
    configure(WARM_UP=PLAN, QUIET_HOURS="22:00-07:00")
    digest = ready_digest(5)
    Throttle.objects.create(name="day 2026-07-15", filled_at=NOW, tokens=0)
    assert rest_of(digest).goes_on_at == datetime(2026, 7, 16, 5, 0, tzinfo=UTC)


def test_only_those_at_a_provider_wait_whose_own_day_is_used_up(
    ready_digest: Ready, configure: Configure
) -> None:
    configure(WARM_UP=PLAN | {"first_day": 100, "gmail.com": 1})
    digest = ready_digest(["a@gmail.com", "b@googlemail.com", "c@posta.example"])
    rest = rest_of(digest)
    assert (rest.going, rest.waiting, rest.why) == (2, 1, Why.DAY)
    Throttle.objects.create(name="day 2026-07-15 domain gmail.com", filled_at=NOW, tokens=0)
    assert rest_of(digest).waiting == 2
    Delivery.objects.filter(member__address="a@gmail.com").update(state="sent")
    assert rest_of(digest).waiting == 1


def test_quiet_hours_and_a_server_at_rest_let_nothing_go_before_their_end(
    ready_digest: Ready, configure: Configure
) -> None:
    digest = ready_digest(2)
    until = NOW + timedelta(minutes=4)
    Throttle.objects.create(name="server", filled_at=NOW, slow_until=until)
    rest = rest_of(digest)
    assert (rest.why, rest.waiting, rest.goes_on_at) == (Why.REST, 2, until)
    configure(QUIET_HOURS="10:00-12:30")
    rest = rest_of(digest)
    assert (rest.why, rest.goes_on_at) == (Why.QUIET, datetime(2026, 7, 15, 10, 30, tzinfo=UTC))
    Newsletter.objects.update(kind=Newsletter.Kind.URGENT)
    assert rest_of(Digest.objects.get()).why == Why.REST


def test_a_limit_of_a_few_mails_a_day_says_when_the_next_goes_and_counts_for_the_rest(
    ready_digest: Ready, configure: Configure
) -> None:
    configure(RATE_LIMITS={"*": "24/d"})
    digest = ready_digest(49)
    assert rest_of(digest).goes_on_at is None  # nobody has asked for a share yet
    Delivery.objects.filter(pk=Delivery.objects.order_by("pk")[0].pk).update(
        state="sent", changed_at=NOW - timedelta(seconds=1)
    )
    assert rest_of(digest).hours_left == 48
    Throttle.objects.create(name="server", filled_at=NOW, tokens=0.5)
    rest = rest_of(digest)
    assert (rest.why, rest.goes_on_at) == (Why.LIMIT, NOW + timedelta(minutes=30))
    assert "the next mail goes Wednesday 15 July 2026, 11:30." in words(digest)
    # A wait of seconds is part of the speed.
    configure(RATE_LIMITS={"*": "60/h"})
    assert rest_of(digest).goes_on_at is None


def test_mails_to_be_tried_again_are_not_counted_among_the_minutes_left(
    ready_digest: Ready, configure: Configure
) -> None:
    digest = ready_digest(20)
    pks = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    then = NOW - timedelta(minutes=1)
    Delivery.objects.filter(pk__in=pks[:3]).update(state="sent", changed_at=then)
    again = NOW + timedelta(minutes=15)
    Delivery.objects.filter(pk__in=pks[3:10]).update(state="deferred", next_attempt_at=again)
    rest = rest_of(digest)
    assert (rest.per_minute, rest.going, rest.minutes_left, rest.waiting) == (3, 10, 4, 7)
    Delivery.objects.filter(pk__in=pks[10:]).update(state="sent", changed_at=then)
    rest = rest_of(digest)
    assert (rest.stands_still, rest.minutes_left, rest.goes_on_at) == (True, None, again)
    assert "7 mails are to be tried again, the first" in words(digest)


def test_settings_that_cannot_be_understood_leave_the_speed_and_stop_no_metrics(
    client: Client, ready_digest: Ready, configure: Configure
) -> None:
    digest = ready_digest(2)
    configure(WARM_UP={"first_day": 3}, METRICS_TOKEN="geheim")
    assert rest_of(digest).goes_on_at is None
    assert scraped(client).count("bollettino_deliveries{") == len(Delivery.State)


def scraped(client: Client) -> str:
    answer = client.get("/newsletter/metrics/", headers={"authorization": "Bearer geheim"})
    assert answer.status_code == 200
    return str(answer.content.decode())


def told(digest: Digest) -> dict[str, Any]:
    said = StringIO()
    call_command("digest_status", digest.pk, json=True, stdout=said)
    return dict(json.loads(said.getvalue())["digests"][0])


def test_the_command_and_the_metrics_say_when_it_goes_on(
    client: Client, ready_digest: Ready, configure: Configure
) -> None:
    now = timezone.now()
    today = now.astimezone(Newsletter().zone).date()
    configure(METRICS_TOKEN="geheim", WARM_UP=PLAN | {"begins": today.isoformat()})
    digest = ready_digest(4)
    Throttle.objects.create(name=f"day {today}", filled_at=now, tokens=0)
    Delivery.objects.filter(pk=Delivery.objects.order_by("pk")[0].pk).update(
        state="sent", changed_at=now
    )
    status = told(digest)
    goes_on_at = datetime.fromisoformat(status["goes_on_at"])
    assert goes_on_at.astimezone(digest.newsletter.zone).date() == today + timedelta(days=1)
    assert (status["minutes_left"], status["waiting"], status["waits_for"]) == (None, 3, "warm_up")
    shown = StringIO()
    call_command("digest_status", digest.pk, stdout=shown)
    assert "min left" not in shown.getvalue()
    assert f"3 wait until {goes_on_at.isoformat()}." in shown.getvalue()
    text = scraped(client)
    one = f'digest="{digest.pk}"'
    assert "bollettino_minutes_left{" not in text
    assert f'bollettino_waiting_deliveries{{{one},why="warm_up"}} 3\n' in text
    moment = f"{goes_on_at.timestamp():.3f}"
    assert f"bollettino_goes_on_timestamp_seconds{{{one}}} {moment}\n" in text


def test_the_last_figures_of_a_digest_can_be_asked_for_until_a_day_after_its_end(
    client: Client, ready_digest: Ready, smtp: ScriptedServer, configure: Configure
) -> None:
    configure(METRICS_TOKEN="geheim")
    digest = ready_digest(3)
    assert send_batches(digest.pk).finished
    sent = f'bollettino_deliveries{{digest="{digest.pk}",state="sent"}} 3\n'
    ended = f'bollettino_sent_timestamp_seconds{{digest="{digest.pk}"}} '
    assert sent in scraped(client)
    assert ended in scraped(client)
    for hours, kept in ((23, True), (25, False)):
        Digest.objects.update(sent_at=timezone.now() - timedelta(hours=hours))
        assert (sent in scraped(client), ended in scraped(client)) == (kept, kept)


def test_a_cancelled_digest_can_be_asked_for_until_a_day_after_that(
    client: Client, ready_digest: Ready, configure: Configure
) -> None:
    configure(METRICS_TOKEN="geheim")
    digest = ready_digest(3)
    cancel(digest.pk, now=timezone.now())
    skipped = f'bollettino_deliveries{{digest="{digest.pk}",state="skipped"}} 3\n'
    assert skipped in scraped(client)
    Delivery.objects.update(changed_at=timezone.now() - timedelta(hours=25))
    assert skipped not in scraped(client)
