"""Text to stems: what makes "dell'articolo" and "gli articoli" the same word."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Container
from functools import lru_cache
from typing import NamedTuple

import snowballstemmer

# Between two words of a phrase there is at most a blank, a hyphen, a quote or a comma: a full
# stop or a new line ends it. Apostrophes split, so that dell’articolo holds "articolo".
_PIECE = re.compile(r"[^\W_]+|[.!?;:\n|]")
PREFIX = 3  # shorter than what Snowball may rewrite: "prudenza" becomes "prudente"
_APOSTROPHES = "'’‘ʼ`"
# A line mostly in capitals says nothing about acronyms.
_SHOUTED_LETTERS = 12

_STEMMERS = {
    "it": "italian", "en": "english", "fr": "french", "de": "german", "es": "spanish",
    "pt": "portuguese", "ro": "romanian", "nl": "dutch",
}  # fmt: skip

# Words that carry no subject: articles, prepositions and their elided forms. They are left out,
# so that "orario di lavoro" is found in "l'orario del lavoro".
_ITALIAN_FUNCTION_WORDS = """
    a ad al all allo alla ai agli alle da dal dall dallo dalla dai dagli dalle
    di d del dell dello della dei degli delle in nel nell nello nella nei negli nelle
    su sul sull sullo sulla sui sugli sulle con col coi per tra fra
    il lo la i gli le l un uno una e ed o od che c ci si s se ne non quest quell dov cos com anch
"""
_ENGLISH_FUNCTION_WORDS = """
    a an the of in on at to for from by with and or as is are be it its s t that this
    was were been have has had not but they their them there which who he his she her we our you
    your i will would can could than then into also when what where so if no do does did these those
"""
_FRENCH_FUNCTION_WORDS = """
    a à au aux de d des du la le les l un une et ou en dans sur par pour avec que qu qui ce c se s
    ne n est sont il elle on y sa son ses leur
"""
_SPANISH_FUNCTION_WORDS = """
    a al de del el la los las lo un una y e o u en por para con que se su sus es son como no
"""
_GERMAN_FUNCTION_WORDS = """
    der die das den dem des ein eine einen einem einer eines und oder in im am an auf zu zum zur von
    vom mit für aus bei ist sind als es sich dass
"""
_FUNCTION_WORDS = {
    "it": frozenset(_ITALIAN_FUNCTION_WORDS.split()),
    "en": frozenset(_ENGLISH_FUNCTION_WORDS.split()),
    "fr": frozenset(_FRENCH_FUNCTION_WORDS.split()),
    "es": frozenset(_SPANISH_FUNCTION_WORDS.split()),
    "de": frozenset(_GERMAN_FUNCTION_WORDS.split()),
}

_ITALIAN_DERIVATION = re.compile(
    r"(?:ment[oi]|zion[ei]|iv[oaei]|tor[ei]|tric[ei]|is(?:t[aie]|m[oi]))$"
)


class Token(NamedTuple):
    """A word of a text. An empty stem marks where a sentence ends."""

    stem: str
    start: int
    end: int


def base_language(language: str) -> str:
    """The two letters that decide the stemmer; Italian when the text says nothing."""
    return language[:2].lower() or "it"


def fold(text: str) -> str:
    """Lower case without accents: what two spellings of one word have in common."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


class _Stemmers(threading.local):
    """A stemmer keeps the word it works on in itself, so threads can't share one."""

    def __init__(self) -> None:
        self.by_language: dict[str, snowballstemmer.stemmer] = {}

    def stem(self, language: str, word: str) -> str:
        algorithm = _STEMMERS.get(language)
        if algorithm is None:
            return word
        if language not in self.by_language:
            self.by_language[language] = snowballstemmer.stemmer(algorithm)
        return str(self.by_language[language].stemWord(word))


_stemmers = _Stemmers()


@lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    """The stem of one word; the word itself, folded, in a language without a stemmer.

    Finer than Snowball where it joins what a reader of Italian keeps apart: words of four letters
    stay whole (casa, caso), and a noun made by a suffix is not the word it came from (licenza and
    licenziamento, diretta and direttiva).
    """
    # One sign may stand for several words (ﷻ), or for nothing but an accent (ﾞ): it stays one word.
    folded = fold(word).replace(" ", "") or word
    if len(folded) < (5 if language == "it" else 4) or not folded.isalpha():
        return folded
    root = _stemmers.stem(language, folded)
    if language == "it":
        derived = _ITALIAN_DERIVATION.search(folded)
        if derived and len(root) <= derived.start():
            return f"{root}+{derived[0][:3]}"
    return root


def tokens(text: str, language: str, *, wanted: Container[str] | None = None) -> list[Token]:
    """The words of `text` that carry a subject, with their places; ends of sentences as breaks.

    "AI" in capitals is kept although "ai" is an Italian preposition; in a headline all in
    capitals it is the preposition.

    `wanted`: the first letters (PREFIX of them) of the stems asked for. Other words stay whole,
    which saves most of the work: a stemmer keeps the beginning of a word.
    """
    language = base_language(language)
    function_words = _FUNCTION_WORDS.get(language, frozenset())
    acronyms = not _is_shouted(text)
    found: list[Token] = []
    for piece in _PIECE.finditer(text):
        word, start, end = piece[0], piece.start(), piece.end()
        if not word[0].isalnum():
            if found and found[-1].stem:
                found.append(Token("", start, end))
            continue
        if len(word) <= 5 and word.lower() in function_words:
            if acronyms and 1 < len(word) < 4 and word.isupper() and not _is_elided(text, end):
                found.append(Token(word, start, end))
            continue
        if wanted is not None and fold(word[:PREFIX]) not in wanted:
            found.append(Token(word, start, end))
        else:
            found.append(Token(stem(word, language), start, end))
    return found


def stem_phrase(phrase: str, language: str) -> tuple[str, ...]:
    """What two spellings of a keyword have in common; empty when none of it carries a subject."""
    return tuple(token.stem for token in tokens(phrase, language) if token.stem)


def _is_elided(text: str, end: int) -> bool:
    return text[end : end + 1] in tuple(_APOSTROPHES)


def _is_shouted(text: str) -> bool:
    sample = text[:2000]
    letters = sum(map(str.isalpha, sample))
    capitals = sum(map(str.isupper, sample))
    return letters >= _SHOUTED_LETTERS and capitals > 0.6 * letters
