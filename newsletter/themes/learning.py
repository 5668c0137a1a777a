"""What articles become for the learner, and when there is enough to learn from. No database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from newsletter.themes.documents import read
from newsletter.themes.learned import Model
from newsletter.themes.rules import CompiledThemes, ThemeRules, confidences
from newsletter.themes.sources import ENOUGH_ARTICLES, MOST_UNREVIEWED, Source, WorthLearning
from newsletter.themes.training import Lessons, train

PAIRS_UNTIL = 1_000  # articles


def model_of(sources: Iterable[Source], themes: CompiledThemes, language: str) -> Model | None:
    """A model of one language; None when there are too few articles, or no two themes.

    Reviewed articles come first, then the others, each newest first. They are read one by one:
    of many only numbers are in memory, never the texts.
    """
    lessons = Lessons(tuple(theme.theme_id for theme in themes.themes))
    rest = _worth_learning(sources)
    first = list(islice(rest, PAIRS_UNTIL))
    # Of many articles only the single words: pairs take most of time and memory, and gain nothing.
    pairs = len(first) < PAIRS_UNTIL
    for source in chain(first, rest):
        stems = source.stems(language)
        lessons.add(
            stems.counts(pairs=pairs),
            confidences(stems, language, themes),
            source.themes,
            length=stems.words,
        )
    if len(lessons) < ENOUGH_ARTICLES or len(themes.themes) < 2:
        return None
    lists = {theme.theme_id: _lists(theme, language, pairs=pairs) for theme in themes.themes}
    return train(lessons, lists, language)


def _worth_learning(sources: Iterable[Source]) -> Iterator[Source]:
    is_worth = WorthLearning()
    unreviewed = 0
    for source in sources:
        if source.themes is None:
            unreviewed += 1
            if unreviewed <= MOST_UNREVIEWED:
                yield source
        elif is_worth(source.themes):
            yield source


def _lists(theme: ThemeRules, language: str, *, pairs: bool) -> list[Counter[str]]:
    """The whole list as one small article, then each of its terms."""
    terms = dict.fromkeys((*theme.names, *theme.keywords))
    whole, *each = (
        read("", text, language).stems().counts(pairs=pairs) for text in (". ".join(terms), *terms)
    )
    return [whole, *(one for one in each if one)]
