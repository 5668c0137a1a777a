"""How good the suggestions would be on labelled texts, by the code that suggests in production.

Nothing here touches the database. As in production, where the learner also sees stored articles
that nobody reviewed, it sees the texts to be tested too, without their labels.
"""

from __future__ import annotations

import json
import random
import re
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.exceptions import BadEvaluationFile
from newsletter.themes.documents import read
from newsletter.themes.rules import CompiledThemes, Suggestion, ThemeRules
from newsletter.themes.sources import Source, WorthLearning
from newsletter.themes.stemming import base_language
from newsletter.themes.suggesting import ranked, suggest


@dataclass(frozen=True)
class Labelled:
    title: str
    text: str
    language: str
    themes: frozenset[int]


@dataclass
class Predicted:
    """All themes of one article, most probable first; those that are said have evidence."""

    ranking: list[tuple[Suggestion, bool]]
    accepted: set[int]
    milliseconds: float

    @property
    def said(self) -> list[Suggestion]:
        return [one for one, is_said in self.ranking if is_said]


@dataclass
class Report:
    names: list[str]
    articles: list[Labelled] = field(default_factory=list)
    predicted: list[Predicted] = field(default_factory=list)
    training_seconds: float = 0.0
    trained_on: int = 0
    kinds_of_evidence: dict[str, float] = field(default_factory=dict)


# --- files


def read_themes(path: str) -> list[ThemeRules]:
    try:
        entries = json.loads("".join(_lines(path)))
    except json.JSONDecodeError as error:
        raise BadEvaluationFile(
            f"{path}, line {error.lineno}: no valid JSON ({error.msg}). "
            'Write a list such as [{"name": "Pensioni", "keywords": ["pensione"]}].'
        ) from error
    if not isinstance(entries, list) or not entries:
        raise BadEvaluationFile(f"{path}: a list of themes is wanted, with at least one.")
    themes = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, theme {number}"
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadEvaluationFile(f'{where}: it needs a "name".')
        for key in ("keywords", "exclusions"):
            words = entry.get(key, [])
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise BadEvaluationFile(f'{where}: "{key}" must be a list of words and phrases.')
        themes.append(
            ThemeRules(
                theme_id=number - 1,
                names=(entry["name"],),
                keywords=tuple(entry.get("keywords", [])),
                exclusions=tuple(entry.get("exclusions", [])),
            )
        )
    twice = [name for name, times in Counter(one.names[0] for one in themes).items() if times > 1]
    if twice:
        raise BadEvaluationFile(f"{path}: two themes are called “{twice[0]}”. Rename one.")
    return themes


def read_articles(
    path: str, themes: Sequence[ThemeRules], unknown: Counter[str]
) -> Iterator[Labelled]:
    """One by one. Themes that are not in the list are left out, and counted in `unknown`."""
    numbers = {theme.names[0]: theme.theme_id for theme in themes}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadEvaluationFile(
                f"{where}: no valid JSON ({error.msg}). Write one object a line: "
                '{"title": "…", "text": "…", "language": "it", "themes": ["…"]}.'
            ) from error
        if not isinstance(entry, dict):
            raise BadEvaluationFile(f"{where}: an object is wanted, with title, text and themes.")
        for key in ("title", "text", "language"):
            if not isinstance(entry.get(key, ""), str):
                raise BadEvaluationFile(f'{where}: "{key}" must be text.')
        names = entry.get("themes")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadEvaluationFile(f'{where}: "themes" must be a list of names; [] for none.')
        unknown.update(name for name in names if name not in numbers)
        yield Labelled(
            entry.get("title", ""),
            entry.get("text", ""),
            entry.get("language", ""),
            frozenset(numbers[name] for name in names if name in numbers),
        )


def _lines(path: str) -> Iterator[str]:
    try:
        with Path(path).open(encoding="utf-8") as stream:
            yield from stream
    except FileNotFoundError as error:
        raise BadEvaluationFile(f"{path}: there is no such file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvaluationFile(f"{path}: it can't be read as UTF-8 text ({error}).") from error


# --- learning and suggesting


def evaluate(
    themes: Sequence[ThemeRules],
    train: Iterable[Labelled],
    test: Sequence[Labelled],
    *,
    threshold: float,
    check_evidence: bool = False,
) -> Report:
    """`train` newest first; it is read once."""
    report = Report([theme.names[0] for theme in themes], list(test))
    compiled = CompiledThemes(tuple(themes))
    began = time.perf_counter()
    models, report.trained_on = _models(compiled, train, test)
    report.training_seconds = time.perf_counter() - began
    for article in test:
        report.predicted.append(_predict(article, compiled, models, threshold))
    if check_evidence:
        report.kinds_of_evidence = _deletions(report, compiled, models, threshold)
    return report


def evaluate_folds(
    themes: Sequence[ThemeRules],
    articles: Sequence[Labelled],
    folds: int,
    *,
    threshold: float,
    check_evidence: bool = False,
) -> Report:
    """Each article once tested, by what the others taught."""
    order = list(range(len(articles)))
    random.Random(0).shuffle(order)  # noqa: S311
    whole = Report([theme.names[0] for theme in themes])
    checks: list[dict[str, float]] = []
    for fold in range(folds):
        held_out = set(order[fold::folds])
        part = evaluate(
            themes,
            [one for at, one in enumerate(articles) if at not in held_out],
            [one for at, one in enumerate(articles) if at in held_out],
            threshold=threshold,
            check_evidence=check_evidence,
        )
        whole.articles += part.articles
        whole.predicted += part.predicted
        whole.training_seconds += part.training_seconds
        whole.trained_on = max(whole.trained_on, part.trained_on)
        checks.append(part.kinds_of_evidence)
    if check_evidence:
        whole.kinds_of_evidence = {
            key: round(sum(one[key] for one in checks) / folds, 4) for key in checks[0]
        }
    return whole


def _models(
    themes: CompiledThemes, train: Iterable[Labelled], test: Iterable[Labelled]
) -> tuple[dict[str, Any], int]:
    """A model of each language, and how many articles `train` has. Of these only those that teach
    are kept, packed: files may be large.
    """
    from newsletter.themes.learning import model_of

    sources: dict[str, list[Source]] = defaultdict(list)
    worth: dict[str, WorthLearning] = defaultdict(WorthLearning)
    count = 0
    for count, one in enumerate(train, start=1):  # noqa: B007
        language = base_language(one.language)
        if worth[language](one.themes):
            packed = read(one.title, one.text, language).stems().packed()
            sources[language].append(Source("", "", one.themes, packed))
    for one in test:
        sources[base_language(one.language)].append(Source(one.title, one.text, None))
    models = {language: model_of(found, themes, language) for language, found in sources.items()}
    return models, count


def _predict(
    article: Labelled, themes: CompiledThemes, models: dict[str, Any], threshold: float
) -> Predicted:
    model = models.get(base_language(article.language))
    began = time.perf_counter()
    if model is None:
        found = suggest(
            article.title, article.text, article.language, (), themes, None, threshold=threshold
        )
        ranking = [(one, True) for one in found]
    else:
        ranking = ranked(
            article.title, article.text, article.language, (), themes, model,
            threshold=threshold, all_themes=True,
        )  # fmt: skip
    milliseconds = (time.perf_counter() - began) * 1000
    accepted = set()
    if model is not None:
        levels = dict(zip(model.theme_ids, model.acceptance, strict=True))
        for one, said in ranking:
            level = levels[one.theme_id].threshold
            if said and level is not None and one.confidence >= level:
                accepted.add(one.theme_id)
    return Predicted(ranking, accepted, milliseconds)


def _deletions(
    report: Report, themes: CompiledThemes, models: dict[str, Any], threshold: float
) -> dict[str, float]:
    """How many suggestions go when their three first terms go, and when three other words do."""
    dice = random.Random(0)  # noqa: S311
    total, by_evidence, by_chance = 0, 0, 0
    for article, predicted in zip(report.articles, report.predicted, strict=True):
        words = sorted({word.lower() for word in re.findall(r"[^\W\d_]{3,}", article.text)})
        for one in predicted.said:
            terms = [term["term"] for term in one.evidence[:3]]
            total += 1
            for wanted in (terms, dice.sample(words, min(3, len(words)))):
                rest = _predict(_without(article, wanted), themes, models, threshold)
                gone = one.theme_id not in {other.theme_id for other in rest.said}
                if wanted is terms:
                    by_evidence += gone
                else:
                    by_chance += gone
    return {
        "suggestions_gone_without_top_3": round(by_evidence / total, 4) if total else 0.0,
        "suggestions_gone_without_random_3": round(by_chance / total, 4) if total else 0.0,
    }


def _without(article: Labelled, terms: Iterable[str]) -> Labelled:
    pattern = "|".join(rf"(?<!\w){re.escape(term)}(?!\w)" for term in terms) or r"(?!)"
    gone = re.compile(pattern.replace(r"\ ", r"\s+"), re.IGNORECASE)
    return Labelled(
        gone.sub(" ", article.title), gone.sub(" ", article.text), article.language, article.themes
    )


# --- what it comes to


def summary(report: Report) -> dict[str, Any]:
    import numpy as np

    from newsletter.themes import measures

    shape = (len(report.articles), len(report.names))
    probabilities, said, labels, accepted = (np.zeros(shape, np.float32) for _ in range(4))
    for row, (article, predicted) in enumerate(zip(report.articles, report.predicted, strict=True)):
        labels[row, sorted(article.themes)] = 1
        accepted[row, sorted(predicted.accepted)] = 1
        for one, is_said in predicted.ranking:
            probabilities[row, one.theme_id] = one.confidence
            said[row, one.theme_id] = is_said
    micro, macro, each = measures.f1_scores(said, labels)
    times = [one.milliseconds for one in report.predicted]
    surest = np.sort((probabilities * said).max(axis=1, initial=0.0))[::-1]
    fifth = max(1, round(0.2 * shape[0]))
    sure = np.argsort(-(probabilities * said).max(axis=1, initial=0.0), kind="stable")[:fifth]
    sure = sure[surest[:fifth] > 0]
    right = labels[sure, (probabilities * said)[sure].argmax(axis=1)] if len(sure) else labels[:0]
    return {
        "articles": shape[0],
        "trained_on": report.trained_on,
        "micro_f1": round(micro, 4),
        "macro_f1": round(macro, 4),
        "precision_at_1": round(measures.precision_at_1(probabilities, labels), 4),
        "ndcg": round(measures.ndcg(probabilities, labels), 4),
        "suggestions_per_article": round(float(said.sum()) / max(shape[0], 1), 2),
        "precision_at_20_percent": round(float(np.mean(right)), 4) if len(sure) else None,
        "auto_accept_coverage": round(float((accepted * labels).sum() / max(labels.sum(), 1)), 4),
        "auto_accept_precision": round(float((accepted * labels).sum() / accepted.sum()), 4)
        if accepted.sum()
        else None,
        "calibration_error": round(measures.calibration_error(probabilities, labels), 4),
        "ms_per_article": round(float(np.mean(times)), 2) if times else 0.0,
        "ms_p95": round(float(np.percentile(times, 95)), 2) if times else 0.0,
        "training_seconds": round(report.training_seconds, 2),
        "peak_memory_mb": _peak_memory(),
        **report.kinds_of_evidence,
        "f1_by_theme": {
            name: round(float(score), 4) for name, score in zip(report.names, each, strict=True)
        },
    }


def predictions(report: Report) -> Iterator[dict[str, Any]]:
    """Each article's themes as --predictions writes them."""
    for article, predicted in zip(report.articles, report.predicted, strict=True):
        yield {
            "title": article.title,
            "themes": [
                {
                    "name": report.names[one.theme_id],
                    "probability": one.confidence,
                    "suggested": said,
                    "accepted": one.theme_id in predicted.accepted,
                    "evidence": list(one.evidence),
                }
                for one, said in predicted.ranking
            ],
        }


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024))
