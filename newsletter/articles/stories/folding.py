"""Fold the articles that tell the same news into stories, and note what may be a duplicate.

The rule only ever folds: what is one story by an editor's word stays one, and what an editor has
split stays apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import F, Q

from newsletter.articles.models import Article, Story
from newsletter.articles.stories.index import candidates, read_pieces, remember
from newsletter.articles.stories.likeness import ALIKE, Judgement, Piece, Verdict, judge
from newsletter.articles.stories.models import Fingerprint, Resemblance
from newsletter.articles.stories.words import Sample, unpack

CHUNK = 100
# How far back what changed is looked for: bounds the query on half a million articles.
LOOK_BACK = timedelta(days=30)
MOST_SUGGESTIONS = 5  # for one article
_COMPARED_PIECES = 20  # of a story, with an excerpt that would join it

_ORDER = [Verdict.SAME, Verdict.PART, Verdict.POSSIBLE]


def fold_pending(*, now: datetime, limit: int = 1000) -> int:
    """Look at what came or changed lately, then at older articles that were never looked at."""
    return fold(pending(now, limit), now=now)


def pending(now: datetime, limit: int) -> list[int]:
    recent = (
        Article.objects.filter(changed_at__gt=now - LOOK_BACK)
        .filter(Q(fingerprint__isnull=True) | Q(fingerprint__compared_at__lt=F("changed_at")))
        .order_by("changed_at")
        .values_list("pk", flat=True)[:limit]
    )
    interrupted = Fingerprint.objects.filter(compared_at__isnull=True).values_list("pk", flat=True)
    found = list(dict.fromkeys([*recent, *interrupted[:limit]]))[:limit]
    # Two counts are cheap; looking for the missing ones walks past all that are there.
    if len(found) < limit and Article.objects.count() > Fingerprint.objects.count():
        never = Article.objects.filter(fingerprint__isnull=True).exclude(pk__in=found)
        found += never.order_by("-pk").values_list("pk", flat=True)[: limit - len(found)]
    return found


def fold(article_ids: Iterable[int], *, now: datetime) -> int:
    """Index these articles and compare them with all others; how many joined a story."""
    joined = 0
    for ids in _chunks(article_ids):
        pieces = read_pieces(ids)
        # Committed before the comparison: of two workers, the later one then sees the other's.
        changed = remember(pieces)
        Resemblance.objects.possible().touching(changed).delete()
        joined += _settle([(piece, judged) for piece, judged in _judged(pieces) if judged])
        Fingerprint.objects.filter(article__in=ids).update(compared_at=now)
    return joined


Judged = list[tuple[Piece, Judgement]]


def _judged(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, Judged]]:
    """Each piece with the articles that tell, or may tell, the same; the likest first."""
    found = candidates(pieces)
    known = {piece.text.key: piece.text for piece in pieces}
    # One article stands for all that have its words.
    unread = {
        row.text: row.article_id
        for rows in found.values()
        for row in rows
        if row.text and row.text not in known
    }
    for other in read_pieces(sorted(unread.values())):
        known.setdefault(other.text.key, other.text)
    everyone = {row.article_id: row.text for rows in found.values() for row in rows}
    texts = {pk: known[text] for pk, text in everyone.items() if text in known}
    texts |= {piece.article_id: piece.text for piece in pieces}
    others = {other.article_id: other for other in read_pieces(sorted(everyone), texts)}
    for piece in pieces:
        judged = [
            (others[pk], judge(piece, others[pk]))
            for pk in dict.fromkeys(row.article_id for row in found[piece.article_id])
            if pk in others
        ]
        judged = [(other, said) for other, said in judged if said.verdict != Verdict.OTHER]
        judged.sort(
            key=lambda pair: (
                _ORDER.index(pair[1].verdict),
                -pair[1].jaccard,
                -pair[1].share,
                abs(pair[0].told_at - piece.told_at),
                pair[0].article_id,
            )
        )
        yield piece, judged


def _settle(found: Sequence[tuple[Piece, Judged]]) -> int:
    """Fold what is sure, note what is not; how many articles stand in a story that did not."""
    ids = {piece.article_id for piece, _judged in found}
    ids |= {other.article_id for _piece, judged in found for other, _said in judged}
    with transaction.atomic():
        # All at once and in order, so that two workers wait for each other instead of locking up.
        locked = Article.objects.select_for_update().filter(pk__in=ids).order_by("pk")
        stories: dict[int, int | None] = dict(locked.values_list("pk", "story_id"))
        alone = sum(story is None for story in stories.values())
        for piece, judged in found:
            doubtful: Judged = []
            for other, said in judged:
                if piece.article_id not in stories or other.article_id not in stories:
                    continue  # deleted meanwhile
                if said.verdict == Verdict.POSSIBLE or not _settled(
                    piece.article_id, other.article_id, said.verdict, stories
                ):
                    doubtful.append((other, said))
            _suggest(piece, doubtful, stories)
    return alone - sum(story is None for story in stories.values())


def _settled(one: int, other: int, verdict: Verdict, stories: dict[int, int | None]) -> bool:
    """Make them one story, unless they are, or an editor said no; False when in doubt."""
    first, second = stories[one], stories[other]
    if first is not None and second is not None:
        # Two stories that one text tells are one; an excerpt of both joins nothing.
        return first == second or (verdict == Verdict.SAME and _are_one(first, second, stories))
    lone, other = (one, other) if stories[one] is None else (other, one)
    story_id = stories[other]
    if _are_apart(lone, other, story_id):
        return True
    if verdict == Verdict.PART and story_id and not _is_part_of_all(lone, story_id):
        # A round-up holds the openings of many posts, which are not the same news for that.
        return False
    story_id = story_id or Story.objects.create().pk
    Article.objects.filter(pk__in=[lone, other]).update(story=story_id)
    stories[lone] = stories[other] = story_id
    return True


def _are_one(one: int, other: int, stories: dict[int, int | None]) -> bool:
    kept, gone = sorted((one, other))
    pieces = list(Article.objects.filter(story=gone).values_list("pk", flat=True))
    if not _tell_any(Resemblance.objects.apart().other_sides(pieces), kept):
        Article.objects.filter(pk__in=pieces).update(story=kept)
        for pk, story in stories.items():
            if story == gone:
                stories[pk] = kept
    return True


def _are_apart(lone: int, other: int, story_id: int | None) -> bool:
    apart = Resemblance.objects.apart().other_sides([lone])
    return other in apart or (story_id is not None and _tell_any(apart, story_id))


def _tell_any(article_ids: set[int], story_id: int) -> bool:
    return bool(article_ids) and (
        Article.objects.filter(pk__in=article_ids, story=story_id).exists()
    )


def _is_part_of_all(lone: int, story_id: int) -> bool:
    own = Sample.of(unpack(Fingerprint.objects.values_list("sample", flat=True).get(pk=lone)))
    pieces = Fingerprint.objects.filter(article__story=story_id).order_by("pk")
    samples = pieces.values_list("sample", flat=True)[:_COMPARED_PIECES]
    return all(own.share_in(Sample.of(unpack(packed))) >= ALIKE for packed in samples)


def _suggest(piece: Piece, doubtful: Judged, stories: dict[int, int | None]) -> None:
    own = stories.get(piece.article_id)
    told: set[int] = {own} if own else set()
    rows = []
    for other, said in doubtful:
        story = stories[other.article_id]
        if story and story in told:
            continue  # one piece of each story is enough
        if story:
            told.add(story)
        first, second = sorted((piece.article_id, other.article_id))
        rows.append(Resemblance(first_id=first, second_id=second, share=said.share))
    if rows:
        Resemblance.objects.bulk_create(rows[:MOST_SUGGESTIONS], ignore_conflicts=True)


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = iter(sorted(set(ids)))
    while chunk := list(islice(ordered, CHUNK)):
        yield chunk
