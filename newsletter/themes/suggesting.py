"""What is said about an article: keywords, the blog's categories and what was learned, as one.

Without a model the keywords speak alone. With one, its probabilities count, and the keywords are
one of the signs they are made of. Themes that the model does not know yet, because an editor added
them since, are suggested by their keywords.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from newsletter.themes.documents import Text, read
from newsletter.themes.phrases import phrases
from newsletter.themes.rules import (
    CATEGORY_CONFIDENCE,
    EVIDENCE_TERMS,
    CompiledThemes,
    EvidenceTerm,
    Suggestion,
    match,
)
from newsletter.themes.sources import MOST_CONFIDENT

if TYPE_CHECKING:  # numpy is loaded only where there is a model
    from newsletter.themes.learned import Model, Weighed

# Of all that spoke for a theme: a word that tells less stands in no phrase.
LEAST_OF_A_PHRASE = 0.05


def suggest(
    title: str,
    body: str,
    language: str,
    categories: Iterable[str],
    themes: CompiledThemes,
    model: Model | None,
    *,
    threshold: float,
    text: Text | None = None,
) -> list[Suggestion]:
    """Most confident first; `threshold` is for what the keywords say alone.

    `text` is the same title and body, when the caller has taken them apart already.
    """
    if model is None:
        by_words = match(title, body, language, categories, themes, read=text)
        return [one for one in by_words if one.confidence >= threshold]
    return [
        one
        for one, is_said in ranked(
            title, body, language, categories, themes, model, threshold=threshold, text=text
        )
        if is_said
    ]


def ranked(
    title: str,
    body: str,
    language: str,
    categories: Iterable[str],
    themes: CompiledThemes,
    model: Model,
    *,
    threshold: float,
    all_themes: bool = False,
    text: Text | None = None,
) -> list[tuple[Suggestion, bool]]:
    """Suggestions, each with whether it is sure enough to be said.

    `all_themes` gives also those that are not, without evidence.
    """
    import numpy as np

    text = text or read(title, body, language)
    by_words = {
        one.theme_id: one for one in match(title, body, language, categories, themes, read=text)
    }
    weighed = model.weigh(text, themes.excluded_terms(language))
    keywords = np.zeros(len(model.theme_ids), np.float32)
    for place, theme_id in enumerate(model.theme_ids):
        if theme_id in by_words:
            keywords[place] = by_words[theme_id].confidence
    probabilities = model.probabilities(weighed, keywords)
    said = model.said(probabilities, model.strengths(weighed.strongest, keywords))

    in_use = {theme.theme_id for theme in themes.themes}
    places = {theme_id: place for place, theme_id in enumerate(model.theme_ids)}
    forms = _Forms(text)
    found: list[tuple[Suggestion, bool]] = []
    for theme_id in in_use:
        rule = by_words.get(theme_id)
        if theme_id not in places:
            if rule:
                found.append((rule, rule.confidence >= threshold))
            continue
        place = places[theme_id]
        probability = min(float(probabilities[place]), MOST_CONFIDENT)
        if rule and rule.source == "category":
            confidence = max(probability, CATEGORY_CONFIDENCE)
            found.append((Suggestion(theme_id, "category", confidence, rule.evidence), True))
        elif said[place]:
            suggestion = _explained(theme_id, place, probability, rule, weighed, forms)
            found.append((suggestion, bool(suggestion.evidence)))
        elif all_themes:
            found.append((Suggestion(theme_id, "learned", round(probability, 4), ()), False))
    return sorted(found, key=lambda one: (-one[0].confidence, one[0].theme_id))


class _Forms:
    """How each stem is written in the text: most often so, and whether in the title."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self._written: dict[str, Counter[str]] | None = None
        self._in_title: set[str] = set()

    def of(self, stem: str) -> tuple[str, bool]:
        if self._written is None:
            self._written = defaultdict(Counter)
            for one, word, in_title in self.text.words():
                self._written[one][word] += 1
                if in_title:
                    self._in_title.add(one)
        return self._written[stem].most_common(1)[0][0], stem in self._in_title


def _explained(
    theme_id: int,
    place: int,
    probability: float,
    rule: Suggestion | None,
    weighed: Weighed,
    forms: _Forms,
) -> Suggestion:
    """With the words that spoke for the theme: the keywords, and what was learned of any word."""
    of_keywords = weighed.model.weight_of_keywords()
    learned = weighed.parts(place)
    parts: list[tuple[float, str, bool]] = []
    by_keywords = 0.0
    if rule:
        for term, stems in zip(rule.evidence, rule.stems, strict=True):
            part = of_keywords * rule.confidence * term["share"]
            by_keywords += part
            part += sum(learned.pop(stem, 0.0) for stem in stems)
            parts.append((part, term["term"], term["in_title"]))
    by_learning = sum(learned.values())
    least = LEAST_OF_A_PHRASE * (by_learning + by_keywords)
    telling = {stem: part for stem, part in learned.items() if part >= least}
    for phrase in phrases(forms.text, telling):
        part = sum(learned.pop(stem) for stem in phrase.stems)
        parts.append((part, phrase.written, phrase.in_title))
    # Only the largest can be shown: how the others are written needs no looking up.
    for stem, part in sorted(learned.items(), key=lambda one: -one[1])[:EVIDENCE_TERMS]:
        parts.append((part, *forms.of(stem)))
    parts.sort(key=lambda one: (-one[0], one[1]))
    total = sum(part for part, _, _ in parts[:EVIDENCE_TERMS])
    rest = max(by_learning + by_keywords - total, 0.0)
    evidence = tuple(
        EvidenceTerm(term=word, share=round(part / (total + rest), 3), in_title=in_title)
        for part, word, in_title in parts[:EVIDENCE_TERMS]
        if part > 0
    )
    source = "rule" if rule and by_keywords >= by_learning else "learned"
    return Suggestion(theme_id, source, round(probability, 4), evidence)
