from __future__ import annotations

from typing import Any

from newsletter import conf
from newsletter.feeds.models import Feed
from newsletter.feeds.opml import export_opml
from newsletter.management.base import OperatorCommand, Outcome


class Command(OperatorCommand):
    help = "Prints all feeds as OPML, which feed readers import."

    def act(self, options: dict[str, Any]) -> Outcome:
        document = export_opml(Feed.objects.order_by("pk"), title=conf.site_url()).decode()
        return Outcome({"opml": document}, [document])
