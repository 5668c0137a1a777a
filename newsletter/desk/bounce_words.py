"""What came back, in a delegate's words."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from newsletter.delivery.bounces.models import Bounce
from newsletter.delivery.bounces.receiving import came_back, marks_of
from newsletter.delivery.bounces.scoring import THRESHOLD, standing
from newsletter.digests.models import Digest


def standing_in_words(address_hash: str, *, now: datetime) -> str:
    """How near an address is to being given up; empty when nothing counts against it."""
    where = standing(marks_of(address_hash), today=now.date())
    if where.days_gone:
        return _(
            "Its last mails found no such mailbox. If that happens on another day, no mail goes to "
            "it any more."
        )
    if where.score:
        return _(
            "Its mails come back at times: %(score)s of %(most)s points. With all of them no mail "
            "goes to it any more; after a quiet month they are gone."
        ) % {"score": number_format(where.score, 1), "most": number_format(THRESHOLD, 0)}
    return ""


def came_back_in_words(digest: Digest) -> list[tuple[str, int]]:
    """What its mails came back with, and how many did, the most first."""
    return [(str(Bounce.Kind(kind).label), number) for kind, number in came_back(digest).items()]
