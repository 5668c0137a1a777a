"""Look again at what was tagged by other words, when an editor has changed a theme's.

The database says what is due: everything tagged before the words in force, that nobody has
reviewed. So it can stop at any moment and go on from there, and whoever changed the words, in the
admin, by a command or in another process, makes no difference.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from newsletter import conf
from newsletter.themes.models import Tagging, Theme, WordsInForce
from newsletter.themes.tagging import CHUNK, rule_rows, tag

_ONLY = 1  # the key of the one row
COUNT_UP_TO = 10_000


def words_in_force_since(*, now: datetime) -> datetime:
    """When the themes' words last changed; notes it when they have since anybody asked."""
    accepting = Theme.objects.filter(accept_automatically=True).order_by("pk")
    basis = json.dumps(
        [rule_rows(), conf.get("SUGGEST_THRESHOLD"), list(accepting.values_list("pk", flat=True))]
    )
    fingerprint = hashlib.sha256(basis.encode()).hexdigest()
    with transaction.atomic():
        words, _ = WordsInForce.objects.select_for_update().get_or_create(
            pk=_ONLY, defaults={"fingerprint": fingerprint, "since": now}
        )
        if words.fingerprint != fingerprint:
            words.fingerprint, words.since = fingerprint, now
            words.save()
    return words.since


def due(since: datetime) -> QuerySet[Tagging]:
    """What lately arrived comes first: it is what editors look at."""
    return Tagging.objects.filter(reviewed_at__isnull=True, tagged_at__lt=since).order_by(
        "-tagged_at"
    )


def count_due(*, now: datetime) -> int:
    """How many articles wait to be looked at again; no more than COUNT_UP_TO are counted."""
    return due(words_in_force_since(now=now))[:COUNT_UP_TO].count()


def retag_due(*, now: datetime, seconds: float) -> bool:
    """Looks again for about so long; whether there is more to do."""
    stop_at = time.monotonic() + seconds
    since = words_in_force_since(now=now)
    while time.monotonic() < stop_at:
        ids = list(due(since).values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return False
        # Where another machine's clock is ahead, they must not be due again at once.
        tag(ids, now=max(now, since))
    return True
