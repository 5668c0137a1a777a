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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from newsletter.themes.documents import MAX_TEXT, Stems, Text
from newsletter.themes.stemming import PREFIX, base_language, fold, stem_phrase, tokens

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
    place: tuple[int, int] = (0, 0)  # of its first and last word, where it was found first

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
    _excluded: dict[str, dict[int, frozenset[tuple[str, ...]]]] = field(
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

    def excluded_terms(self, language: str) -> dict[int, frozenset[tuple[str, ...]]]:
        """Of each theme that has any: the stems of its exclusions."""
        language = base_language(language)
        if language not in self._excluded:
            self._excluded[language] = {
                theme.theme_id: frozenset(terms)
                for theme in self.themes
                if (terms := {stem_phrase(one, language) for one in theme.exclusions} - {()})
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
    hits, need = _found(
        [token.stem for token in title_tokens], [token.stem for token in body_tokens], trie
    )

    def written(hit: _Hits) -> str:
        source, words = (title, title_tokens) if hit.title else (text, body_tokens)
        first, last = hit.place
        return " ".join(source[words[first].start : words[last].end].split())

    suggestions: dict[int, Suggestion] = {}
    for place, patterns in _by_theme(hits).items():
        theme_id = themes.themes[place].theme_id
        confidence, scores = _weigh(patterns, hits, need)
        if confidence:
            suggestions[theme_id] = _explained(theme_id, confidence, scores, hits, written)
    for category in categories:
        for theme_id in themes.with_category(category):
            suggestions[theme_id] = _filed(theme_id, category, suggestions.get(theme_id))
    return sorted(suggestions.values(), key=lambda one: (-one.confidence, one.theme_id))


def confidences(stems: Stems, language: str, themes: CompiledThemes) -> dict[int, float]:
    """What `match` says of a text of which only the stems are at hand, without the words."""
    trie, _ = themes.trie(language)
    hits, need = _found(stems.title, stems.body, trie)
    found = {}
    for place, patterns in _by_theme(hits).items():
        confidence, _ = _weigh(patterns, hits, need)
        if confidence:
            found[themes.themes[place].theme_id] = confidence
    return found


def _found(
    title: Sequence[str], body: Sequence[str], trie: dict[str, Any]
) -> tuple[dict[_Pattern, _Hits], float]:
    """Every term that is there, and what a text of this length needs."""
    hits: dict[_Pattern, _Hits] = {}
    _collect(title, trie, hits, in_title=True)
    _collect(body, trie, hits, in_title=False)
    return hits, _needed(len(title) + len(body))


def _by_theme(hits: Iterable[_Pattern]) -> dict[int, list[_Pattern]]:
    found: dict[int, list[_Pattern]] = {}
    for pattern in hits:
        found.setdefault(pattern.theme, []).append(pattern)
    return found


def _collect(
    stems: Sequence[str], trie: dict[str, Any], hits: dict[_Pattern, _Hits], *, in_title: bool
) -> None:
    """Count every theme's longest terms, from left to right, none inside another."""
    taken_until: dict[int, int] = {}  # theme → the word after its last term
    for first in [place for place, stem in enumerate(stems) if stem in trie]:
        node = trie[stems[first]]
        longest: dict[int, tuple[_Pattern, int]] = {}
        last = first
        while True:
            for pattern in node.get(_END, ()):
                longest[pattern.theme] = (pattern, last)
            last += 1
            if last >= len(stems) or not stems[last]:
                break
            node = node.get(stems[last])
            if node is None:
                break
        for theme, (pattern, end) in longest.items():
            if first < taken_until.get(theme, 0):
                continue
            taken_until[theme] = end + 1
            hit = hits.get(pattern)
            if hit is None:
                hit = hits[pattern] = _Hits(place=(first, end))
            if in_title:
                hit.title += 1
            else:
                hit.body += 1


def _needed(words: int) -> float:
    return 1.0 + min(1.0, max(0.0, math.log10(max(words, 1) / SHORT_TEXT)))


def _weigh(
    patterns: list[_Pattern], hits: dict[_Pattern, _Hits], need: float
) -> tuple[float, dict[_Pattern, float]]:
    """The confidence (0: no more speaks for the theme than against it) and each term's score."""
    scores = {pattern: hits[pattern].score(pattern) for pattern in patterns}
    score = sum(-one if pattern.excludes else one for pattern, one in scores.items())
    if score <= 0:
        return 0.0, scores
    return round(min(score**2 / (score**2 + need**2), MOST_CONFIDENT_RULE), 4), scores


def _explained(
    theme_id: int,
    confidence: float,
    scores: dict[_Pattern, float],
    hits: dict[_Pattern, _Hits],
    written: Callable[[_Hits], str],
) -> Suggestion:
    telling = sorted(
        (pattern for pattern in scores if not pattern.excludes),
        key=lambda pattern: (-scores[pattern], pattern.stems),
    )
    spoke_for = sum(scores[pattern] for pattern in telling)
    telling = telling[:EVIDENCE_TERMS]
    evidence = tuple(
        EvidenceTerm(
            term=written(hits[pattern]),
            share=round(scores[pattern] / spoke_for, 3),
            in_title=hits[pattern].title > 0,
        )
        for pattern in telling
    )
    stems = tuple(pattern.stems for pattern in telling)
    return Suggestion(theme_id, "rule", confidence, evidence, stems)


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
