"""The numbers an operator gets equal the ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from newsletter import tasks
from newsletter.delivery.control import pause
from newsletter.delivery.metrics import Metric, in_words
from newsletter.delivery.models import Delivery, Exclusion
from newsletter.delivery.send import send_batches
from newsletter.desk.alarms import KINDS
from newsletter.digests.models import Digest
from tests.delivery.conftest import Clock
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]


def scraped(client: Client, token: str = "geheim") -> Any:
    return client.get("/newsletter/metrics/", headers={"authorization": f"Bearer {token}"})


def test_metrics_say_what_the_ledger_says_and_name_nobody(
    client: Client,
    ready_digest: Ready,
    smtp: ScriptedServer,
    configure: Callable[..., None],
    clock: Clock,
) -> None:
    configure(METRICS_TOKEN="geheim")
    digest = ready_digest(["anna@posta.example", "bruno@posta.example", "carla@posta.example"])
    smtp.answer("rcpt", "550 5.1.1 gone", match="bruno")
    smtp.answer("rcpt", "450 4.2.1 busy", match="carla")
    send_batches(digest.pk, clock=clock)
    text = scraped(client).content.decode()
    for state in Delivery.State:
        number = Delivery.objects.filter(state=state).count()
        line = f'bollettino_deliveries{{digest="{digest.pk}",state="{state.value}"}} {number}\n'
        assert line in text
    assert 'bollettino_digests{status="sending"} 1\n' in text
    why = f'bollettino_delivery_reasons{{digest="{digest.pk}",state="failed",reason="refused"}} 1\n'
    assert why in text
    assert "@" not in text
    line = re.compile(r'(# (HELP|TYPE) .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+]+)')
    assert [odd for odd in text.splitlines() if not line.fullmatch(odd)] == []


def test_metrics_say_who_is_left_out_how_fast_it_goes_and_how_long_the_rest_takes(
    client: Client, ready_digest: Ready, smtp: ScriptedServer, configure: Callable[..., None]
) -> None:
    configure(METRICS_TOKEN="geheim")
    digest = ready_digest(20)
    Exclusion.objects.create(digest=digest, reason=Exclusion.Reason.PAUSED)
    assert "bollettino_sent_per_minute{" not in scraped(client).content.decode()
    send_batches(digest.pk, stop=lambda: len(smtp.received) == 12)
    text = scraped(client).content.decode()
    assert f'bollettino_exclusions{{digest="{digest.pk}",reason="paused"}} 1\n' in text
    assert re.search(rf'bollettino_sent_per_minute{{digest="{digest.pk}"}} [1-9]\d*\n', text)
    assert f'bollettino_minutes_left{{digest="{digest.pk}"}} 1\n' in text
    pause(digest.pk, now=timezone.now())
    assert "bollettino_sent_per_minute{" not in scraped(client).content.decode()


def test_a_large_number_keeps_all_its_digits() -> None:
    assert in_words([Metric("deliveries", "All.", [({}, 12_345_678)])]).endswith(" 12345678\n")


def test_without_a_token_there_are_no_metrics_and_with_a_wrong_one_none_either(
    client: Client, configure: Callable[..., None]
) -> None:
    assert scraped(client, "").status_code == 404
    configure(METRICS_TOKEN="geheim")
    assert scraped(client, "falsch").status_code == 401
    assert client.get("/newsletter/metrics/").status_code == 401
    assert scraped(client).status_code == 200


def test_the_command_tells_how_far_a_digest_is(
    ready_digest: Ready, smtp: ScriptedServer, clock: Clock
) -> None:
    digest = ready_digest(["anna@posta.example", "bruno@posta.example"])
    smtp.answer("rcpt", "450 4.7.1 too many", match="bruno")
    send_batches(digest.pk, clock=clock)
    said = StringIO()
    call_command("digest_status", json=True, stdout=said)
    told = json.loads(said.getvalue())["digests"][0]
    assert (told["status"], told["adds_up"]) == ("sending", True)
    assert (told["states"]["sent"], told["states"]["deferred"]) == (1, 1)
    shown = StringIO()
    call_command("digest_status", digest.pk, stdout=shown)
    assert "1 sent, 1 deferred" in shown.getvalue()
    assert "@" not in shown.getvalue()


def test_metrics_tell_how_long_ago_the_tick_and_the_sweep_came(
    client: Client, configure: Callable[..., None]
) -> None:
    configure(METRICS_TOKEN="geheim")
    assert "bollettino_pulse_seconds{" not in scraped(client).content.decode()
    tasks.note_tick(timezone.now() - timedelta(seconds=700))
    tasks.sweep()
    text = scraped(client).content.decode()
    ages = dict(re.findall(r'bollettino_pulse_seconds\{of="(\w+)"\} ([\d.]+)', text))
    assert 700 <= float(ages["tick"]) < 800
    assert 0 <= float(ages["sweep"]) < 60
    # What nobody who reads numbers sees, an editor does.
    assert 'bollettino_open_alarms{kind="clock"} 1\n' in text
    tasks.note_tick(timezone.now())
    assert 'bollettino_open_alarms{kind="clock"} 0\n' in scraped(client).content.decode()


def test_metrics_count_every_alarm_of_the_first_page_by_kind(
    client: Client, ready_digest: Ready, configure: Callable[..., None]
) -> None:
    configure(METRICS_TOKEN="geheim")
    digest = ready_digest(2)
    Digest.objects.filter(pk=digest.pk).update(paused_at=timezone.now())
    Delivery.objects.filter(digest=digest).update(state="uncertain")
    text = scraped(client).content.decode()
    found = dict(re.findall(r'bollettino_open_alarms\{kind="(\w+)"\} (\d+)', text))
    assert {kind for kind, number in found.items() if number != "0"} == {"paused", "uncertain"}
    assert len(found) == len(KINDS)
