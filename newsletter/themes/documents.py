"""A text as the learner sees it: how often each stem and each pair of neighbours occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from newsletter.themes.stemming import Token, tokens

# A post of 1 MB is not read to its end; what it is about stands in the beginning.
MAX_TEXT = 120_000


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a text, taken apart once for keywords and learner alike."""

    title: str
    body: str
    title_tokens: list[Token]
    body_tokens: list[Token]

    def counts(self) -> Counter[str]:
        """Stems, and pairs of neighbouring stems as "one two", by how often they occur."""
        found: Counter[str] = Counter()
        for part in (self.title_tokens, self.body_tokens):
            stems = [token.stem for token in part]
            found.update(stems)
            found.update(
                f"{first} {second}" for first, second in pairwise(stems) if first and second
            )
        found.pop("", None)  # ends of sentences
        return found

    def words(self) -> Iterator[tuple[str, str, bool]]:
        """Every word that carries a subject: its stem, as it is written, whether in the title."""
        for source, part, in_title in (
            (self.title, self.title_tokens, True),
            (self.body, self.body_tokens, False),
        ):
            for token in part:
                if token.stem:
                    yield token.stem, source[token.start : token.end], in_title


def read(title: str, body: str, language: str) -> Text:
    body = body[:MAX_TEXT]
    return Text(title, body, tokens(title, language), tokens(body, language))
