"""A process that has Django loaded and forks senders, so that a test can kill many of them.

Reads one JSON order a line, answers with one JSON line: {"do": "spawn", "digest": 1} → {"pid": …},
{"do": "sweep", "arrived": […]} → what was swept, {"do": "report", "digest": 1} → states.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import django


class Arrived:
    """Evidence: the test's mail server knows what it took."""

    def __init__(self, message_ids: list[str]) -> None:
        self.message_ids = set(message_ids)

    def look_up(self, message_ids: Mapping[str, datetime], *, now: datetime) -> Mapping[str, Any]:
        from newsletter.delivery.evidence import Verdict

        return {
            name: Verdict.ACCEPTED if name in self.message_ids else Verdict.ABSENT
            for name in message_ids
        }


def send(digest_id: int) -> None:
    from newsletter.delivery.send import send_batches

    send_batches(digest_id)


def answer(order: dict[str, Any]) -> dict[str, Any]:
    from django.conf import settings
    from django.db import connections
    from django.utils import timezone

    from newsletter.delivery.progress import progress
    from newsletter.delivery.sweep import sweep
    from newsletter.digests.models import Digest

    if order["do"] == "spawn":
        connections.close_all()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                send(order["digest"])
            finally:
                os._exit(0)
        return {"pid": pid}
    if order["do"] == "configure":
        settings.NEWSLETTER = settings.NEWSLETTER | order["keys"]
        return {}
    if order["do"] == "sweep":
        settings.NEWSLETTER = settings.NEWSLETTER | {
            "EVIDENCE": [
                {"class": "tests.delivery.nursery.Arrived", "message_ids": order["arrived"]}
            ]
        }
        swept = sweep(now=timezone.now())
        return {"uncertain": swept.uncertain, "released": swept.released, "ring": swept.to_ring}
    digest = Digest.objects.get(pk=order["digest"])
    shown = progress(digest)
    return {"status": digest.status, "states": shown.states, "adds_up": shown.adds_up}


def main() -> None:
    django.setup()
    # Children are not waited for: the kernel clears them away.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say({"ready": True})
    for line in sys.stdin:
        say(answer(json.loads(line)))


def say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
