"""What an editor says of stories: these are the same news, this is not. Their word stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from newsletter.articles.models import Article, Story
from newsletter.articles.stories.models import Resemblance

_AT_ONCE = 500


@dataclass(frozen=True)
class Change:
    """What was, so that it can be taken back."""

    stories: dict[int, int | None]  # of each article that moved, before
    after: int | None  # where they stand now
    apart: tuple[tuple[int, int], ...] = ()  # pairs that an earlier word had kept apart
    split: int | None = None  # the article that was taken out


@transaction.atomic
def merge(article_ids: Iterable[int]) -> Change:
    """Make one story of these articles and of the stories they stand in."""
    asked = _locked(Q(pk__in=list(article_ids)))
    if len(asked) < 2:
        return Change({}, None)
    stories = sorted({story for story in asked.values() if story})
    everyone = asked | _locked(Q(story__in=stories))
    target = stories[0] if stories else Story.objects.create().pk
    moved = {pk: story for pk, story in everyone.items() if story != target}
    # The later word counts.
    apart = Resemblance.objects.apart().touching(list(moved))
    pairs = tuple(
        pair
        for pair in apart.values_list("first_id", "second_id")
        if pair[0] in everyone and pair[1] in everyone
    )
    for first, second in pairs:
        Resemblance.objects.filter(first=first, second=second).delete()
    _move(moved, target)
    return Change(moved, target, pairs)


@transaction.atomic
def split(article_id: int, *, by: Any, now: datetime) -> Change:
    """Take an article out of its story, for good: the rule does not put it back."""
    story_id = _locked(Q(pk=article_id)).get(article_id)
    if story_id is None:
        return Change({}, None)
    rest = [pk for pk in _locked(Q(story=story_id)) if pk != article_id]
    _move([article_id], None)
    _keep_apart([(article_id, pk) for pk in rest], by=by, now=now)
    return Change({article_id: story_id}, None, split=article_id)


@transaction.atomic
def keep_apart(one: int, other: int, *, by: Any, now: datetime) -> list[tuple[int, int]]:
    """Two articles only look alike; the pairs that settles, with those of their stories."""
    stories = _locked(Q(pk__in=[one, other]))
    if len(stories) < 2 or (stories[one] and stories[one] == stories[other]):
        return []
    sides = [
        [pk, *(at for at in _locked(Q(story=stories[pk])) if at != pk)] if stories[pk] else [pk]
        for pk in (one, other)
    ]
    # Of stories with many pieces, the doubts that were raised are answered; not every pair.
    known = set(
        Resemblance.objects.filter(
            Q(first__in=sides[0], second__in=sides[1]) | Q(first__in=sides[1], second__in=sides[0])
        ).values_list("first_id", "second_id")
    )
    pairs = known | {_in_order(one, other)}
    _keep_apart(sorted(pairs), by=by, now=now)
    return sorted(pairs)


@transaction.atomic
def doubt_again(pairs: Iterable[tuple[int, int]]) -> int:
    """Take `keep_apart` back; how many pairs."""
    return sum(
        Resemblance.objects.filter(
            first=first, second=second, state=Resemblance.State.APART
        ).update(state=Resemblance.State.POSSIBLE, decided_by=None, decided_at=None)
        for first, second in pairs
    )


@transaction.atomic
def take_back(change: Change, *, by: Any, now: datetime) -> int:
    """Undo, for the articles that nobody has moved since; how many."""
    standing = _locked(Q(pk__in=list(change.stories)))
    moved = [pk for pk, story in standing.items() if story == change.after]
    for story in {change.stories[pk] for pk in moved}:
        _move([pk for pk in moved if change.stories[pk] == story], story)
    if change.split in moved:
        rest = _locked(Q(story=change.stories[change.split]))
        apart = Resemblance.objects.apart().touching([change.split])
        apart.filter(first__in=rest, second__in=rest).delete()
    _keep_apart(change.apart, by=by, now=now)
    return len(moved)


def possible_duplicates(article: Article) -> list[tuple[Article, float]]:
    """Articles outside its story that look like this one, or like a piece of its story."""
    own = {article.pk}
    if article.story_id:
        pieces = Article.objects.filter(story=article.story_id).order_by("pk")
        own.update(pieces.values_list("pk", flat=True)[:_AT_ONCE])
    found: dict[int, tuple[Article, float]] = {}
    pairs = Resemblance.objects.possible().touching(own).order_by("-share", "pk")
    for one in pairs.select_related("first__feed", "second__feed")[:50]:
        for other in (one.first, one.second):
            inside = other.story_id == article.story_id if article.story_id else False
            if other.pk not in own and not inside:
                found.setdefault(other.story_id or -other.pk, (other, one.share))
    return list(found.values())


def _locked(which: Q) -> dict[int, int | None]:
    rows = Article.objects.select_for_update().filter(which).order_by("pk")
    return dict(rows.values_list("pk", "story_id"))


def _move(article_ids: Iterable[int], story_id: int | None) -> None:
    ids: Sequence[int] = list(article_ids)
    for start in range(0, len(ids), _AT_ONCE):
        Article.objects.filter(pk__in=ids[start : start + _AT_ONCE]).update(story=story_id)


def _in_order(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _keep_apart(pairs: Iterable[tuple[int, int]], *, by: Any, now: datetime) -> None:
    Resemblance.objects.bulk_create(
        [
            Resemblance(
                first_id=first,
                second_id=second,
                state=Resemblance.State.APART,
                decided_by=by,
                decided_at=now,
            )
            for first, second in sorted({_in_order(*pair) for pair in pairs})
        ],
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["first", "second"],
        update_fields=["state", "decided_by", "decided_at"],
    )
