"""One at a time: who asks a server takes a turn, in the database, so that all processes see it.

A poll has the right of way: it never waits for a turn, and while a feed of a host is polled the
host is not asked for anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from newsletter.feeds.models import Feed, Turn, host_of

# Longer than one exchange and what is made of it; a killed process's turn is free again then.
_LONGEST = timedelta(minutes=3)


@contextmanager
def turn(name: str, now: datetime, *, longest: timedelta = _LONGEST) -> Iterator[bool]:
    """Whether it is ours; when it is, it is given back at the end."""
    ours = _take(name, now, now + longest)
    try:
        yield ours
    finally:
        if ours:
            Turn.objects.filter(name=name, until=now + longest).delete()


@contextmanager
def host_turn(url: str, now: datetime) -> Iterator[bool]:
    """Whether the host of `url` may be asked now, by us alone."""
    host = host_of(url)
    if Feed.objects.filter(host=host, claimed_until__gte=now).exists():
        yield False
        return
    with turn(f"host:{host}", now) as ours:
        yield ours


def _take(name: str, now: datetime, until: datetime) -> bool:
    if Turn.objects.filter(name=name, until__lt=now).update(until=until):
        return True
    try:
        with transaction.atomic():
            Turn.objects.create(name=name, until=until)
    except IntegrityError:
        return False
    return True
