"""What other words for a theme would change. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from newsletter.themes.rules import CompiledThemes, Suggestion, ThemeRules, match
from newsletter.themes.stemming import stem_phrase

WORDS = 4  # named for each article
LANGUAGES = ("it", "en")  # in each of them a keyword must carry a subject
# A keyword in half of all articles tells none of them apart; below so many nobody can say.
EVERYWHERE = 0.5
ENOUGH_TO_SAY = 20

_BEFORE, _AFTER, _FIRST_KEYWORD = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Stored:
    """An article; `decided` is what an editor said of this theme, None when nobody has."""

    pk: int
    title: str
    text: str
    language: str
    categories: tuple[str, ...] = ()
    decided: bool | None = None


@dataclass(frozen=True)
class Change:
    article_id: int
    title: str
    words: tuple[str, ...]  # that decide: what speaks for it now, or no longer does


@dataclass
class Agreement:
    """With what editors decided."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def count(self, *, said: bool, decided: bool) -> None:
        self.right += said and decided
        self.wrong += said and not decided
        self.missed += decided and not said


@dataclass
class Outcome:
    looked_at: int = 0
    before: int = 0  # articles with the theme, by the words as they are
    after: int = 0  # … as typed
    gained: list[Change] = field(default_factory=list)
    lost: list[Change] = field(default_factory=list)
    kept: int = 0  # would change, but an editor has decided
    reviewed: int = 0
    agreed_before: Agreement = field(default_factory=Agreement)
    agreed_after: Agreement = field(default_factory=Agreement)
    heard: Counter[str] = field(default_factory=Counter)  # keyword → articles that have it


# What is suggested of the theme for an article, by the words as they are or (True) as typed.
Ask = Callable[[Stored, bool], Suggestion | None]


def compare(
    articles: Iterable[Stored],
    before: ThemeRules | None,
    after: ThemeRules,
    *,
    threshold: float,
    ask: Ask | None = None,
) -> Outcome:
    """`before` None: a theme that does not exist yet. Articles stay in their order.

    Without `ask` keywords are compared with keywords; with it, what a model makes of both.
    """
    keywords = dict(enumerate(dict.fromkeys(after.keywords), start=_FIRST_KEYWORD))
    themes = [_as(_AFTER, after)] + ([_as(_BEFORE, before)] if before else [])
    themes += [ThemeRules(place, (), (keyword,)) for place, keyword in keywords.items()]
    compiled = CompiledThemes(tuple(themes))
    outcome = Outcome()
    for article in articles:
        suggestions = {
            one.theme_id: one
            for one in match(
                article.title, article.text, article.language, article.categories, compiled
            )
        }
        outcome.heard.update(keywords[place] for place in suggestions if place in keywords)
        if ask:
            new = ask(article, True)
            if before and _same_to_a_model(before, after, suggestions):
                old = new  # the half of the work that changes nothing
            else:
                old = ask(article, False) if before else None
        else:
            old = _said(suggestions.get(_BEFORE), threshold)
            new = _said(suggestions.get(_AFTER), threshold)
        _count(outcome, article, old, new)
    return outcome


def _as(theme_id: int, rules: ThemeRules) -> ThemeRules:
    return ThemeRules(theme_id, rules.names, rules.keywords, rules.exclusions, rules.categories)


def _same_to_a_model(
    before: ThemeRules, after: ThemeRules, suggestions: Mapping[int, Suggestion]
) -> bool:
    """A model sees of a theme's words what they found, and the exclusions."""
    found = [
        (one.confidence, one.source, one.evidence) if (one := suggestions.get(place)) else None
        for place in (_BEFORE, _AFTER)
    ]
    return before.exclusions == after.exclusions and found[0] == found[1]


def _said(suggestion: Suggestion | None, threshold: float) -> Suggestion | None:
    return suggestion if suggestion and suggestion.confidence >= threshold else None


def _count(
    outcome: Outcome, article: Stored, old: Suggestion | None, new: Suggestion | None
) -> None:
    outcome.looked_at += 1
    outcome.before += old is not None
    outcome.after += new is not None
    if article.decided is not None:
        outcome.reviewed += 1
        outcome.agreed_before.count(said=old is not None, decided=article.decided)
        outcome.agreed_after.count(said=new is not None, decided=article.decided)
        outcome.kept += (old is None) != (new is None)
    elif new and not old:
        outcome.gained.append(Change(article.pk, article.title, _words(new)))
    elif old and not new:
        outcome.lost.append(Change(article.pk, article.title, _words(old)))


def _words(suggestion: Suggestion) -> tuple[str, ...]:
    return tuple(one["term"] for one in suggestion.evidence[:WORDS])


class Trouble(StrEnum):
    NO_KEYWORDS = "no_keywords"
    NO_SUBJECT = "no_subject"  # only "di" and the like
    SHARED = "shared"  # another theme has it
    EXCLUDED = "excluded"  # stands among the exclusions as well
    EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Warned:
    trouble: Trouble
    word: str = ""
    theme_id: int = 0  # the other one
    articles: int = 0


def warnings(
    typed: ThemeRules, others: Sequence[ThemeRules], outcome: Outcome | None = None
) -> list[Warned]:
    """What an editor should think about before saving these words."""
    found = []
    if not typed.keywords and not typed.categories:
        found.append(Warned(Trouble.NO_KEYWORDS))
    found += [
        Warned(Trouble.NO_SUBJECT, word)
        for word in typed.keywords + typed.exclusions
        if not all(stem_phrase(word, language) for language in LANGUAGES)
    ]
    excluded = {_key(word) for word in typed.exclusions}
    owners: dict[tuple[str, ...], int] = {}
    for theme in others:
        for word in theme.names + theme.keywords:
            owners.setdefault(_key(word), theme.theme_id)
    for word in typed.keywords:
        if not (key := _key(word)):
            continue
        if key in excluded:
            found.append(Warned(Trouble.EXCLUDED, word))
        if key in owners:
            found.append(Warned(Trouble.SHARED, word, theme_id=owners[key]))
    if outcome and outcome.looked_at >= ENOUGH_TO_SAY:
        found += [
            Warned(Trouble.EVERYWHERE, word, articles=count)
            for word, count in outcome.heard.most_common()
            if count >= EVERYWHERE * outcome.looked_at
        ]
    return found


def _key(word: str) -> tuple[str, ...]:
    return stem_phrase(word, LANGUAGES[0])
