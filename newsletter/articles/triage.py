"""Accepting and rejecting what arrived."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from newsletter.articles.models import Article
from newsletter.signals import article_triaged

# Below SQLite's limit on variables in one statement, whatever its build.
_AT_ONCE = 500


def triage(
    article_ids: Iterable[int], state: Article.State, *, by: Any | None, now: datetime
) -> int:
    """Move articles to `state`; how many changed. `by` is the person, None for a rule.

    Articles that are in that state already are left alone, so that the first decision's author
    and time stay.
    """
    ids = list(dict.fromkeys(article_ids))
    changed: list[int] = []
    with transaction.atomic():
        for start in range(0, len(ids), _AT_ONCE):
            some = Article.objects.filter(pk__in=ids[start : start + _AT_ONCE]).exclude(state=state)
            found = list(some.select_for_update().values_list("pk", flat=True).order_by("pk"))
            Article.objects.filter(pk__in=found).update(state=state, triaged_at=now, triaged_by=by)
            changed += found
        if changed:
            transaction.on_commit(
                partial(
                    article_triaged.send_robust,
                    sender=Article,
                    article_ids=tuple(changed),
                    state=state,
                    user=by,
                )
            )
    return len(changed)
