from __future__ import annotations

import pytest

from newsletter.digests.models import Newsletter
from newsletter.members.rhythm import rhythm


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"frequency": "weekly", "weekdays": [3]}, "every Thursday at 8:00"),
        ({"frequency": "weekly", "weekdays": []}, "every Monday at 8:00"),
        ({"frequency": "daily"}, "every day at 8:00"),
        ({"frequency": "daily", "weekdays": [4, 3, 2, 1, 0]}, "from Monday to Friday at 8:00"),
        ({"frequency": "daily", "weekdays": [0, 3]}, "every Monday, every Thursday at 8:00"),
        ({"frequency": "monthly", "month_day": 1}, "on the first day of every month at 8:00"),
        ({"frequency": "monthly", "month_day": 15}, "on day 15 of every month at 8:00"),
        ({"frequency": "monthly", "month_day": 31}, "on the last day of every month at 8:00"),
        ({"frequency": "weekly", "weekdays": [5], "send_at": "18:30"}, "every Saturday at 18:30"),
        ({"frequency": "manual"}, "now and then"),
        ({"kind": "urgent"}, "only when it is urgent"),
    ],
)
def test_when_it_comes_in_words(fields: dict[str, object], said: str) -> None:
    assert rhythm(Newsletter(**fields)) == said
