"""What may take its time: a few seconds each, one after the other, again until all is done.

What is to be done, and how far it has come, stands in the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import close_old_connections

from newsletter import conf
from newsletter.articles import addresses, backfill, page_text
from newsletter.delivery.bounces import polling as bounce_polling
from newsletter.digests import following, unapproved
from newsletter.feeds import turns, websub
from newsletter.themes import retagging

logger = logging.getLogger(__name__)

# So long one may take before the next one has its turn.
SECONDS_EACH = 10.0
# All of them with a slow server in each; a killed worker's turn is free again then.
_LONGEST = timedelta(minutes=5)


def fetch_older_posts(now: datetime) -> bool:
    return backfill.step_due(now=now, seconds=SECONDS_EACH, pause=_pause)


def check_addresses(now: datetime) -> bool:
    wanted = addresses.doubtful(now=now)
    if conf.get("ADDRESS_CHECK_HOURS"):
        wanted += unapproved.articles_about_to_go(now=now)
    return addresses.check_addresses(wanted, now=now, seconds=SECONDS_EACH, pause=_pause)


def follow_links(now: datetime) -> bool:
    """Where the links of the drafts lead that go within a day."""
    if not conf.get("ADDRESS_CHECK_HOURS"):
        return False
    return following.follow_drafts(now=now, seconds=SECONDS_EACH)


def fetch_page_texts(now: datetime) -> bool:
    return page_text.fetch_due(now=now, seconds=SECONDS_EACH, pause=_pause)


def look_after_hubs(now: datetime) -> bool:
    return websub.look_after(now=now, seconds=SECONDS_EACH, pause=_pause)


def retag(now: datetime) -> bool:
    return retagging.retag_due(now=now, seconds=SECONDS_EACH)


def read_bounces(now: datetime) -> bool:
    found = bounce_polling.look_if_due(clock=lambda: datetime.now(UTC))
    return found is not None and sum(found.values()) >= bounce_polling.MOST


# Each says whether there is more to do at once.
ERRANDS: list[Callable[[datetime], bool]] = [
    check_addresses,
    follow_links,
    fetch_page_texts,
    look_after_hubs,
    read_bounces,
    retag,
    fetch_older_posts,
]


def run(*, clock: Callable[[], datetime], stop: Callable[[], bool]) -> bool:
    """A round of all of them, unless another worker is at it; whether there is more to do at once.

    One that fails does not stop the others.
    """
    with turns.turn("errands", clock(), longest=_LONGEST) as ours:
        unfinished = [
            one for one in ERRANDS if ours and not stop() and _is_unfinished(one, clock())
        ]
    return bool(unfinished)


def _is_unfinished(errand: Callable[[datetime], bool], now: datetime) -> bool:
    try:
        return errand(now)
    except Exception:
        logger.exception("The errand %s failed; the next tick tries again.", errand.__name__)
        close_old_connections()
        return False


def _pause() -> None:
    time.sleep(1)  # between two requests to the same server
