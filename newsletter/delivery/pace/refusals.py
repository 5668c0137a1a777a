"""A sender that is refused too often stops for a person to look. Pure."""

from __future__ import annotations

import re
from collections import deque

from django.utils.translation import gettext as _

_WRITTEN = re.compile(r"(\d+)/(\d+)", re.ASCII)


class Refusals:
    """What became of one sender's last mails; without a limit it is never too much."""

    def __init__(self, limit: str) -> None:
        """`20/100`: more than 20 of the last 100. Raises ValueError."""
        self.most = self.of = 0
        if limit:
            found = _WRITTEN.fullmatch(limit.strip())
            if not found or not 0 < int(found.group(1)) < int(found.group(2)):
                raise ValueError(f"a limit of refusals looks like 20/100, not {limit!r}")
            self.most, self.of = int(found.group(1)), int(found.group(2))
        self._last: deque[bool] = deque(maxlen=self.of)

    def why_pause(self, *, refused: bool) -> str:
        """With this one among the last; empty: go on."""
        self._last.append(refused)
        if not self.of or sum(self._last) <= self.most:
            return ""
        return _(
            "It paused by itself: more than %(most)d of the last %(of)d mails were refused for "
            "good. Look at the reasons below before you resume it."
        ) % {"most": self.most, "of": self.of}
