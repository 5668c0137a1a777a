"""Giving themes and taking them away by hand, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import Q

from newsletter.desk.history import note
from newsletter.desk.triage import UNDO_SECONDS, Decision, chunks
from newsletter.themes.models import Tagging, ThemeAssignment
from newsletter.themes.tagging import set_themes

SALT = "newsletter.desk.undo_retag"
Was = ThemeAssignment.Decision


@transaction.atomic
def retag(
    article_ids: Sequence[int],
    *,
    add: Collection[int],
    remove: Collection[int],
    by: Any,
    now: datetime,
) -> Decision:
    """These themes are given and those taken away; the others that an article shows stay.

    The undo's token names only what a moment cannot tell: assignments that somebody had decided
    before, and articles that had been reviewed before.
    """
    decided: list[list[Any]] = []
    reviewed: list[int] = []
    for some in chunks(article_ids):
        decided += _decided(some)
        reviewed += Tagging.objects.filter(pk__in=some, reviewed_at__isnull=False).values_list(
            "pk", flat=True
        )
    for pk in article_ids:
        standing = ThemeAssignment.objects.standing().filter(article_id=pk)
        had = set(standing.values_list("theme_id", flat=True))
        set_themes(pk, (had | set(add)) - set(remove), by=by, now=now)
    touched = {
        pk
        for some in chunks(article_ids)
        for pk in ThemeAssignment.objects.filter(article__in=some, decided_by=by, decided_at=now)
        .order_by()
        .values_list("pk", flat=True)
    }
    decided = [row for row in decided if row[0] in touched]
    note(article_ids, "newsletter.retag", by=by, now=now)
    token = [by.pk, now.isoformat(), decided, reviewed]
    return Decision(len(article_ids), signing.dumps(token, salt=SALT, compress=True))


def _decided(article_ids: Sequence[int]) -> list[list[Any]]:
    rows = ThemeAssignment.objects.filter(
        ~Q(decision=Was.SUGGESTED) | Q(decided_at__isnull=False), article__in=article_ids
    ).order_by("pk")
    return [
        [pk, was, by_id, at.isoformat() if at else None]
        for pk, was, by_id, at in rows.values_list("pk", "decision", "decided_by_id", "decided_at")
    ]


@transaction.atomic
def take_back(token: str, *, by: Any, now: datetime) -> int:
    """Undoes a change of this person's, where nobody has decided anew since.

    Raises `django.core.signing.BadSignature` for a token that is not ours, or too old.
    """
    user_id, moment, decided, reviewed = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    if user_id != by.pk:
        raise signing.BadSignature("somebody else's change")
    at = datetime.fromisoformat(moment)
    ours = ThemeAssignment.objects.filter(decided_by=by, decided_at=at)
    looked_at = Tagging.objects.filter(reviewed_at=at)
    ids = sorted({*ours.order_by().values_list("article_id", flat=True), *_pks(looked_at)})
    for pk, was, by_id, then in decided:
        ours.filter(pk=pk).update(
            decision=was,
            decided_by=by_id,
            decided_at=datetime.fromisoformat(then) if then else None,
        )
    # What is left was only suggested, or was not there at all.
    ours.filter(source=ThemeAssignment.Source.EDITOR).delete()
    ours.update(decision=Was.SUGGESTED, decided_by=None, decided_at=None)
    before = set(reviewed)
    first_time = [pk for pk in ids if pk not in before]
    for some in chunks(first_time):
        looked_at.filter(pk__in=some).update(reviewed_at=None)
    note(ids, "newsletter.undo", by=by, now=now)
    return len(ids)


def _pks(rows: Any) -> list[int]:
    return list(rows.values_list("pk", flat=True))
