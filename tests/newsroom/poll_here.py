"""Run as a process by test_pollers.py: one poller on the database of DATA_DIR."""

from __future__ import annotations

import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "site")]
os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.settings.test"

import django  # noqa: E402

django.setup()

from newsletter.articles import poller  # noqa: E402

real = socket.getaddrinfo


def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
    return real("127.0.0.1" if str(host).endswith(".example") else host, *args, **kwargs)


socket.getaddrinfo = resolve
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
polled = poller.poll_due(clock=lambda: datetime.now(UTC), budget=timedelta(minutes=1))
sys.stdout.write(f"{polled.feeds} {polled.failed}\n")
