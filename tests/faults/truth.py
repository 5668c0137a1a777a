"""What the ledger says of a digest, and what is said of it to people and to machines.

Run by tests.faults.nursery, in the process that has Django loaded.
"""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

Numbers = dict[str, Any]
_TOKEN = "geheim"
_ROW = re.compile(r'<tr data-state="(\w+)"><td>[^<]*</td><td class="desk-number">([\d,]+)</td>')
_SENT = re.compile(r"([\d,]+) sent, of ([\d,]+) subscribed")
_GAUGE = re.compile(r'^bollettino_deliveries\{digest="(\d+)",state="(\w+)"\} (\S+)$', re.MULTILINE)
_BATCHES = re.compile(r"^bollettino_open_batches (\S+)$", re.MULTILINE)


def truth(order: Numbers) -> Numbers:
    """All at one moment, whoever writes meanwhile."""
    from django.conf import settings
    from django.db import connection, transaction

    digest_id = order["digest"]
    settings.NEWSLETTER = settings.NEWSLETTER | {"METRICS_TOKEN": _TOKEN}
    client = _operator()
    connection.close()
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return {
            "ledger": _ledger(digest_id),
            "page": _page(client, digest_id),
            "command": _command(digest_id),
            "metrics": _metrics(client, digest_id),
        }


def _operator() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _made = get_user_model().objects.get_or_create(
        username="operator", defaults={"is_superuser": True, "is_staff": True}
    )
    client = Client()
    client.force_login(user)
    return client


def _ledger(digest_id: int) -> Numbers:
    """Counted by hand: none of the code that the others share."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, reason FROM newsletter_delivery WHERE digest_id = %s", [digest_id]
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT status FROM newsletter_digest WHERE id = %s", [digest_id])
        (status,) = cursor.fetchone()
        cursor.execute(
            "SELECT COUNT(*) FROM newsletter_batch WHERE digest_id = %s AND state = 'open'",
            [digest_id],
        )
        (batches,) = cursor.fetchone()
    reasons = [(state, reason) for state, reason in rows if reason]
    states = [state for state, _reason in rows]
    return {
        "states": {state: states.count(state) for state in sorted(set(states))},
        "reasons": sorted([*one, reasons.count(one)] for one in set(reasons)),
        "status": status,
        "open_batches": batches,
    }


def _page(client: Any, digest_id: int) -> Numbers:
    from django.urls import reverse

    url = reverse("newsletter_digests:overview", args=[digest_id])
    text = client.get(url, {"live": "1"}).content.decode()
    sent = _SENT.search(text)
    return {
        "states": {state: _number(count) for state, count in sorted(_ROW.findall(text))},
        "sent": _number(sent.group(1)) if sent else None,
        "of": _number(sent.group(2)) if sent else None,
    }


def _command(digest_id: int) -> Numbers:
    from django.core.management import call_command

    said = StringIO()
    call_command("digest_status", digest_id, json=True, stdout=said)
    told = json.loads(said.getvalue())["digests"][0]
    return {
        "states": {state: number for state, number in sorted(told["states"].items()) if number},
        "reasons": sorted(told["reasons"]),
        "status": told["status"],
    }


def _metrics(client: Any, digest_id: int) -> Numbers:
    answer = client.get("/newsletter/metrics/", headers={"authorization": f"Bearer {_TOKEN}"})
    text = answer.content.decode()
    found = _GAUGE.findall(text)
    batches = _BATCHES.search(text)
    return {
        "states": {
            state: int(float(number))
            for digest, state, number in sorted(found, key=lambda one: str(one[1]))
            if int(digest) == digest_id and float(number)
        },
        "open_batches": int(float(batches.group(1))) if batches else None,
    }


def _number(text: str) -> int:
    return int(text.replace(",", ""))
