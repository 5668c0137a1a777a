"""Everything on one machine with one Ctrl-C: `manage.py run`, with the demo `run --demo`."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import translation

from newsroom.running.children import ChildDied, Children
from newsroom.running.database import migrate
from newsroom.running.demo import Demo
from newsroom.running.ports import HOST, is_free
from newsroom.running.story import News, NotDone, Story

LEAST_FREE_BYTES = 50_000_000
NEWS_SECONDS = 3


class Stop(Exception):
    """Somebody asked us to end."""


class Command(BaseCommand):
    help = "Runs everything on this machine: site, worker and clock; with --demo also a demo."
    # `check` runs after the migrations: some checks ask the database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="With demo feeds and a mailbox.")
        parser.add_argument(
            "--once", action="store_true", help="End once the first digest is in the mailbox."
        )
        parser.add_argument(
            "--host", default=HOST, help="Where the site listens; the demo only on 127.0.0.1."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"] and not options["demo"]:
            raise CommandError("--once ends after the demo's first digest: add --demo.")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _ask_to_stop)
        # The terminal has the main job; the processes log into files.
        logging.getLogger().setLevel(logging.WARNING)
        try:
            # The terminal speaks one language, whatever the site's is.
            with translation.override("en"):
                self._run(options)
        except Stop:
            self._say("", "Stopped.")
        except (ChildDied, NotDone) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(_about_database(error)) from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                raise
            raise CommandError(_about_disk(error)) from error

    def _run(self, options: dict[str, Any]) -> None:
        started = time.monotonic()
        since = datetime.now(UTC)
        host = HOST if options["demo"] else options["host"]
        self._look_around(host)
        with ExitStack() as stack:
            stack.callback(_lock().close)
            self._say("", f"Bollettino, with everything it writes in {settings.DATA_DIR}")
            migrate()
            call_command("check", stdout=StringIO())
            vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, "")
            self._say("Database", f"{vendor} ready")
            demo = stack.enter_context(Demo(settings.DATA_DIR)) if options["demo"] else None
            children = Children(settings.DATA_DIR / "logs", demo.env if demo else {})
            stack.callback(children.stop)
            children.start("worker", "--beat")
            children.start("web", f"--bind={host}:{settings.PORT}")
            if demo:
                loaded = demo.load(now=since)
                self._say(
                    "Demo",
                    f"{loaded.newsletters} newsletters, {loaded.themes} themes, "
                    f"{loaded.feeds} feeds, {loaded.members} members",
                )
                story = Story(self._say, children.check)
                digest = story.main_job(demo.newsletter, since=since)
                demo.confirm_arrival(digest)
                self._say("", f"Done after {time.monotonic() - started:.0f} s.")
            _wait_for_site(host, children)
            self._say_addresses(host, demo)
            if not options["once"]:
                self._say("", "Ctrl-C stops everything; the data stays.")
                self._stay(children)
            connection.close()

    def _look_around(self, host: str) -> None:
        if not is_free(settings.PORT, host):
            raise CommandError(
                f"Port {settings.PORT} is taken. Stop what uses it, or choose another: "
                f"make run PORT={settings.PORT + 10}"
            )
        free = shutil.disk_usage(settings.DATA_DIR).free
        if free < LEAST_FREE_BYTES:
            raise CommandError(
                f"The disk of {settings.DATA_DIR} is full ({free // 1_000_000} MB left). "
                "Make room, or choose another folder: DATA_DIR=/path/to/folder"
            )

    def _stay(self, children: Children) -> None:
        news = News(self._say)
        look_at = time.monotonic() + NEWS_SECONDS
        while True:
            children.check()
            if time.monotonic() > look_at:
                news.look()
                look_at = time.monotonic() + NEWS_SECONDS
            time.sleep(0.3)

    def _say_addresses(self, host: str, demo: Demo | None) -> None:
        site = f"http://{host}:{settings.PORT}"
        self._say("", "")
        self._say("Site", f"{site}/")
        login = f"   ({demo.login})" if demo else ""
        self._say("Admin", f"{site}/admin/{login}")
        if demo:
            self._say("", f"{'':<10}({demo.second_login})")
            self._say("Mailbox", demo.mailbox_words)
        self._say("", "")

    def _say(self, stage: str, words: str) -> None:
        self.stdout.write(f"{stage:<10}{words}" if stage else words)
        self.stdout.flush()


def _ask_to_stop(number: int, frame: object) -> None:
    # A second Ctrl-C while things end must not interrupt the ending.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise Stop


def _lock() -> TextIO:
    """Held until it is closed: two instances on one folder would share a broker and its ports."""
    path = settings.DATA_DIR / "run.lock"
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise CommandError(
            f"Bollettino already runs on {settings.DATA_DIR} (process {owner}). "
            "Stop it, or choose another folder: DATA_DIR=/path/to/folder"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _wait_for_site(host: str, children: Children) -> None:
    deadline = time.monotonic() + 60
    while is_free(settings.PORT, host):
        children.check()
        if time.monotonic() > deadline:
            raise NotDone("The site did not start within 60 s: see the log web.log")
        time.sleep(0.1)


def _about_database(error: DatabaseError) -> str:
    words = str(error).strip().partition("\n")[0]
    if "disk" in words or "full" in words or "No space" in words:
        return f"The database can't be written ({words}). Is the disk of {settings.DATA_DIR} full?"
    return f"The database can't be used ({words}). Is DATABASE_URL right?"


def _about_disk(error: OSError) -> str:
    where = error.filename or settings.DATA_DIR
    return (
        f"{where} can't be written ({error.strerror}). Make room, or choose another folder: "
        "DATA_DIR=/path/to/folder"
    )
