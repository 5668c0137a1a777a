"""Give articles their themes, and take what editors say about them.

An editor's word is never overwritten: confirmed and rejected assignments stay, and an article
whose themes a person has reviewed is left as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q

from newsletter import conf
from newsletter.articles.models import Article
from newsletter.themes import suggesting
from newsletter.themes.documents import fingerprint, read
from newsletter.themes.keeping import Kept, keep
from newsletter.themes.models import LearnedModel, Tagging, Theme, ThemeAssignment
from newsletter.themes.retraining import of_language
from newsletter.themes.rules import CompiledThemes, Suggestion, ThemeRules
from newsletter.themes.sources import MODEL_FORMAT
from newsletter.themes.stemming import base_language

if TYPE_CHECKING:
    from newsletter.themes.learned import Model

CHUNK = 200
# How far back tag_pending looks: bounds its query on an archive of half a million articles.
LOOK_BACK = timedelta(days=30)

Decision = ThemeAssignment.Decision

_RULE_FIELDS = ("pk", "name", "name_en", "keywords", "exclusions", "feed_categories")


def rule_rows() -> list[tuple[int, str, str, str, str, str]]:
    """The words of every theme in use, as they decide."""
    return list(Theme.objects.active().order_by("pk").values_list(*_RULE_FIELDS))


class _Compiled:
    """The themes as last compiled in this process.

    Read from the database at every batch and compiled only when they differ, so that an edit
    made through another process counts at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[tuple[int, str, str, str, str, str]] | None = None
        self._themes = CompiledThemes(())

    def themes(self) -> CompiledThemes:
        rows = rule_rows()
        with self._lock:
            if rows != self._rows:
                self._themes = CompiledThemes(tuple(_rules(row) for row in rows))
                self._rows = rows
            return self._themes


def rules_of(theme: Theme) -> ThemeRules:
    return _rules(
        (
            theme.pk or 0,
            theme.name,
            theme.name_en,
            theme.keywords,
            theme.exclusions,
            theme.feed_categories,
        )
    )


def _rules(row: tuple[int, str, str, str, str, str]) -> ThemeRules:
    pk, name, name_en, keywords, exclusions, categories = row
    return ThemeRules(
        theme_id=pk,
        names=tuple(filter(None, (name, name_en))),
        keywords=_lines(keywords),
        exclusions=_lines(exclusions),
        categories=_lines(categories),
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


class _Models:
    """The models in use as last read in this process; read again when another took their place."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[int, Model] = {}

    def by_language(self) -> dict[str, Model]:
        readable = LearnedModel.objects.current().filter(facts__format=MODEL_FORMAT)
        in_use = dict(readable.values_list("language", "pk"))
        with self._lock:
            self._models = {
                pk: model for pk, model in self._models.items() if pk in in_use.values()
            }
            missing = [pk for pk in in_use.values() if pk not in self._models]
            if missing:
                # Here: numpy is loaded only where something was learned.
                from newsletter.themes.learned import Model

                rows = LearnedModel.objects.filter(pk__in=missing).values_list("pk", "data")
                self._models |= {pk: Model.from_bytes(bytes(data)) for pk, data in rows}
            return {
                language: self._models[pk] for language, pk in in_use.items() if pk in self._models
            }


_compiled = _Compiled()
_models = _Models()


def compiled_themes() -> CompiledThemes:
    """The themes in use, ready to match."""
    return _compiled.themes()


def models_in_use() -> dict[str, Model]:
    """What was learned, by language."""
    return _models.by_language()


def tag(article_ids: Iterable[int], *, now: datetime) -> int:
    """Look for the themes of these articles; how many were looked at."""
    themes = _compiled.themes()
    models = _models.by_language()
    threshold = float(conf.get("SUGGEST_THRESHOLD"))
    accepting = _accepting(models)
    count = 0
    for ids in _chunks(article_ids):
        rows = Article.objects.filter(pk__in=ids).values_list(
            "pk", "title", "body_text", "excerpt", "language", "categories", "stems__fingerprint"
        )
        taken_apart: dict[int, Kept] = {}
        found: dict[int, dict[int, Suggestion]] = {}
        accepted: set[tuple[int, int]] = set()
        for pk, title, body, excerpt, language, categories, kept in rows:
            code = base_language(language)
            text = None
            current = fingerprint(title, body or excerpt, language)
            if kept != current:
                text = read(title, body or excerpt, language)
                taken_apart[pk] = Kept(current, text.stems().packed())
            said = suggesting.suggest(
                title,
                body or excerpt,
                language,
                categories or (),
                themes,
                models.get(code),
                threshold=threshold,
                text=text,
            )
            found[pk] = {one.theme_id: one for one in said}
            accepted |= {
                (pk, one.theme_id)
                for one in said
                if one.source != "category"
                and one.confidence >= accepting.get((code, one.theme_id), 2.0)
            }
        _store(found, accepted, taken_apart, now)
        count += len(found)
    return count


def suggest(title: str, text: str, language: str, categories: Iterable[str]) -> list[Suggestion]:
    """What `tag` would say of such an article, most confident first; nothing is stored."""
    return suggesting.suggest(
        title,
        text,
        language,
        list(categories),
        _compiled.themes(),
        _models.by_language().get(base_language(language)),
        threshold=float(conf.get("SUGGEST_THRESHOLD")),
    )


def _accepting(models: dict[str, Model]) -> dict[tuple[str, int], float]:
    """The probability from which a language's suggestions of a theme need no editor."""
    wanted = set(Theme.objects.filter(accept_automatically=True).values_list("pk", flat=True))
    return {
        (language, theme_id): level.threshold
        for language, model in models.items()
        for theme_id, level in zip(model.theme_ids, model.acceptance, strict=True)
        if theme_id in wanted and level.threshold is not None
    }


def tag_pending(*, now: datetime, limit: int = 1000) -> int:
    """Look for the themes of what came or changed lately and was not looked at since."""
    pending = (
        Article.objects.filter(changed_at__gt=now - LOOK_BACK)
        .filter(Q(tagging__isnull=True) | Q(tagging__tagged_at__lt=F("changed_at")))
        .order_by("changed_at")
        .values_list("pk", flat=True)[:limit]
    )
    return tag(list(pending), now=now)


def tag_again(language: str, *, now: datetime, limit: int = 1000) -> int:
    """Look again for the themes of what waits in the inbox: more was learned since."""
    waiting = (
        Article.objects.filter(of_language(language), state=Article.State.NEW)
        .filter(tagging__reviewed_at__isnull=True, changed_at__gt=now - LOOK_BACK)
        .order_by("-changed_at")
        .values_list("pk", flat=True)[:limit]
    )
    return tag(list(waiting), now=now)


def _store(
    found: dict[int, dict[int, Suggestion]],
    accepted: set[tuple[int, int]],
    taken_apart: dict[int, Kept],
    now: datetime,
) -> None:
    with transaction.atomic():
        keep(taken_apart)
        Tagging.objects.bulk_create(
            [Tagging(article_id=pk, tagged_at=now) for pk in sorted(found)],
            update_conflicts=True,
            unique_fields=["article"],
            update_fields=["tagged_at"],
        )
        # The row lock orders us before or after an editor who is deciding on the same article.
        taggings = Tagging.objects.select_for_update().filter(article__in=found)
        open_ids = {one.article_id for one in taggings if one.reviewed_at is None}
        known = {
            (one.article_id, one.theme_id): one
            for one in ThemeAssignment.objects.filter(article__in=open_ids)
        }
        fresh: list[ThemeAssignment] = []
        changed: list[ThemeAssignment] = []
        for article_id in open_ids:
            for theme_id, suggestion in found[article_id].items():
                assignment = known.pop((article_id, theme_id), None)
                if assignment is None:
                    assignment = ThemeAssignment(article_id=article_id, theme_id=theme_id)
                elif _is_decided(assignment):
                    continue
                decision = (
                    Decision.CONFIRMED if (article_id, theme_id) in accepted else Decision.SUGGESTED
                )
                if assignment.pk is None:
                    fresh.append(assignment)
                elif _says(assignment, suggestion) and assignment.decision == decision:
                    continue
                else:
                    changed.append(assignment)
                assignment.decision = decision
                assignment.source = suggestion.source
                assignment.confidence = suggestion.confidence
                assignment.evidence = list(suggestion.evidence)
        gone = [one.pk for one in known.values() if not _is_decided(one)]
        ThemeAssignment.objects.bulk_create(fresh, ignore_conflicts=True)
        ThemeAssignment.objects.bulk_update(
            changed, ["source", "confidence", "evidence", "decision"]
        )
        ThemeAssignment.objects.filter(pk__in=gone).delete()


def _is_decided(assignment: ThemeAssignment) -> bool:
    """By a person: what was accepted by itself bears no moment, and may be taken back."""
    if assignment.source == ThemeAssignment.Source.EDITOR:
        return True
    return assignment.decision != Decision.SUGGESTED and assignment.decided_at is not None


def _says(assignment: ThemeAssignment, suggestion: Suggestion) -> bool:
    return (assignment.source, assignment.confidence, assignment.evidence) == (
        suggestion.source,
        suggestion.confidence,
        list(suggestion.evidence),
    )


def set_themes(
    article_id: int, theme_ids: Iterable[int], *, by: AbstractBaseUser | None, now: datetime
) -> None:
    """The editor's choice: these themes and no others. What was suggested teaches both ways."""
    chosen = set(theme_ids)
    decided = {"decided_by": by, "decided_at": now}
    with transaction.atomic():
        _mark_reviewed([article_id], now)
        assignments = ThemeAssignment.objects.filter(article=article_id)
        confirmed = assignments.filter(theme__in=chosen)
        # Also what was accepted by itself: now somebody has said so.
        confirmed.exclude(decision=Decision.CONFIRMED, decided_at__isnull=False).update(
            decision=ThemeAssignment.Decision.CONFIRMED, **decided
        )
        assignments.exclude(theme__in=chosen).exclude(
            decision=ThemeAssignment.Decision.REJECTED
        ).update(decision=ThemeAssignment.Decision.REJECTED, **decided)
        missing = chosen - set(confirmed.values_list("theme", flat=True))
        known = Theme.objects.filter(pk__in=missing).values_list("pk", flat=True)
        ThemeAssignment.objects.bulk_create(
            ThemeAssignment(
                article_id=article_id,
                theme_id=theme_id,
                source=ThemeAssignment.Source.EDITOR,
                decision=ThemeAssignment.Decision.CONFIRMED,
                decided_by_id=by.pk if by else None,
                decided_at=now,
            )
            for theme_id in known
        )


def confirm_suggestions(
    article_ids: Iterable[int], *, by: AbstractBaseUser | None, now: datetime
) -> int:
    """Accepting an article confirms the themes it was shown with; how many were confirmed.

    An article that nobody looked at for themes yet gets its suggestions later, unconfirmed.
    """
    confirmed = 0
    for ids in _chunks(article_ids):
        with transaction.atomic():
            tagged = list(
                Tagging.objects.select_for_update()
                .filter(article__in=ids)
                .values_list("pk", flat=True)
            )
            _mark_reviewed(tagged, now)
            open_ones = Q(decision=Decision.SUGGESTED) | Q(
                decision=Decision.CONFIRMED, decided_at__isnull=True
            )
            confirmed += ThemeAssignment.objects.filter(open_ones, article__in=tagged).update(
                decision=Decision.CONFIRMED, decided_by=by, decided_at=now
            )
    return confirmed


def _mark_reviewed(article_ids: list[int], now: datetime) -> None:
    Tagging.objects.bulk_create(
        [Tagging(article_id=pk, tagged_at=now, reviewed_at=now) for pk in article_ids],
        update_conflicts=True,
        unique_fields=["article"],
        update_fields=["reviewed_at"],
    )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """In rising order: two workers then lock the same articles in the same order."""
    ordered = iter(sorted(set(ids)))
    while chunk := list(islice(ordered, CHUNK)):
        yield chunk
