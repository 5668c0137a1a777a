"""What the desk adds to the numbers for a monitoring system."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from newsletter.delivery.metrics import Metric
from newsletter.desk.alarms import KINDS, every_alarm


def desk_gauges(now: datetime) -> list[Metric]:
    found = Counter(alarm.kind for alarm in every_alarm(now=now))
    return [
        Metric(
            "open_alarms", "Alarms on the admin's first page, by kind.",
            [({"kind": kind}, found[kind]) for kind in KINDS],
        )
    ]  # fmt: skip
