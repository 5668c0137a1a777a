"""What articles become for the learner, and when there is enough to learn from. No database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from newsletter.themes.documents import read
from newsletter.themes.learned import Model
from newsletter.themes.rules import CompiledThemes, ThemeRules, match
from newsletter.themes.sources import ENOUGH_ARTICLES, Source
from newsletter.themes.training import Example, train

PAIRS_UNTIL = 3_000  # articles


def model_of(
    sources: Sequence[Source] | Iterable[Source], themes: CompiledThemes, language: str
) -> Model | None:
    """A model of one language; None when there are too few articles, or no two themes."""
    examples = kept_lean(example_of(one, themes, language) for one in sources)
    if len(examples) < ENOUGH_ARTICLES or len(themes.themes) < 2:
        return None
    lists = {theme.theme_id: _lists(theme, language) for theme in themes.themes}
    return train(examples, lists, language)


def kept_lean(examples: Iterable[Example]) -> list[Example]:
    """All of them; of many, only the single words: pairs take most of the memory, and tell less."""
    kept: list[Example] = []
    for example in examples:
        if len(kept) == PAIRS_UNTIL:
            kept = [_without_pairs(one) for one in kept]
        kept.append(_without_pairs(example) if len(kept) >= PAIRS_UNTIL else example)
    return kept


def _without_pairs(example: Example) -> Example:
    words = {term: count for term, count in example.counts.items() if " " not in term}
    return Example(Counter(words), example.keywords, example.labels)


def _lists(theme: ThemeRules, language: str) -> list[Counter[str]]:
    """The whole list as one small article, then each of its terms."""
    terms = dict.fromkeys((*theme.names, *theme.keywords))
    whole = read("", ". ".join(terms), language).counts()
    each = (read("", term, language).counts() for term in terms)
    return [whole, *(one for one in each if one)]


def example_of(source: Source, themes: CompiledThemes, language: str) -> Example:
    text = read(source.title, source.text, language)
    found = match(source.title, source.text, language, (), themes, read=text)
    return Example(text.counts(), {one.theme_id: one.confidence for one in found}, source.themes)
