"""A text as the learner sees it: how often each stem and each pair of neighbours occurs."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise

from newsletter.themes.stemming import Token, base_language, tokens

# A post of 1 MB is not read to its end; what it is about stands in the beginning.
MAX_TEXT = 120_000
# What kept stems mean: to be raised with every change of `stemming` or of how they are packed.
STEMS_FORMAT = 3
_READER = f"{STEMS_FORMAT} {version('snowballstemmer')}"


@dataclass(frozen=True, slots=True)
class Stems:
    """The words of a title and a text that carry a subject; an empty one ends a sentence."""

    title: Sequence[str]
    body: Sequence[str]

    def counts(self, *, pairs: bool = True) -> Counter[str]:
        """Stems, and pairs of neighbouring stems as "one two", by how often they occur."""
        found: Counter[str] = Counter()
        for part in (self.title, self.body):
            found.update(part)
            if pairs:
                found.update(
                    f"{first} {second}" for first, second in pairwise(part) if first and second
                )
        found.pop("", None)
        return found

    @property
    def words(self) -> int:
        """How many carry a subject."""
        return sum(map(bool, self.title)) + sum(map(bool, self.body))

    def packed(self) -> bytes:
        return zlib.compress("\n".join(map(" ".join, (self.title, self.body))).encode())

    @classmethod
    def unpacked(cls, packed: bytes) -> Stems:
        # Two blanks in a row are the end of a sentence: between them is the empty stem.
        title, body = zlib.decompress(packed).decode().split("\n")
        return cls(*(part.split(" ") if part else [] for part in (title, body)))


@dataclass(frozen=True, slots=True)
class Text:
    """A title and a text, taken apart once for keywords and learner alike."""

    title: str
    body: str
    title_tokens: list[Token]
    body_tokens: list[Token]

    def stems(self) -> Stems:
        return Stems(
            [token.stem for token in self.title_tokens], [token.stem for token in self.body_tokens]
        )

    def counts(self) -> Counter[str]:
        return self.stems().counts()

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


def fingerprint(title: str, body: str, language: str) -> str:
    """Changes with whatever the stems of a text depend on."""
    basis = "\0".join((_READER, base_language(language), title, body[:MAX_TEXT]))
    return hashlib.sha256(basis.encode(errors="surrogatepass")).hexdigest()[:32]
