"""A text as words, and as the marks by which a copy of it is found."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

IN_A_SHINGLE = 4  # words
SAMPLED = 8  # one shingle in so many goes into the index
# Excerpts are openings, and short: there the sample is denser, so that one in a thousand finds
# nothing of itself in the index.
OPENING = 64  # words
SAMPLED_OPENING = 4
MOST_SAMPLED = 256  # of one text: a long one is sampled more thinly
MOST_WORDS = 20_000  # what a text says beyond is not read
_LARGEST = (1 << 63) - 1  # what a database's integer holds

# Apostrophes part words, so that dell’articolo, dell'articolo and dell articolo are the same.
# Scripts without blanks: each sign is a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # soft hyphens, zero widths
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@lru_cache(maxsize=200_000)
def fold(word: str, language: str = "") -> str:
    """What two spellings of one word have in common: no case, no accents."""
    if word.isascii():
        return word.lower()
    word = unicodedata.normalize("NFC", word.casefold())
    if language == "de":
        word = word.translate(_GERMAN)
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


@dataclass(frozen=True)
class Text:
    written: tuple[str, ...]  # the words as they stand
    words: tuple[str, ...]  # folded
    shingles: tuple[int, ...]  # one for each place where IN_A_SHINGLE words follow one another
    marks: frozenset[int]  # the same, each once
    key: int  # equal for texts of the same words; 0 when there are none

    @property
    def sample(self) -> tuple[int, ...]:
        """The marks that stand for it in the index: chosen by what they are, not by where they
        stand, so that a part finds its whole.
        """
        everywhere = sorted(mark for mark in self.marks if mark % SAMPLED == 0)[:MOST_SAMPLED]
        opening = self.shingles[: OPENING - IN_A_SHINGLE + 1]
        return tuple({*everywhere, *(mark for mark in opening if mark % SAMPLED_OPENING == 0)})


def read(text: str, language: str = "") -> Text:
    if not text.isascii():
        # A combining accent is no letter to the pattern: joined first, it is part of one.
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    written = tuple(found[0] for found in islice(_WORD.finditer(text), MOST_WORDS))
    language = language[:2].lower()
    words = tuple(fold(word, language) for word in written)
    shingles = tuple(_shingles(words))
    return Text(written, words, shingles, frozenset(shingles), _key(words))


def _shingles(words: Sequence[str]) -> Iterable[int]:
    marks = [_mark(word) for word in words]
    # Odd factors, so that the order of the words counts and no bit is lost.
    for a, b, c, d in zip(marks, marks[1:], marks[2:], marks[3:], strict=False):
        yield (a * 0x9E3779B97F4A7C15 + b * 0xC2B2AE3D27D4EB4F + c * 0x165667B19E3779F9 + d) & (
            _LARGEST
        )


@lru_cache(maxsize=200_000)
def _mark(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def _key(words: Sequence[str]) -> int:
    if not words:
        return 0
    digest = blake2b(" ".join(words).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") & _LARGEST) or 1


@dataclass(frozen=True)
class Sample:
    dense: frozenset[int]  # with the openings
    even: frozenset[int]  # 1 in SAMPLED of the whole text

    @classmethod
    def of(cls, marks: Iterable[int]) -> Sample:
        dense = frozenset(marks)
        return cls(dense, frozenset(mark for mark in dense if mark % SAMPLED == 0))

    def share_in(self, other: Sample) -> float:
        """How much of the smaller sample the other holds, openings apart or with them."""
        return max(_share(self.dense, other.dense), _share(self.even, other.even))


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


def pack(sample: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(sample)}q", *sample)


def unpack(packed: bytes | memoryview) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}q", packed)
