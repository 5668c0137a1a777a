"""Starts the web server on one line: `manage.py web`. Gunicorn, with threads."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

from newsletter.management.parent import end_with_parent


class Command(BaseCommand):
    help = "Serves the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind",
            default=f"127.0.0.1:{settings.PORT}",
            metavar="HOST:PORT",
            help="Default 127.0.0.1 and PORT.",
        )
        parser.add_argument("--workers", type=int, default=1, help="Processes (default 1).")
        parser.add_argument("--threads", type=int, default=4, help="In each (default 4).")
        parser.add_argument("--parent", type=int, help="End when this process is gone.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["parent"]:
            end_with_parent(options["parent"])
        beats = settings.DATA_DIR / "tmp"  # by which Gunicorn sees that its workers live
        beats.mkdir(parents=True, exist_ok=True)
        Site(
            {
                "bind": options["bind"],
                "workers": options["workers"],
                "threads": options["threads"],
                "proc_name": "bollettino-web",
                # No socket in the user's home folder: several instances share that.
                "control_socket_disable": True,
                "graceful_timeout": 10,
                "worker_tmp_dir": str(beats),
            }
        ).run()


class Site(BaseApplication):  # type: ignore[misc]
    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            if name in self.cfg.settings:  # older Gunicorns lack some
                self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()
