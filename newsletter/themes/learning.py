"""What articles become for the learner, and when there is enough to learn from. No database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from newsletter.themes.documents import read
from newsletter.themes.learned import Model
from newsletter.themes.rules import CompiledThemes, ThemeRules, confidences
from newsletter.themes.sources import ENOUGH_ARTICLES, MOST_UNREVIEWED, Source, WorthLearning
from newsletter.themes.training import Lessons, train

PAIRS_UNTIL = 3_000  # articles


def model_of(sources: Iterable[Source], themes: CompiledThemes, language: str) -> Model | None:
    """A model of one language; None when there are too few articles, or no two themes.

    Reviewed articles come first, then the others, each newest first. They are read one by one:
    in memory are numbers, never all the texts.
    """
    lessons = Lessons(tuple(theme.theme_id for theme in themes.themes))
    for source in _worth_learning(sources):
        stems = source.stems or read(source.title, source.text, language).stems()
        if len(lessons) == PAIRS_UNTIL:
            lessons.forget_pairs()
        counts = stems.counts(pairs=len(lessons) < PAIRS_UNTIL)
        lessons.add(counts, confidences(stems, language, themes), source.themes)
    if len(lessons) < ENOUGH_ARTICLES or len(themes.themes) < 2:
        return None
    lists = {theme.theme_id: _lists(theme, language) for theme in themes.themes}
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


def _lists(theme: ThemeRules, language: str) -> list[Counter[str]]:
    """The whole list as one small article, then each of its terms."""
    terms = dict.fromkeys((*theme.names, *theme.keywords))
    whole = read("", ". ".join(terms), language).counts()
    each = (read("", term, language).counts() for term in terms)
    return [whole, *(one for one in each if one)]
