"""An operator without a browser does and sees what an editor does and sees on a digest's page."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.models import ModelLogEntry

from newsletter.delivery.models import Delivery
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.digests.models import Digest
from tests.admin.conftest import client_for
from tests.delivery.conftest import Clock, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ANNA, BRUNO, CARLA = "anna@posta.example", "bruno@posta.example", "carla@posta.example"


def told(*command: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*command, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_a_digest_is_paused_resumed_and_cancelled_and_its_history_says_so(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest(3)
    number = str(digest.pk)
    answer = told("pause_digest", number, "--reason=The server moves house")
    assert (answer["status"], answer["paused"]) == ("sending", True)
    digest.refresh_from_db()
    assert digest.status_reason == "The server moves house"
    assert send_batches(digest.pk, clock=clock).ended == "paused"
    assert told("resume_digest", number)["paused"] is False
    told("pause_digest", number)
    assert told("cancel_digest", number)["not_sent"] == 3
    assert not smtp.received
    actions = ModelLogEntry.objects.filter(object_id=digest.pk, action__startswith="newsletter.")
    assert sorted(actions.values_list("action", flat=True)) == [
        "newsletter.cancel", "newsletter.pause", "newsletter.pause", "newsletter.resume"
    ]  # fmt: skip


def test_where_there_is_nothing_to_do_the_command_says_in_english_what_stands(
    ready_digest: Ready, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "it"
    digest = ready_digest(2)
    told("cancel_digest", str(digest.pk))
    for verb, done in (("pause", "paused"), ("resume", "resumed"), ("cancel", "cancelled")):
        with pytest.raises(CommandError, match=f"cannot be {done}: it is cancelled"):
            call_command(f"{verb}_digest", str(digest.pk), stdout=StringIO())
    digest.refresh_from_db()
    assert digest.status_reason == "Annullato a mano."  # what editors read stays in Italian
    assert not ModelLogEntry.objects.filter(action="newsletter.pause").exists()


def test_uncertain_mails_are_settled_by_an_operators_word(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.hang_up("reply", match=ANNA)
    smtp.hang_up("reply", match=BRUNO)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    send_batches(digest.pk, clock=clock)
    smtp.forget_rules()
    anna = Delivery.objects.get(member__address=ANNA)
    assert told("settle_uncertain", str(digest.pk), "--resend", f"--delivery={anna.pk}") == {
        "ok": True, "digest": digest.pk, "status": "sending", "paused": False, "settled": 1,
        "as": "resend",
    }  # fmt: skip
    assert told("settle_uncertain", str(digest.pk), "--sent")["settled"] == 1
    with pytest.raises(CommandError, match="None of these mails"):
        call_command("settle_uncertain", str(digest.pk), "--sent", stdout=StringIO())
    assert send_batches(digest.pk, clock=clock).finished
    assert states(digest) == {ANNA: "sent", BRUNO: "sent", CARLA: "sent"}


def test_who_did_not_get_it_is_told_as_the_admin_tells_it(
    smtp: ScriptedServer, ready_digest: Ready, clock: Clock
) -> None:
    smtp.answer("rcpt", "550 5.1.1 no such user", match=BRUNO)
    smtp.answer("rcpt", "450 4.2.0 later", match=CARLA)
    digest = ready_digest([ANNA, BRUNO, CARLA])
    send_batches(digest.pk, clock=clock)
    sweep(now=clock.forward(days=6))
    number = str(digest.pk)
    answer = told("undelivered", number)
    assert answer["undelivered"] == 2
    assert {(one["state"], one["reason"], one["number"]) for one in answer["by_reason"]} == {
        ("failed", "refused", 1), ("failed", "expired", 1)
    }  # fmt: skip
    out = StringIO()
    call_command("undelivered", number, stdout=out)
    assert "1 Given up: The time for trying again has passed" in out.getvalue()
    assert "@" not in out.getvalue()

    out = StringIO()
    call_command("undelivered", number, "--csv", stdout=out)
    with translation.override("en"):
        page = client_for("moderator").get(
            reverse("newsletter_digests:undelivered", args=[digest.pk]), {"form": "csv"}
        )
    rows = list(csv.reader(StringIO(out.getvalue())))
    assert [row[0] for row in rows[1:]] == [CARLA, BRUNO]
    assert len(b"".join(page.streaming_content).decode().splitlines()) == len(rows)
    exports = ModelLogEntry.objects.filter(action="newsletter.undelivered_export")
    assert exports.count() == 2


def test_an_operator_is_told_what_holds_a_digest_back(
    smtp: ScriptedServer, ready_digest: Ready, configure: Callable[..., None]
) -> None:
    digest = ready_digest(3)
    configure(
        WARM_UP={"begins": timezone.localdate().isoformat(), "first_day": 2, "posta.example": 1}
    )
    assert send_batches(digest.pk).counts["sent"] == 1
    out = StringIO()
    call_command("digest_status", digest.pk, stdout=out)
    assert "Of these to posta.example: 1 today, 0 are left." in out.getvalue()
    told("pause_digest", str(digest.pk))
    (one,) = told("digest_status", str(digest.pk))["digests"]
    assert (one["paused"], one["held_back"], one["per_minute"]) == (True, [], 0)
