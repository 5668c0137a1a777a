"""Loads the demo without starting anything: `manage.py demo`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from demo import loading
from newsletter.management.base import OperatorCommand, Outcome
from newsroom.running.demo import demo_feeds, refuse_foreign


class Command(OperatorCommand):
    help = "Loads the demo: newsletters, themes, members, feeds, archive. `run --demo` serves them."

    def act(self, options: dict[str, Any]) -> Outcome:
        refuse_foreign()
        now = datetime.now(UTC)
        loaded = loading.load(
            demo_feeds(settings.DATA_DIR, now), site_url=settings.SITE_URL, now=now
        )
        data = {
            "newsletters": loaded.newsletters,
            "themes": loaded.themes,
            "feeds": loaded.feeds,
            "members": loaded.members,
            "login": loading.LOGIN,
            "second_login": loading.SECOND_LOGIN,
        }
        lines = [
            f"{loaded.newsletters} newsletters, {loaded.themes} themes, {loaded.feeds} feeds, "
            f"{loaded.members} members.",
            f"Admin login: user {loading.LOGIN}, password {loading.PASSWORD}; "
            f"a second person, who approves too: {loading.SECOND_LOGIN}.",
            "`manage.py run --demo` serves the feeds and keeps the mail.",
        ]
        return Outcome(data, lines)
