"""When a language is learned again, and which of two models is kept.

The database says what is due, so a lost task loses nothing. The unique row in state TRAINING is the
claim: a second worker finds it and leaves. The new model takes the old one's place in one
transaction, or none does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q

from newsletter.articles.models import Article
from newsletter.themes.keeping import packed_stems
from newsletter.themes.models import LearnedModel, Tagging, ThemeAssignment
from newsletter.themes.rules import CompiledThemes
from newsletter.themes.sources import (
    ENOUGH_ARTICLES,
    MODEL_FORMAT,
    MOST_UNREVIEWED,
    Source,
    WorthLearning,
)
from newsletter.themes.stemming import base_language

if TYPE_CHECKING:
    from newsletter.themes.learned import Model

State = LearnedModel.State

PAUSE = timedelta(minutes=15)  # between two trainings, while an editor is at work
NIGHTLY = timedelta(hours=20)
GIVEN_UP = timedelta(hours=1)  # a training that says nothing for so long was killed
FEW_CORRECTIONS, SHARE_OF_CORRECTIONS = 10, 0.05
KEPT_MODELS = 3
# Cross-validation is luck to this extent; a larger fall is a worse model.
TOLERATED_FALL = 0.02
# Below so many reviewed articles the figure says nothing.
TELLING_REVIEWS = 50


def themes_hash(themes: CompiledThemes) -> str:
    said = [[one.theme_id, one.names, one.keywords, one.exclusions] for one in themes.themes]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def due_languages(themes: CompiledThemes, *, now: datetime) -> list[str]:
    """Languages with something new to learn: reviews, edited keywords, or a night's articles."""
    if len(themes.themes) < 2:
        return []
    articles: dict[str, int] = {}
    for language, count in Article.objects.values_list("language").annotate(n=Count("pk")):
        code = base_language(language)
        articles[code] = articles.get(code, 0) + count
    latest: dict[str, Any] = {
        row["language"]: row
        for row in LearnedModel.objects.order_by("started_at").values(
            "language", "state", "started_at", "themes_hash", "facts"
        )
    }
    current_hash = themes_hash(themes)
    return [
        language
        for language, count in sorted(articles.items())
        if count >= ENOUGH_ARTICLES and _is_due(language, latest.get(language), current_hash, now)
    ]


def _is_due(language: str, last: dict[str, Any] | None, current_hash: str, now: datetime) -> bool:
    if last is None:
        return True
    if last["state"] == State.TRAINING:
        return now - last["started_at"] > GIVEN_UP
    if now - last["started_at"] < PAUSE:
        return False
    if last["themes_hash"] != current_hash:
        return True
    if last["state"] != State.EMPTY and last["facts"].get("format") != MODEL_FORMAT:
        return True  # made by an earlier version of this package
    reviews = Tagging.objects.filter(reviewed_at__gt=last["started_at"]).filter(
        of_language(language, "article__")
    )
    known = int(last["facts"].get("reviewed", 0))
    if reviews[: FEW_CORRECTIONS + int(known * SHARE_OF_CORRECTIONS)].count() >= (
        FEW_CORRECTIONS + int(known * SHARE_OF_CORRECTIONS)
    ):
        return True
    if now - last["started_at"] < NIGHTLY:
        return False
    newest = Article.objects.filter(of_language(language)).aggregate(at=Max("arrived_at"))["at"]
    return reviews.exists() or (newest is not None and newest > last["started_at"])


def of_language(language: str, prefix: str = "") -> Q:
    matches = Q(**{f"{prefix}language__istartswith": language})
    return matches | Q(**{f"{prefix}language": ""}) if language == "it" else matches


def learn_if_due(language: str, themes: CompiledThemes, *, now: datetime) -> bool:
    """Whether there is another model in use than before."""
    if language not in due_languages(themes, now=now):
        return False
    row = learn(language, themes, now=now)
    return row is not None and row.state == State.CURRENT


def learn(language: str, themes: CompiledThemes, *, now: datetime) -> LearnedModel | None:
    """Train and, unless it is worse, put in use; None when another worker is at it."""
    LearnedModel.objects.filter(
        language=language, state=State.TRAINING, started_at__lt=now - GIVEN_UP
    ).delete()
    try:
        with transaction.atomic():
            row = LearnedModel.objects.create(
                language=language,
                state=State.TRAINING,
                started_at=now,
                themes_hash=themes_hash(themes),
            )
    except IntegrityError:
        return None
    # Here: numpy and scipy are loaded by the process that learns, and by no other.
    from newsletter.themes.learning import model_of

    try:
        model = model_of(sources(language), themes, language)
    except BaseException:
        row.delete()
        raise
    return _put_in_use(row, model)


def sources(language: str) -> Iterator[Source]:
    """Newest first: reviewed articles, and the newest that nobody reviewed."""
    wanted = of_language(language, "article__")
    reviewed = Tagging.objects.filter(wanted, reviewed_at__isnull=False).order_by("-reviewed_at")
    confirmed: dict[int, set[int]] = {}
    # What was accepted by itself teaches nothing: it would learn from its own opinion.
    decided = ThemeAssignment.objects.filter(
        wanted,
        decision=ThemeAssignment.Decision.CONFIRMED,
        decided_at__isnull=False,
        article__tagging__reviewed_at__isnull=False,
    )
    for article_id, theme_id in decided.values_list("article", "theme").iterator():
        confirmed.setdefault(article_id, set()).add(theme_id)
    is_worth = WorthLearning()
    ids = [
        pk
        for pk in reviewed.values_list("pk", flat=True).iterator()
        if is_worth(confirmed.get(pk, ()))
    ]
    for pk, packed in packed_stems(ids):
        yield Source("", "", frozenset(confirmed.get(pk, ())), packed)
    others = (
        Article.objects.filter(of_language(language))
        .filter(Q(tagging__isnull=True) | Q(tagging__reviewed_at__isnull=True))
        .exclude(state=Article.State.WITHDRAWN)
        .order_by("-arrived_at", "-pk")
    )
    for _, packed in packed_stems(others.values_list("pk", flat=True)[:MOST_UNREVIEWED]):
        yield Source("", "", None, packed)


def _put_in_use(row: LearnedModel, model: Model | None) -> LearnedModel:
    with transaction.atomic():
        before = (
            LearnedModel.objects.select_for_update().current().filter(language=row.language).first()
        )
        if model is None:
            row.state = State.EMPTY
        else:
            row.data, row.facts = model.to_bytes(), model.facts
            row.state = State.REFUSED if before and _is_worse(model, before) else State.CURRENT
        if row.state == State.CURRENT and before:
            LearnedModel.objects.filter(pk=before.pk).update(state=State.REPLACED)
        row.save()
        spare = LearnedModel.objects.filter(language=row.language).exclude(state=State.CURRENT)
        kept = list(spare.values_list("pk", flat=True)[:KEPT_MODELS])
        spare.exclude(pk__in=kept).delete()
    return row


def _is_worse(model: Model, before: LearnedModel) -> bool:
    """Only between models that had enough reviewed articles, and of the same themes.

    One of an earlier format can't be used any more, however good it was.
    """
    if before.facts.get("format") != MODEL_FORMAT:
        return False
    known = min(int(model.facts["reviewed"]), int(before.facts.get("reviewed", 0)))
    if known < TELLING_REVIEWS:
        return False
    if int(before.facts.get("themes", 0)) != len(model.theme_ids):
        return False
    return bool(model.facts["ndcg"] < float(before.facts["ndcg"]) - TOLERATED_FALL)


def model_before(language: str) -> LearnedModel | None:
    """What `roll_back` would put in use again; None when there is nothing that can be read."""
    replaced = LearnedModel.objects.filter(language=language, state=State.REPLACED)
    return replaced.filter(facts__format=MODEL_FORMAT).order_by("-started_at").first()


@transaction.atomic
def roll_back(language: str) -> LearnedModel | None:
    """Put the model before the current one in use again; None when there is none.

    It is learned again as always, when there is something new.
    """
    current = LearnedModel.objects.select_for_update().current().filter(language=language)
    given_up = [model.pk for model in current]
    previous = model_before(language)
    if previous is None:
        return None
    LearnedModel.objects.filter(pk__in=given_up).update(state=State.REFUSED)
    LearnedModel.objects.filter(pk=previous.pk).update(state=State.CURRENT)
    previous.refresh_from_db()
    return previous
