from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from newsletter.management.base import OperatorCommand, Outcome
from newsletter.management.named import named_newsletter, named_theme
from newsletter.members.models import Subscription
from newsletter.members.signup import add_member
from newsletter.themes.models import Theme


class Command(OperatorCommand):
    help = "Adds somebody who gave their consent elsewhere; that you say so is recorded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--newsletter", action="append", required=True, metavar="SLUG", help="Repeat for more."
        )
        parser.add_argument(
            "--theme",
            action="append",
            default=[],
            metavar="SLUG",
            help="Only what has these themes; repeat for more, leave out for all.",
        )
        parser.add_argument("--language", choices=["it", "en"], default="it")

    def act(self, options: dict[str, Any]) -> Outcome:
        newsletters = [named_newsletter(slug) for slug in options["newsletter"]]
        theme_ids = [named_theme(slug).pk for slug in options["theme"]]
        member = add_member(
            options["email"],
            newsletters,
            theme_ids,
            language=options["language"],
            now=datetime.now(UTC),
        )
        data = {
            "member": member.pk,
            "newsletters": [newsletter.slug for newsletter in newsletters],
            "themes": options["theme"],
        }
        # The address stays out of what a terminal or a log keeps.
        received = member.subscriptions.filter(newsletter__in=newsletters)
        names = ", ".join(
            _described(one) for one in received.select_related("newsletter", "selection")
        )
        return Outcome(data, [f"Member {member.pk} receives {names}."])


def _described(subscription: Subscription) -> str:
    themes = Theme.objects.filter(pk__in=subscription.selection.theme_ids)
    only = ", ".join(theme.name for theme in themes)
    return f"{subscription.newsletter.name} (only {only})" if only else subscription.newsletter.name
