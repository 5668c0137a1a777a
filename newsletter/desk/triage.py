"""Accepting, rejecting and taking it back, for one article or for all that a filter shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import transaction

from newsletter.articles.models import Article
from newsletter.articles.triage import triage
from newsletter.desk.history import note
from newsletter.themes.models import Tagging, ThemeAssignment
from newsletter.themes.tagging import confirm_suggestions

MAY_TRIAGE = "newsletter.triage_article"
SALT = "newsletter.desk.undo"
UNDO_SECONDS = 24 * 3600
ACTIONS = {
    Article.State.ACCEPTED: "newsletter.accept",
    Article.State.REJECTED: "newsletter.reject",
    Article.State.NEW: "newsletter.to_triage",
}
TRIAGED = [Article.State.NEW, Article.State.ACCEPTED, Article.State.REJECTED]


@dataclass(frozen=True)
class Decision:
    count: int
    undo: str  # a token for `take_back`; empty when nothing changed


@transaction.atomic
def decide(article_ids: Sequence[int], state: Article.State, *, by: Any, now: datetime) -> Decision:
    """Gives every article this state; what the publisher withdrew stays as it is.

    Each former state gets a moment of its own, a microsecond apart: the undo then needs only
    these moments, however many articles there were.
    """
    count = 0
    moments = []
    for step, former in enumerate(one for one in TRIAGED if one != state):
        moment = now + timedelta(microseconds=step)
        ids = [pk for some in chunks(article_ids) for pk in in_state(former, some)]
        if not ids:
            continue
        count += triage(ids, state, by=by, now=moment)
        if state == Article.State.ACCEPTED:
            confirm_suggestions(ids, by=by, now=moment)
        note(ids, ACTIONS[state], by=by, now=moment)
        moments.append([former.value, moment.isoformat()])
    return Decision(count, signing.dumps([by.pk, moments], salt=SALT) if moments else "")


def with_their_stories(article_ids: Sequence[int]) -> list[int]:
    """These, and what waits in the inbox behind them: the other pieces of their stories."""
    stories = {
        story_id
        for some in chunks(article_ids)
        for story_id in Article.objects.filter(pk__in=some, story__isnull=False)
        .order_by()
        .values_list("story_id", flat=True)
    }
    waiting = [
        pk
        for some in chunks(sorted(stories))
        for pk in Article.objects.filter(story__in=some, state=Article.State.NEW)
        .order_by("pk")
        .values_list("pk", flat=True)
    ]
    return list(dict.fromkeys([*article_ids, *waiting]))


def in_state(state: Article.State, ids: Sequence[int]) -> Iterator[int]:
    return Article.objects.filter(state=state, pk__in=ids).values_list("pk", flat=True).iterator()


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """SQLite takes 32,766 values in one query (https://www.sqlite.org/limits.html)."""
    for start in range(0, len(ids), 10_000):
        yield ids[start : start + 10_000]


@transaction.atomic
def take_back(token: str, *, by: Any, now: datetime) -> int:
    """Undoes a decision of this person's, where nobody has decided anew since.

    Raises `django.core.signing.BadSignature` for a token that is not ours, or too old.
    """
    user_id, moments = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    if user_id != by.pk:
        raise signing.BadSignature("somebody else's decision")
    count = 0
    for former, moment in moments:
        at = datetime.fromisoformat(moment)
        ids = list(
            Article.objects.filter(triaged_by=by, triaged_at=at)
            .order_by()
            .values_list("pk", flat=True)
        )
        # By their articles: there is no index on these moments, and none is worth its cost.
        for some in chunks(ids):
            ThemeAssignment.objects.filter(
                article__in=some,
                decided_by=by,
                decided_at=at,
                decision=ThemeAssignment.Decision.CONFIRMED,
            ).exclude(source=ThemeAssignment.Source.EDITOR).update(
                decision=ThemeAssignment.Decision.SUGGESTED, decided_by=None, decided_at=None
            )
            Tagging.objects.filter(pk__in=some, reviewed_at=at).update(reviewed_at=None)
        count += triage(ids, Article.State(former), by=by, now=now)
        note(ids, "newsletter.undo", by=by, now=now)
    return count
