"""Looking into the mailbox for bounces, every few minutes."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from newsletter import conf
from newsletter.delivery.bounces.mailbox import opened, parse_url
from newsletter.delivery.bounces.models import Bounce, MailboxLook, ReportCount
from newsletter.delivery.bounces.receiving import count, receive
from newsletter.exceptions import MailboxUnreachable

logger = logging.getLogger(__name__)

Worth = ReportCount.Worth

EVERY = timedelta(minutes=5)
# Then the next look goes on.
MOST = 500
# A person may have an eye on these; all else is of no more use to anybody.
_KEPT = {Worth.NO_REPORT, Worth.NOT_OURS, Worth.UNREADABLE}


def look_if_due(*, clock: Callable[[], datetime]) -> Counter[ReportCount.Worth] | None:
    """What the mailbox held; None: it is not time yet, or there is no mailbox.

    Nothing is raised for a mailbox that cannot be read: that is remembered for the operators.
    """
    url = str(conf.get("BOUNCE_MAILBOX"))
    now = clock()
    MailboxLook.objects.get_or_create(pk=1, defaults={"looked_at": now - EVERY})
    due = MailboxLook.objects.filter(pk=1, looked_at__lte=now - EVERY)
    if not url or not due.update(looked_at=now):
        return None  # or another worker looks
    try:
        found = look(url, clock=clock)
    except MailboxUnreachable as error:
        logger.warning("%s", error)
        MailboxLook.objects.filter(pk=1).update(problem=str(error)[:300])
        return Counter()
    # With more in it, the next look comes at once.
    again = now - EVERY if sum(found.values()) >= MOST else now
    MailboxLook.objects.filter(pk=1).update(read_at=now, looked_at=again, problem="")
    return found


def look(
    url: str, *, clock: Callable[[], datetime], most: int = MOST
) -> Counter[ReportCount.Worth]:
    """Take in what the mailbox holds.

    Raises MailboxUnreachable; what was taken in by then counts all the same.
    """
    found: Counter[ReportCount.Worth] = Counter()
    with opened(parse_url(url)) as mailbox:
        for raw in mailbox.mails(most):
            if raw is None:
                worth = Worth.UNREADABLE
                count(worth, Bounce.Source.MAIL, now=clock())
            else:
                worth = receive(raw, now=clock())
            found[worth] += 1
            if worth in _KEPT:
                mailbox.keep()
    return found
