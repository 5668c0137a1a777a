"""One at a time: who asks a server takes a turn, in the database, so that all processes see it.

A poll's turn is the claim of its feed (feeds.polling). While either is under way, the other does
not begin: the turn is taken before the claims are looked at, and a claim looks at the turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import OuterRef, QuerySet, Value
from django.db.models.functions import Concat

from newsletter.feeds.models import Feed, Turn, host_of

# Longer than one exchange and what is made of it; a killed process's turn is free again then.
_LONGEST = timedelta(minutes=3)
_HOST = "host:"
# When to ask again for a turn that was not to be had.
BUSY = timedelta(minutes=1)


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
    with turn(f"{_HOST}{host}", now) as ours:
        yield ours and not _is_polled(host, now)


def turns_of(host: str | OuterRef, now: datetime) -> QuerySet[Turn]:
    """The turn in which `host` is asked now, if it is."""
    name = Concat(Value(_HOST), host) if isinstance(host, OuterRef) else f"{_HOST}{host}"
    return Turn.objects.filter(name=name, until__gte=now)


def queue_for(host: str) -> None:
    """Wait until nobody else claims a feed of this host. For the rest of the transaction.

    SQLite has one writer at a time; PostgreSQL would look at what was before the other's claim.
    """
    if connection.features.has_select_for_update:
        list(Feed.objects.select_for_update().filter(host=host).order_by("pk").values("pk"))


def _is_polled(host: str, now: datetime) -> bool:
    with transaction.atomic():
        queue_for(host)
        return Feed.objects.filter(host=host, claimed_until__gte=now).exists()


def _take(name: str, now: datetime, until: datetime) -> bool:
    if Turn.objects.filter(name=name, until__lt=now).update(until=until):
        return True
    try:
        with transaction.atomic():
            Turn.objects.create(name=name, until=until)
    except IntegrityError:
        return False
    return True
