from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from newsletter.management.base import OperatorCommand, Outcome
from newsletter.themes import retraining, tagging
from newsletter.themes.models import LearnedModel


class Command(OperatorCommand):
    help = "Puts what was learned before the last time in use again, where suggestions got worse."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("language", metavar="LANGUAGE", help="it, en …")
        parser.add_argument("--yes", action="store_true", help="Do it; without, only say what.")

    def act(self, options: dict[str, Any]) -> Outcome:
        language = options["language"]
        current = LearnedModel.objects.current().filter(language=language).first()
        before = retraining.model_before(language)
        if current is None or before is None:
            raise CommandError(f"Nothing was learned before the last time in {language!r}.")
        data: dict[str, Any] = {"language": language, "from": _told(current), "to": _told(before)}
        lines = [f"in use: {_words(current)}", f"before: {_words(before)}"]
        if options["yes"]:
            before = retraining.roll_back(language)
            if before is None:
                raise CommandError("Something was learned at this very moment. Look again.")
            data["looked_at_again"] = tagging.tag_again(language, now=datetime.now(UTC))
            lines.append(f"In use again: the one of {before.started_at:%Y-%m-%d %H:%M}.")
        else:
            lines.append("Nothing was changed. Say --yes to put the one before in use.")
        return Outcome(data | {"done": options["yes"]}, lines)


def _told(model: LearnedModel) -> dict[str, Any]:
    return {
        "learned": model.started_at.isoformat(),
        "reviewed": model.facts.get("reviewed", 0),
        "ndcg": model.facts.get("ndcg"),
    }


def _words(model: LearnedModel) -> str:
    told = _told(model)
    ranks = "" if told["ndcg"] is None else f", ranking {told['ndcg']:.3f}"
    return f"learned {model.started_at:%Y-%m-%d %H:%M}, {told['reviewed']} reviewed{ranks}"
