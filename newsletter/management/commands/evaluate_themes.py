from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from newsletter import conf
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.themes import evaluation


class Command(OperatorCommand):
    help = "Says how good theme suggestions are on labelled texts; touches no database."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--themes", required=True, metavar="FILE", help='[{"name": …, "keywords": […]}, …]'
        )
        parser.add_argument(
            "--train", metavar="FILE", help="Reviewed articles, one JSON object a line."
        )
        parser.add_argument("--test", metavar="FILE", help="Articles to suggest for.")
        parser.add_argument(
            "--folds", type=int, metavar="N", help="Instead of --test: cross-validate --train."
        )
        parser.add_argument(
            "--predictions", metavar="FILE", help="Write each article's themes with evidence."
        )
        parser.add_argument(
            "--check-evidence",
            action="store_true",
            help="Also delete the words that gave each suggestion, and see whether it goes.",
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        if bool(options["test"]) == bool(options["folds"]):
            raise CommandError("Give either --test FILE, or --folds N with --train FILE.")
        themes = evaluation.read_themes(options["themes"])
        unknown: Counter[str] = Counter()
        train, test = (
            evaluation.read_articles(options[name], themes, unknown) if options[name] else iter(())
            for name in ("train", "test")
        )
        how: dict[str, Any] = {
            "threshold": float(conf.get("SUGGEST_THRESHOLD")),
            "check_evidence": options["check_evidence"],
        }
        if options["folds"]:
            articles = list(train)
            if options["folds"] < 2 or len(articles) < options["folds"]:
                raise CommandError("--folds needs --train with at least N articles, and N of 2.")
            report = evaluation.evaluate_folds(themes, articles, options["folds"], **how)
        else:
            articles = list(test)
            if not articles:
                raise CommandError(f"{options['test']}: there are no articles in it.")
            report = evaluation.evaluate(themes, train, articles, **how)
        if options["predictions"]:
            self._write(options["predictions"], report)
        data = evaluation.summary(report)
        data["unknown_themes"] = dict(unknown)
        return Outcome(data, [*_lines(data)])

    def _write(self, path: str, report: evaluation.Report) -> None:
        lines = (json.dumps(one, ensure_ascii=False) for one in evaluation.predictions(report))
        try:
            with Path(path).open("w", encoding="utf-8") as stream:
                stream.writelines(line + "\n" for line in lines)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error


def _lines(data: dict[str, Any]) -> list[str]:
    lines = []
    if data["unknown_themes"]:
        names = ", ".join(sorted(data["unknown_themes"]))
        lines.append(f"Left out, as they are not among the themes: {names}")
    for key, value in data.items():
        if not isinstance(value, dict):
            lines.append(f"{key.replace('_', ' '):<36} {'–' if value is None else value}")
    lines += [f"  F1 of {name:<30} {score}" for name, score in data["f1_by_theme"].items()]
    return lines
