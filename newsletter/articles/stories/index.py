"""The stored index of shingles: which texts may hold the words of these."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from newsletter.articles.canonical_url import canonical_url, is_front_page
from newsletter.articles.models import Article, Identity
from newsletter.articles.stories.likeness import FEWEST_WORDS, Piece
from newsletter.articles.stories.models import Fingerprint, Shingle
from newsletter.articles.stories.words import Sample, Text, pack, read, unpack

log = logging.getLogger(__name__)

# What stands in more news than this is a form of words: a blog's boilerplate, a law's name.
EVERYWHERE = 50
MOST_TEXTS = 200  # and so many texts of the same news are followed, no more
HALF_ALIKE = 0.4  # of a sample: below, the texts themselves are not read
MOST_CANDIDATES = 12  # texts compared word by word with one article
_BY_COUNT = 40  # texts that share most shingles, of which the candidates are taken
_COPIES = 3  # of one text, looked at
_MOST_COPIES = 5_000  # looked through for a batch
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Row:
    """An article as the index has it."""

    article_id: int
    text: int
    sample: frozenset[int]
    story_id: int | None


def read_pieces(article_ids: Sequence[int], texts: dict[int, Text] | None = None) -> list[Piece]:
    """These articles, ready to be compared. `texts` by article: what was read already."""
    texts = texts or {}
    links: dict[int, set[str]] = defaultdict(set)
    for key, article_id in Identity.objects.filter(article__in=article_ids).values_list(
        "key", "article_id"
    ):
        links[article_id or 0].add(key)
    rows = Article.objects.filter(pk__in=article_ids).values_list(
        "pk", "feed_id", "language", "title", "listed_at", "url", "original_url"
    )
    missing = [pk for pk in article_ids if pk not in texts]
    bodies = {
        pk: body or excerpt
        for pk, body, excerpt in Article.objects.filter(pk__in=missing).values_list(
            "pk", "body_text", "excerpt"
        )
    }
    return [
        Piece(
            article_id=pk,
            feed_id=feed_id,
            language=language,
            title=title,
            told_at=listed_at,
            text=texts[pk] if pk in texts else _text(pk, bodies.get(pk, ""), language),
            links=links[pk] | {link_key(url)},
            origin="" if _is_own(original_url, url) else link_key(original_url),
        )
        for pk, feed_id, language, title, listed_at, url, original_url in rows.order_by("pk")
    ]


def _text(article_id: int, body: str, language: str) -> Text:
    try:
        return read(body, language)
    except (ValueError, TypeError, RecursionError):
        # Its neighbours are compared all the same, and it is not tried for ever.
        log.exception("The text of article %s could not be read", article_id)
        return read("")


def _is_own(original_url: str, url: str) -> bool:
    return canonical_url(original_url) == canonical_url(url)


def link_key(url: str) -> str:
    """As `Identity.key` has a link; empty for an address that names a site, or nothing."""
    if not url or is_front_page(url):
        return ""
    return hashlib.sha256(f"link:{canonical_url(url)}".encode()).hexdigest()


def remember(pieces: Sequence[Piece]) -> set[int]:
    """Put these texts into the index; the articles that said something else before."""
    samples = {piece.article_id: piece.text.sample for piece in pieces}
    ids = list(samples)
    with transaction.atomic():
        former = {
            pk: (text, bytes(packed))
            for pk, text, packed in Fingerprint.objects.filter(article__in=ids).values_list(
                "pk", "text", "sample"
            )
        }
        Fingerprint.objects.bulk_create(
            [
                Fingerprint(
                    article_id=piece.article_id,
                    text=piece.text.key,
                    sample=pack(samples[piece.article_id]),
                    origin=piece.origin,
                )
                for piece in pieces
            ],
            update_conflicts=True,
            unique_fields=["article"],
            update_fields=["text", "sample", "origin", "compared_at"],
        )
        fresh = {
            piece.text.key: samples[piece.article_id]
            for piece in pieces
            if piece.text.key != former.get(piece.article_id, (0, b""))[0]
            and len(piece.text.words) >= FEWEST_WORDS
        }
        told = everywhere({value for sample in fresh.values() for value in sample})
        _add(
            (value, text)
            for text, sample in sorted(fresh.items())
            for value in sample
            if value not in told
        )
        return _forget(former, {piece.article_id: piece.text.key for piece in pieces})


def _add(rows: Iterable[tuple[int, int]]) -> None:
    """Rows of the index; those that are there stay. A fifth of what bulk_create takes."""
    table = connection.ops.quote_name(Shingle._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (value, text) VALUES (%s, %s) ON CONFLICT DO NOTHING",  # noqa: S608
            list(rows),
        )


def _forget(former: Mapping[int, tuple[int, bytes]], now: Mapping[int, int]) -> set[int]:
    """Take texts out of the index that no article has any more."""
    changed = {pk for pk, (text, _packed) in former.items() if text != now[pk]}
    gone = dict(former[pk] for pk in changed)
    standing = set(Fingerprint.objects.filter(text__in=gone).values_list("text", flat=True))
    for text, packed in gone.items():
        if text not in standing:
            Shingle.objects.filter(value__in=unpack(packed), text=text).delete()
    return changed


def everywhere(values: Iterable[int]) -> set[int]:
    """Those of these shingles that stand in too many articles to tell anything."""
    found: set[int] = set()
    for some in _chunks(sorted(values)):
        rows = Shingle.objects.filter(value__in=some, text=Shingle.EVERYWHERE)
        found.update(rows.values_list("value", flat=True))
    return found


def candidates(pieces: Sequence[Piece]) -> dict[int, list[Row]]:
    """For each piece, articles that may tell the same: by their words, or by their origin."""
    samples = {piece.article_id: frozenset(piece.text.sample) for piece in pieces}
    where: dict[int, list[int]] = defaultdict(list)
    for some in _chunks(sorted(set().union(*samples.values()))):
        for value, text in Shingle.objects.filter(value__in=some).values_list("value", "text"):
            where[value].append(text)
    told = {value for value, texts in where.items() if Shingle.EVERYWHERE in texts}
    likely: dict[int, list[int]] = {}
    for piece in pieces:
        own = samples[piece.article_id] - told
        counts = Counter(text for value in own for text in where.get(value, ()))
        likely[piece.article_id] = [text for text, _count in counts.most_common(_BY_COUNT)]
        if len(piece.text.words) >= FEWEST_WORDS:
            likely[piece.article_id].append(piece.text.key)
    rows = _rows_of({text for texts in likely.values() for text in texts})
    _strike(where, rows)
    named = _by_origin(pieces)
    told_at = _told_at(row.article_id for copies in rows.values() for row in copies)
    telling = {text: Sample.of(copies[0].sample - told) for text, copies in rows.items()}
    found: dict[int, list[Row]] = {}
    for piece in pieces:
        mine = Sample.of(samples[piece.article_id] - told)
        shares = {
            text: 1.0 if text == piece.text.key else mine.share_in(telling[text])
            for text in likely[piece.article_id]
            if text in rows
        }
        best = sorted(
            (text for text in shares if shares[text] >= HALF_ALIKE), key=lambda one: -shares[one]
        )
        found[piece.article_id] = named.get(piece.article_id, []) + [
            row for text in best[:MOST_CANDIDATES] for row in _nearest(rows[text], piece, told_at)
        ]
    return found


def _nearest(copies: list[Row], piece: Piece, told_at: Mapping[int, Any]) -> list[Row]:
    """Of a text's copies, the nearest in time that stand alone, and one of the nearest stories."""
    others = [row for row in copies if row.article_id != piece.article_id]
    if len(others) <= _COPIES:
        return others
    others.sort(key=lambda row: abs(told_at[row.article_id] - piece.told_at))
    alone = [row for row in others if row.story_id is None]
    by_story = {row.story_id: row for row in reversed(others) if row.story_id is not None}
    return (
        alone[:_COPIES]
        + [row for row in others if by_story.get(row.story_id or 0) is row][:_COPIES]
    )


def _rows_of(texts: Iterable[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    samples: dict[int, frozenset[int]] = {}
    for some in _chunks(sorted(texts)):
        rows = (
            Fingerprint.objects.filter(text__in=some)
            .order_by("-pk")
            .values_list("pk", "text", "sample", "article__story_id")
        )
        for pk, text, packed, story_id in rows[:_MOST_COPIES]:
            if text not in samples:
                samples[text] = frozenset(unpack(packed))
            found[text].append(Row(pk, text, samples[text], story_id))
    return found


def _told_at(article_ids: Iterable[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in _chunks(sorted(set(article_ids))):
        found.update(Article.objects.filter(pk__in=some).values_list("pk", "listed_at"))
    return found


def _by_origin(pieces: Sequence[Piece]) -> dict[int, list[Row]]:
    """The article that a piece names as its original, and those that name the piece."""
    by_origin = {piece.origin: piece.article_id for piece in pieces if piece.origin}
    by_link = {key: piece.article_id for piece in pieces for key in piece.links if key}
    pairs: list[tuple[int, int]] = []
    for some in _chunks(sorted(by_origin)):
        identities = Identity.objects.filter(key__in=some, article__isnull=False)
        for key, pk in identities.values_list("key", "article_id"):
            pairs += [(p.article_id, pk) for p in pieces if p.origin == key]
    for some in _chunks(sorted(by_link)):
        reposts = Fingerprint.objects.filter(origin__in=some)
        pairs += [(by_link[key], pk) for key, pk in reposts.values_list("origin", "pk")[:_AT_ONCE]]
    found: dict[int, list[Row]] = defaultdict(list)
    stories = dict(
        Article.objects.filter(pk__in={pk for _piece, pk in pairs}).values_list("pk", "story_id")
    )
    for article_id, pk in pairs:
        if pk != article_id and pk in stories:
            found[article_id].append(Row(pk, 0, frozenset(), stories[pk]))
    return found


def _strike(where: Mapping[int, list[int]], rows: Mapping[int, list[Row]]) -> None:
    """What many articles have tells nothing; copies of one news, however many, count once."""
    struck = []
    for value, texts in where.items():
        if len(texts) <= EVERYWHERE or Shingle.EVERYWHERE in texts:
            continue
        news = {
            f"story {rows[text][0].story_id}"
            if text in rows and rows[text][0].story_id
            else f"text {text}"
            for text in texts
        }
        if len(news) > EVERYWHERE or len(texts) > MOST_TEXTS:
            struck.append(value)
    if not struck:
        return
    with transaction.atomic():
        for some in _chunks(sorted(struck)):
            Shingle.objects.filter(value__in=some).exclude(text=Shingle.EVERYWHERE).delete()
            _add((value, Shingle.EVERYWHERE) for value in some)


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
