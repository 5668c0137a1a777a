from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Sum

from newsletter import conf
from newsletter.delivery.bounces.models import Bounce, MailboxLook, ReportCount
from newsletter.delivery.bounces.polling import look
from newsletter.exceptions import MailboxUnreachable
from newsletter.management.base import OperatorCommand, Outcome
from newsletter.members.models import Suppression

_MOST_WORDS = 10


class Command(OperatorCommand):
    help = "Tells what came back lately and what follows; with --look it reads the mailbox first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--days", type=int, default=30, help="How far back (default 30).")
        parser.add_argument(
            "--look", action="store_true", help="Read the mailbox of BOUNCE_MAILBOX now."
        )

    def act(self, options: dict[str, Any]) -> Outcome:
        now = datetime.now(UTC)
        if options["look"]:
            url = str(conf.get("BOUNCE_MAILBOX"))
            if not url:
                raise MailboxUnreachable("There is no mailbox: BOUNCE_MAILBOX is empty.")
            look(url, clock=lambda: datetime.now(UTC))
        since = now - timedelta(days=options["days"])
        came_back = Bounce.objects.filter(received_at__gt=since)
        refusals = came_back.filter(kind=Bounce.Kind.ABOUT_US).order_by()
        mailbox = MailboxLook.objects.first() if conf.get("BOUNCE_MAILBOX") else None
        data = {
            "days": options["days"],
            "came_back": dict(
                came_back.order_by().values_list("kind").annotate(number=Count("pk"))
            ),
            "reports": dict(
                ReportCount.objects.filter(day__gt=since.date())
                .order_by()
                .values_list("worth")
                .annotate(number=Sum("number"))
            ),
            "suppressed": dict(
                Suppression.objects.order_by().values_list("reason").annotate(number=Count("pk"))
            ),
            # In the refusing servers' words, the most frequent first.
            "about_us": [
                {"status": status, "server": server, "words": words, "mails": number}
                for status, server, words, number in refusals.values_list(
                    "status", "server", "detail"
                )
                .annotate(number=Count("pk"))
                .order_by("-number", "status")[:_MOST_WORDS]
            ],
            "mailbox": mailbox.problem or "ok" if mailbox else None,
        }
        return Outcome(data, _lines(data), mailbox.problem if mailbox else "")


def _lines(data: dict[str, Any]) -> list[str]:
    lines = [
        f"Mails that came back in {data['days']} days: {_listed(data['came_back'], Bounce.Kind)}.",
        f"Reports: {_listed(data['reports'], ReportCount.Worth)}.",
        f"Suppressed addresses: {_listed(data['suppressed'], Suppression.Reason)}.",
    ]
    if data["about_us"]:
        lines.append("Refused because of our server:")
        lines += [
            f"  {one['mails']} × {one['status']} {one['server']} {one['words']}"
            for one in data["about_us"]
        ]
    return lines


def _listed(numbers: dict[str, int], names: Any) -> str:
    return ", ".join(f"{number} {names(key).label}" for key, number in numbers.items()) or "none"
