"""What somebody asked a worker for: still under way, come, or not come within its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Asked:
    """What became of it; with nothing said they still wait."""

    said: str = ""
    failed: bool = False

    @property
    def waiting(self) -> bool:
        return not self.said


def nothing_came(within: timedelta) -> Asked:
    said = _(
        "Nothing came within %(minutes)d minutes: what works in the background is busy, or stands "
        "still. Try again; if it happens twice, ask whoever runs the site."
    )
    return Asked(said % {"minutes": within // timedelta(minutes=1)}, failed=True)
