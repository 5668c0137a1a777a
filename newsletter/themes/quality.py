"""How good a theme's suggestions are, by what editors made of them. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from newsletter.themes.stemming import tokens

# Of so many a share can be told at all: with fewer the interval spans half of what is possible.
ENOUGH = 20
Z = 1.96  # 95 %

# Words worth adding: in at least so many of a theme's articles, and so much more often than in
# others.
FEWEST_INSIDE, FEWEST_OUTSIDE = 8, 20
FEWEST_ARTICLES = 3
LEAST_SHARE = 0.08
TIMES_AS_OFTEN = 4.0
MOST_WORDS = 10


@dataclass(frozen=True)
class Share:
    """So many of so many, with Wilson's interval (Wilson 1927): it holds for few as well."""

    right: int
    of: int

    @property
    def is_enough(self) -> bool:
        return self.of >= ENOUGH

    @property
    def percent(self) -> int:
        return round(100 * self.right / self.of) if self.of else 0

    @property
    def interval(self) -> tuple[int, int]:
        """Lowest and highest percentage that go well with these numbers."""
        if not self.of:
            return 0, 100
        share = self.right / self.of
        middle = share + Z * Z / (2 * self.of)
        spread = Z * math.sqrt(share * (1 - share) / self.of + Z * Z / (4 * self.of**2))
        whole = 1 + Z * Z / self.of
        return (
            math.floor(100 * max((middle - spread) / whole, 0.0)),
            math.ceil(100 * min((middle + spread) / whole, 1.0)),
        )


@dataclass(frozen=True)
class Decided:
    """What became of a theme's suggestions."""

    confirmed: int = 0
    rejected: int = 0
    added: int = 0  # by hand: nobody had suggested it

    @property
    def precision(self) -> Share:
        """Of what was suggested, so much was right."""
        return Share(self.confirmed, self.confirmed + self.rejected)

    @property
    def recall(self) -> Share:
        """Of what belongs there, so much was suggested."""
        return Share(self.confirmed, self.confirmed + self.added)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An article whose themes an editor has decided."""

    pk: int
    text: str
    language: str


@dataclass(frozen=True)
class Worth:
    """A word that might be a keyword, as the texts write it most often."""

    term: str
    inside: int  # of the theme's articles
    outside: int  # of the others
    article_id: int  # one that has it


Stems = tuple[str, ...]
_APART = re.compile(r"[^\w\s'’‘-]")  # a comma, a bracket: two words with one between are no phrase


def worth_adding(
    inside: Sequence[Reviewed], outside: Sequence[Reviewed], known: Collection[Stems]
) -> list[Worth] | None:
    """Frequent in a theme's articles, rare in others, and no keyword yet; None: too few to say."""
    if len(inside) < FEWEST_INSIDE or len(outside) < FEWEST_OUTSIDE:
        return None
    counts: Counter[Stems] = Counter()
    forms: dict[Stems, Counter[str]] = {}
    example: dict[Stems, int] = {}
    for article in inside:
        for stems, form in _terms(article).items():
            counts[stems] += 1
            forms.setdefault(stems, Counter())[form] += 1
            example.setdefault(stems, article.pk)
    fewest = max(FEWEST_ARTICLES, math.ceil(LEAST_SHARE * len(inside)))
    likely = {stems for stems, count in counts.items() if count >= fewest}
    likely = {stems for stems in likely if not _holds_any(stems, known)}
    elsewhere: Counter[Stems] = Counter()
    for article in outside:
        elsewhere.update(likely & _terms(article).keys())

    def ratio(stems: Stems) -> float:
        usual = (elsewhere[stems] + 0.5) / (len(outside) + 1)
        return counts[stems] / len(inside) / usual

    telling = [stems for stems in likely if ratio(stems) >= TIMES_AS_OFTEN]
    telling.sort(key=lambda stems: (-counts[stems] * math.log(ratio(stems)), -len(stems), stems))
    chosen: list[Stems] = []
    for stems in telling:
        if not any(set(stems) & set(other) for other in chosen):
            chosen.append(stems)
    return [
        Worth(forms[one].most_common(1)[0][0], counts[one], elsewhere[one], example[one])
        for one in chosen[:MOST_WORDS]
    ]


def _terms(article: Reviewed) -> dict[Stems, str]:
    """The words of a text and its pairs of neighbours, by stem, as it writes them first."""
    found: dict[Stems, str] = {}
    before = None
    for token in tokens(article.text, article.language):
        form = article.text[token.start : token.end]
        if not token.stem or not form.isalpha() or len(form) < 3:
            before = None
            continue
        found.setdefault((token.stem,), form)
        if before and not _APART.search(article.text, before.end, token.start):
            phrase = " ".join(article.text[before.start : token.end].split())
            found.setdefault((before.stem, token.stem), phrase)
        before = token
    return found


def _holds_any(stems: Stems, known: Iterable[Stems]) -> bool:
    """Such a phrase is found by the keyword in it already."""
    parts = {stems, *((stem,) for stem in stems)}
    return any(one in parts for one in known)
