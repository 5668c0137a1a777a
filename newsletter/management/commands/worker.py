"""Starts a Celery worker of the project: `manage.py worker`, on one line with what it needs."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from celery import current_app, signals
from django.core.management.base import BaseCommand, CommandError

from newsletter.management.parent import end_with_parent


class Command(BaseCommand):
    help = "Runs a Celery worker: it polls, tags, compiles and sends. Start as many as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--beat",
            action="store_true",
            help="Also ring the tick every minute (two clocks do no harm).",
        )
        parser.add_argument(
            "--concurrency", type=int, default=3, metavar="N", help="Tasks at once (default 3)."
        )
        parser.add_argument(
            "--queues",
            default="",
            metavar="A,B",
            help="Only the work of these queues: of the site's poll, compile, send (default all).",
        )
        parser.add_argument("--loglevel", default="INFO", help="Default INFO.")
        parser.add_argument("--parent", type=int, help="End when this process is gone.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["parent"]:
            end_with_parent(options["parent"])
        worker_pid = os.getpid()

        # A worker that is killed leaves neither a pool nor a clock behind.
        def end_with_worker(**kwargs: Any) -> None:
            end_with_parent(worker_pid, insists=True)

        signals.worker_process_init.connect(end_with_worker, weak=False)
        signals.beat_embedded_init.connect(end_with_worker, weak=False)

        command = [
            "worker",
            f"--concurrency={options['concurrency']}",
            f"--loglevel={options['loglevel']}",
            # RabbitMQ refuses a second worker of the same name, as two on one machine would have.
            f"--hostname=worker-{worker_pid}@%h",
            # Workers know each other through the database; the broker only rings.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
        if options["queues"]:
            known = current_app.amqp.queues
            unknown = set(options["queues"].split(",")) - set(known)
            if unknown:
                raise CommandError(
                    f"There is no queue {min(unknown)!r}: choose from {', '.join(known)}."
                )
            command.append(f"--queues={options['queues']}")
        if options["beat"]:
            command.append("--beat")
        sys.exit(current_app.worker_main(command) or 0)
