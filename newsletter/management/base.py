"""What every operator's command shares: --json, one clear line for an error, a clean Ctrl-C."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from django.utils import translation

from newsletter.exceptions import NewsletterError


def words_of_the_site() -> AbstractContextManager[None]:
    """For what a command records, as in a feed's last error: editors read it in the admin."""
    return translation.override(settings.LANGUAGE_CODE)


@dataclass(frozen=True)
class Outcome:
    """What a command did: `data` for --json, `lines` for a person; `problem` makes it fail."""

    data: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    problem: str = ""


class OperatorCommand(BaseCommand):
    """Subclasses say what they do in `act`; it raises a NewsletterError for what went wrong."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="One JSON object on standard output."
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = bool(options["json"])
        try:
            # Commands speak English, as their --help does, whatever the site's language.
            with translation.override("en"):
                outcome = self.act(options)
        except (NewsletterError, CommandError) as error:
            self._refuse(str(error), as_json)
        except (OperationalError, ProgrammingError) as error:
            first_line = str(error).strip().partition("\n")[0]
            self._refuse(
                f"The database can't be used ({first_line}). "
                "Is DATABASE_URL right, and was `manage.py migrate` run?",
                as_json,
            )
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Nothing is lost: the same command goes on from here.")
            sys.exit(130)
        else:
            if as_json:
                ok = {"ok": not outcome.problem}
                self.stdout.write(json.dumps(ok | outcome.data, ensure_ascii=False, default=str))
            else:
                for line in outcome.lines:
                    self.stdout.write(line)
            if outcome.problem:
                raise CommandError(outcome.problem)

    def _refuse(self, message: str, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"ok": False, "error": message}, ensure_ascii=False))
        raise CommandError(message)
