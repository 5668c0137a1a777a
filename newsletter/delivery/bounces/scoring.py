"""When an address is given up: a pure decision from what came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.delivery.bounces.models import Bounce
from newsletter.members.models import Suppression

Kind = Bounce.Kind

DAYS_GONE = 2  # on so many days there was no such mailbox
POINTS_A_DAY = 0.5
THRESHOLD = 5.0
STALE = timedelta(days=30)


@dataclass(frozen=True)
class Mark:
    """One report, as far as it counts."""

    kind: Bounce.Kind
    mailed_on: date
    is_signed: bool = False  # by a provider whose word is enough


@dataclass(frozen=True)
class Standing:
    """Where an address stands. `verdict` says why it is given up; None: it is mailed."""

    days_gone: int
    score: float
    verdict: Suppression.Reason | None


def standing(marks: Sequence[Mark], *, today: date) -> Standing:
    """Days are those on which the mails were sent: ten reports on one day's mails are one.

    A score that nothing was added to for longer than STALE begins again at zero.
    """
    gone = [mark for mark in marks if mark.kind == Kind.GONE]
    days_gone = len({mark.mailed_on for mark in gone})
    score = _score((mark.mailed_on for mark in marks if mark.kind == Kind.PASSING), today)
    verdict = None
    if any(mark.kind == Kind.COMPLAINT for mark in marks):
        verdict = Suppression.Reason.COMPLAINT
    elif days_gone >= DAYS_GONE or any(mark.is_signed for mark in gone):
        verdict = Suppression.Reason.BOUNCE
    elif score >= THRESHOLD:
        verdict = Suppression.Reason.RETURNED
    return Standing(days_gone, score, verdict)


def _score(days: Iterable[date], today: date) -> float:
    score, last = 0.0, None
    for day in sorted(set(days)):
        if last is not None and day - last > STALE:
            score = 0.0
        score, last = score + POINTS_A_DAY, day
    return score if last is not None and today - last <= STALE else 0.0
