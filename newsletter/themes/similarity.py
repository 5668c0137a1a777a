"""How alike two short texts are, by the words that carry a subject. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from newsletter.themes.stemming import tokens


def words_of(text: str, language: str) -> Counter[str]:
    return Counter(token.stem for token in tokens(text, language) if token.stem)


def likeness(one: Counter[str], others: Mapping[int, Counter[str]]) -> dict[int, float]:
    """0 to 1 for each of the others; a word that many of them have counts little."""
    seen = Counter(word for words in others.values() for word in words)
    seen.update(one.keys())
    rarity = {word: math.log((len(others) + 2) / count) for word, count in seen.items()}

    def weights(words: Counter[str]) -> dict[str, float]:
        return {word: (1 + math.log(count)) * rarity[word] for word, count in words.items()}

    own = weights(one)
    own_length = _length(own)
    found: dict[int, float] = {}
    for key, words in others.items():
        theirs = weights(words)
        product = own_length * _length(theirs)
        shared = sum(weight * theirs.get(word, 0.0) for word, weight in own.items())
        found[key] = shared / product if product else 0.0
    return found


def _length(weights: Mapping[str, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights.values()))
