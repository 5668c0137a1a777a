"""Whether two articles tell the same news. Pure; a wrong fold is worse than a missed one."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property

from newsletter.articles.stories.words import IN_A_SHINGLE, Text, read

ALIKE = 0.6  # of the shorter text stands in the longer: worth a look
NEARLY_EQUAL = 0.7  # of what both texts hold, both hold
# What comes back after a month is a new occasion in old words: the same notice next year.
FOLD_WITHIN = timedelta(days=30)
PART_WITHIN = timedelta(hours=72)
FEWEST_WORDS = 20  # below, equal words say little
FEW_WORDS = 60  # below, the title must agree
MUCH = 0.4  # of a text is no quotation in passing
TITLES_ALIKE = 0.6
TRANSLATED = 0.4  # a translation is not much shorter than its original

_DATES_AND_COUNTS = frozenset(
    """
    gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
    lunedi martedi mercoledi giovedi venerdi sabato domenica oggi ieri domani
    due tre quattro cinque sei sette otto nove dieci dodici ventiquattro prima seconda terza
    january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday today yesterday tomorrow
    two three four five six seven eight nine ten twelve first second third
    """.split()  # noqa: SIM905
)
# The same words with one of these are other news: called, and called off.
_TURNS = (
    "revoc", "sospes", "sospend", "rinvi", "annull", "differi", "posticip", "precett", "smenti",
    "postpon", "cancel", "suspend", "called", "withdraw", "withdrew",
)  # fmt: skip
_NEGATIONS = frozenset({"non", "not", "no", "mai", "never", "nessun", "senza", "without"})
_SHORT_RUN = 3


class Verdict(Enum):
    SAME = "the same text, or the one it says it comes from"
    PART = "an excerpt of it"
    POSSIBLE = "perhaps: for an editor to say"
    OTHER = "other news"


@dataclass(frozen=True)
class Piece:
    article_id: int
    feed_id: int | None
    language: str
    title: str
    told_at: datetime
    text: Text
    links: Set[str] = frozenset()  # the names it is known under: identity keys
    origin: str = ""  # the identity key of the address it names as its original

    @cached_property
    def headline(self) -> Text:
        return read(self.title, self.language)


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    share: float  # of the shorter text's shingles that stand in the longer
    jaccard: float


def judge(one: Piece, other: Piece) -> Judgement:
    shared = one.text.marks & other.text.marks
    shorter = min(len(one.text.marks), len(other.text.marks))
    both = len(one.text.marks) + len(other.text.marks) - len(shared)
    share = len(shared) / shorter if shorter else 0.0
    jaccard = len(shared) / both if both else 0.0
    return Judgement(_verdict(one, other, shared, share, jaccard), share, jaccard)


def _verdict(one: Piece, other: Piece, shared: Set[int], share: float, jaccard: float) -> Verdict:
    if names_as_origin(one, other) or names_as_origin(other, one):
        # Its source line may also cite in passing, or stand under comments on the piece.
        believed = share >= TITLES_ALIKE / 2 or _may_be_translation(one, other)
        return Verdict.SAME if believed else Verdict.POSSIBLE
    shortest, longest = sorted((len(one.text.words), len(other.text.words)))
    if share < ALIKE or shortest < FEWEST_WORDS:
        return Verdict.OTHER
    passed = abs(one.told_at - other.told_at)
    alike = titles_alike(one, other)
    if passed > FOLD_WITHIN or titles_contradict(one, other):
        return Verdict.POSSIBLE
    # A blog does not repeat itself under another headline; what repeats is a form of words.
    if not alike and (shortest < FEW_WORDS or one.feed_id == other.feed_id):
        return Verdict.POSSIBLE
    if jaccard >= NEARLY_EQUAL:
        return Verdict.POSSIBLE if texts_contradict(one, other, shared) else Verdict.SAME
    if (
        share == 1
        and passed <= PART_WITHIN
        and (alike or (shortest >= MUCH * longest and one.feed_id != other.feed_id))
    ):
        return Verdict.PART
    return Verdict.POSSIBLE


def names_as_origin(repost: Piece, original: Piece) -> bool:
    return bool(repost.origin) and repost.origin in original.links


def _may_be_translation(one: Piece, other: Piece) -> bool:
    if not one.language or not other.language or one.language[:2] == other.language[:2]:
        return False
    shortest, longest = sorted((len(one.text.words), len(other.text.words)))
    return shortest >= FEWEST_WORDS and shortest >= TRANSLATED * longest


def titles_alike(one: Piece, other: Piece) -> bool:
    """Most of the shorter headline's longer words stand in the other."""
    first, second = (
        {word for word in piece.headline.words if len(word) > 3 or word.isdigit()}
        for piece in (one, other)
    )
    shortest = min(len(first), len(second))
    return shortest > 0 and len(first & second) >= TITLES_ALIKE * shortest


def titles_contradict(one: Piece, other: Piece) -> bool:
    """Each headline has a date, number or name that the other article knows nothing of.

    "Press review of 12 May" and "… of 13 May" are two, however equal the text below.
    """
    if _turned(one, other) or _turned(other, one):
        return True
    first = _without(_telling(one.headline), other.headline.words)
    second = _without(_telling(other.headline), one.headline.words)
    if any(word.isdigit() for _k, word in first) and any(word.isdigit() for _k, word in second):
        return True  # a text that both share may name both
    if titles_alike(one, other):
        # The same headline but for a word: "Strike in logistics", "Strike in education".
        first, second = (
            {("word", word) for word in set(mine.headline.words) - set(its.headline.words)}
            for mine, its in ((one, other), (other, one))
        )
        first, second = (
            {(kind, word) for kind, word in side if len(word) > 3} for side in (first, second)
        )
    return _contradict(_without(first, other.text.words), _without(second, one.text.words))


def _turned(one: Piece, other: Piece) -> bool:
    """The headline says what the other's does not: that it was called off, that it is not so."""
    said = _turns(one.headline.words) - _turns(other.headline.words)
    if not said or titles_alike(one, other):
        return bool(said)
    return bool(said - _turns(set(other.text.words)))


def texts_contradict(one: Piece, other: Piece, shared: Set[int]) -> bool:
    """Where the texts part, each puts a date, number or name of its own in the same place.

    Two notices from one form differ so: all words equal but the day and the town. What only one
    of them has (a footer, a line of introduction) contradicts nothing, unless it turns the news.
    """
    first, second = _changes(one.text, shared), _changes(other.text, shared)
    if any(_contradict(first[run], second[run]) for run in first.keys() & second.keys()):
        return True
    turned = [
        {word for run in changes.values() for kind, word in run if kind == "turn"}
        for changes in (first, second)
    ]
    return turned[0] != turned[1]


# The words that tell one news from another, each with its kind: a number, a name, a turn.
Telling = set[tuple[str, str]]


def _contradict(one: Telling, other: Telling) -> bool:
    """Each side has something of one kind that the other lacks: a name against a name."""
    return bool({kind for kind, _word in one - other} & {kind for kind, _word in other - one})


def _without(telling: Telling, words: Iterable[str]) -> Telling:
    known = set(words)
    return {(kind, word) for kind, word in telling if word not in known}


def _changes(text: Text, shared: Set[int]) -> dict[tuple[str, ...], Telling]:
    """The telling words of each run that no shared shingle covers, by the words before it."""
    covered = bytearray(len(text.words))
    for place, shingle in enumerate(text.shingles):
        if shingle in shared:
            covered[place : place + IN_A_SHINGLE] = b"\1" * IN_A_SHINGLE
    found: dict[tuple[str, ...], Telling] = {}
    capitals_tell = not _is_shouted(text.written)
    start = 0
    while (start := covered.find(0, start)) >= 0:
        end = covered.find(1, start)
        end = len(covered) if end < 0 else end
        run = set()
        for written, word in zip(text.written[start:end], text.words[start:end], strict=True):
            if kind := _tells(written, word, capitals_tell):
                run.add((kind, word))
            if turn := _turn(word) or (word in _NEGATIONS and end - start <= _SHORT_RUN and word):
                run.add(("turn", turn))
        found.setdefault(text.words[max(start - IN_A_SHINGLE, 0) : start], set()).update(run)
        start = end
    return found


def _telling(headline: Text) -> Telling:
    """Numbers, dates and names of a headline; in Title Case, capitals name nothing."""
    capitals_tell = not _is_title_case(headline.written)
    return {
        (kind, word)
        for place, (written, word) in enumerate(zip(headline.written, headline.words, strict=True))
        if (kind := _tells(written, word, capitals_tell and place > 0))
    }


def _tells(written: str, word: str, capitals_tell: bool) -> str:
    if word in _DATES_AND_COUNTS or not word.isalpha():  # it holds a digit
        return "number"
    return "name" if capitals_tell and written[0].isupper() else ""


def _turn(word: str) -> str:
    return next((turn for turn in _TURNS if word.startswith(turn)), "")


def _turns(words: Iterable[str]) -> set[str]:
    turns = {_turn(word) for word in words} | {word for word in words if word in _NEGATIONS}
    return turns - {""}


def _is_shouted(written: tuple[str, ...]) -> bool:
    some = [word for word in written[:300] if word.isalpha()]
    return sum(word.isupper() for word in some) > 0.5 * len(some)


def _is_title_case(written: tuple[str, ...]) -> bool:
    rest = [word for word in written[1:] if word.isalpha()]
    capitals = sum(word[0].isupper() for word in rest)
    return capitals > max(2, len(rest) / 2)
