"""Which themes a text has by their keywords, and why. Pure: no database, no clock.

The confidence, from what was found:

- A term (a keyword or phrase, by stem) counts 1; a phrase of several words 1.5, as it is rarely
  there by chance. Repetitions add little: n times counts 1 + log2(n) / 2, at most 2.
- In the title it counts 2 more per word or 3 per phrase: a headline says what the post is about.
- An exclusion counts against in the same way, and hides the keywords it covers: "contratto di
  affitto" is no "contratto".
- The sum is set against what a text of this length needs: 1 up to 40 words, rising with the
  logarithm of the length to 2 at 400 words. One keyword once is enough for a headline or a
  sentence and not for a long post, where a title or a second term must agree.
- confidence = score² / (score² + need²), at most .94: it is .5 when the score is just what the
  text needs, and rises with every further term.

A category the blog itself chose, and that an editor mapped to a theme, gives .95.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from newsletter.themes.documents import MAX_TEXT, Text
from newsletter.themes.stemming import PREFIX, Token, base_language, fold, tokens

WORD_WEIGHT = 1.0
PHRASE_WEIGHT = 1.5
TITLE_FACTOR = 2.0
SHORT_TEXT = 40  # words
CATEGORY_CONFIDENCE = 0.95
MOST_CONFIDENT_RULE = 0.94
EVIDENCE_TERMS = 8

_END = ""  # in a trie's node: the patterns that end here (no stem is empty)


class EvidenceTerm(TypedDict):
    term: str  # in the text's own words
    share: float  # of all that spoke for the theme
    in_title: bool


@dataclass(frozen=True)
class Suggestion:
    theme_id: int
    source: str  # "rule", "category" or "learned", as ThemeAssignment.Source
    confidence: float
    evidence: tuple[EvidenceTerm, ...]  # most telling first
    stems: tuple[tuple[str, ...], ...] = field(default=(), compare=False)  # of each evidence


@dataclass(frozen=True)
class ThemeRules:
    """A theme as its editors wrote it."""

    theme_id: int
    names: tuple[str, ...]  # stand for keywords and for feed categories as well
    keywords: tuple[str, ...]
    exclusions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pattern:
    theme: int  # place in the list of themes
    stems: tuple[str, ...]
    excludes: bool

    @property
    def weight(self) -> float:
        return PHRASE_WEIGHT if len(self.stems) > 1 else WORD_WEIGHT


@dataclass(slots=True)
class _Hits:
    """Where one pattern was found in one text."""

    title: int = 0
    body: int = 0
    words: str = ""

    def score(self, pattern: _Pattern) -> float:
        repeated = min(1 + math.log2(self.title + self.body) / 2, 2.0)
        return pattern.weight * (repeated + (TITLE_FACTOR if self.title else 0.0))


@dataclass(frozen=True)
class CompiledThemes:
    """Themes ready to match; one trie over stems per language, made when first needed."""

    themes: tuple[ThemeRules, ...]
    _tries: dict[str, tuple[dict[str, Any], set[str]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _excluded: dict[str, dict[int, frozenset[str]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _categories: dict[str, list[int]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for theme in self.themes:
            for category in {_category_key(name) for name in theme.names + theme.categories}:
                self._categories.setdefault(category, []).append(theme.theme_id)

    def trie(self, language: str) -> tuple[dict[str, Any], set[str]]:
        """The trie of a language, and the first letters of all its stems."""
        language = base_language(language)
        if language not in self._tries:
            self._tries[language] = _build_trie(self.themes, language)
        return self._tries[language]

    def excluded_words(self, language: str) -> dict[int, frozenset[str]]:
        """Of each theme that has any: the stems of its exclusions of one word."""
        language = base_language(language)
        if language not in self._excluded:
            self._excluded[language] = {
                theme.theme_id: frozenset(words)
                for theme in self.themes
                if (
                    words := [
                        found[0].stem
                        for phrase in theme.exclusions
                        if len(found := tokens(phrase, language)) == 1 and found[0].stem
                    ]
                )
            }
        return self._excluded[language]

    def with_category(self, category: str) -> list[int]:
        return self._categories.get(_category_key(category), [])


def _category_key(category: str) -> str:
    return " ".join(fold(category).split())


def _build_trie(themes: Sequence[ThemeRules], language: str) -> tuple[dict[str, Any], set[str]]:
    root: dict[str, Any] = {}
    prefixes: set[str] = set()
    for place, theme in enumerate(themes):
        patterns = [(phrase, False) for phrase in theme.names + theme.keywords]
        patterns += [(phrase, True) for phrase in theme.exclusions]
        for phrase, excludes in patterns:
            stems = tuple(token.stem for token in tokens(phrase, language) if token.stem)
            if not stems:
                continue  # only "di" and the like: it would match everything
            node = root
            for stem in stems:
                node = node.setdefault(stem, {})
                prefixes.add(fold(stem[:PREFIX]))
            ends: list[_Pattern] = node.setdefault(_END, [])
            # "pensione" and "pensioni" are one term; an exclusion wins over an equal keyword.
            ends[:] = [known for known in ends if known.theme != place or known.excludes]
            if not any(known.theme == place for known in ends):
                ends.append(_Pattern(place, stems, excludes))
    return root, prefixes


def match(
    title: str,
    text: str,
    language: str,
    categories: Iterable[str],
    themes: CompiledThemes,
    *,
    read: Text | None = None,
) -> list[Suggestion]:
    """Every theme that anything speaks for, most confident first. The caller sets the bar.

    `read` is the same title and text, when the caller has taken them apart already.
    """
    trie, wanted = themes.trie(language)
    text = text[:MAX_TEXT]
    title_tokens = read.title_tokens if read else tokens(title, language, wanted=wanted)
    body_tokens = read.body_tokens if read else tokens(text, language, wanted=wanted)
    hits: dict[_Pattern, _Hits] = {}
    _collect(title, title_tokens, trie, hits, in_title=True)
    _collect(text, body_tokens, trie, hits, in_title=False)
    need = _needed(len(title_tokens) + len(body_tokens))

    suggestions: dict[int, Suggestion] = {}
    by_theme: dict[int, list[_Pattern]] = {}
    for pattern in hits:
        by_theme.setdefault(pattern.theme, []).append(pattern)
    for place, patterns in by_theme.items():
        suggestion = _weigh(themes.themes[place].theme_id, patterns, hits, need)
        if suggestion:
            suggestions[suggestion.theme_id] = suggestion
    for category in categories:
        for theme_id in themes.with_category(category):
            suggestions[theme_id] = _filed(theme_id, category, suggestions.get(theme_id))
    return sorted(suggestions.values(), key=lambda one: (-one.confidence, one.theme_id))


def _collect(
    text: str,
    words: list[Token],
    trie: dict[str, Any],
    hits: dict[_Pattern, _Hits],
    *,
    in_title: bool,
) -> None:
    """Count every theme's longest terms, from left to right, none inside another."""
    taken_until: dict[int, int] = {}  # theme → the word after its last term
    for first in range(len(words)):
        node = trie.get(words[first].stem)
        if node is None:
            continue
        longest: dict[int, tuple[_Pattern, int]] = {}
        last = first
        while True:
            for pattern in node.get(_END, ()):
                longest[pattern.theme] = (pattern, last)
            last += 1
            if last >= len(words) or not words[last].stem:
                break
            node = node.get(words[last].stem)
            if node is None:
                break
        for theme, (pattern, end) in longest.items():
            if first < taken_until.get(theme, 0):
                continue
            taken_until[theme] = end + 1
            hit = hits.setdefault(pattern, _Hits())
            if not hit.words:
                hit.words = " ".join(text[words[first].start : words[end].end].split())
            if in_title:
                hit.title += 1
            else:
                hit.body += 1


def _needed(words: int) -> float:
    return 1.0 + min(1.0, max(0.0, math.log10(max(words, 1) / SHORT_TEXT)))


def _weigh(
    theme_id: int, patterns: list[_Pattern], hits: dict[_Pattern, _Hits], need: float
) -> Suggestion | None:
    scores = {pattern: hits[pattern].score(pattern) for pattern in patterns}
    spoke_for = sum(score for pattern, score in scores.items() if not pattern.excludes)
    against = sum(score for pattern, score in scores.items() if pattern.excludes)
    score = spoke_for - against
    if score <= 0:
        return None
    confidence = min(score**2 / (score**2 + need**2), MOST_CONFIDENT_RULE)
    telling = sorted(
        (pattern for pattern in patterns if not pattern.excludes),
        key=lambda pattern: (-scores[pattern], pattern.stems),
    )
    evidence = tuple(
        EvidenceTerm(
            term=hits[pattern].words,
            share=round(scores[pattern] / spoke_for, 3),
            in_title=hits[pattern].title > 0,
        )
        for pattern in telling[:EVIDENCE_TERMS]
    )
    stems = tuple(pattern.stems for pattern in telling[:EVIDENCE_TERMS])
    return Suggestion(theme_id, "rule", round(confidence, 4), evidence, stems)


def _filed(theme_id: int, category: str, by_words: Suggestion | None) -> Suggestion:
    """The blog's own category decides; what the words said is kept as further evidence."""
    own = EvidenceTerm(term=category, share=1.0, in_title=False)
    if by_words is None:
        return Suggestion(theme_id, "category", CATEGORY_CONFIDENCE, (own,))
    if by_words.source == "category":
        return by_words  # filed twice under the same theme
    own["share"] = 0.5
    rest = tuple(
        EvidenceTerm(term=one["term"], share=round(one["share"] / 2, 3), in_title=one["in_title"])
        for one in by_words.evidence
    )
    return Suggestion(theme_id, "category", CATEGORY_CONFIDENCE, (own, *rest[: EVIDENCE_TERMS - 1]))
