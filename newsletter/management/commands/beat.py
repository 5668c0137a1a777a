"""Starts Celery's clock on its own: `manage.py beat`, where no worker has `--beat`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Rings the tick every minute. One is enough; a second does no harm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loglevel", default="INFO", help="Default INFO.")

    def handle(self, *args: Any, **options: Any) -> None:
        # No pid file: whatever supervises this process knows its id, and two do no harm.
        current_app.start(["beat", f"--loglevel={options['loglevel']}", "--pidfile="])
