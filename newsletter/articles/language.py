"""Which language a text is written in, when its feed says nothing or something else."""

from __future__ import annotations

import re
from collections import Counter

# Frequent words that belong to one of these languages and to no other here.
_WORDS = {
    "it": "il della che è per di gli nel alla sono anche più dei non delle questo con una degli",
    "en": "the of and to is that for with are this was by from have not which be will their an",
    "de": "der die das und ist nicht mit den von dem für auf eine sich auch werden wird ein zu im",
    "fr": "les des est dans pour que qui une sur pas avec plus aux sont cette ses ont nous du et",
    "es": "los las que el por una con para del más pero sus también fue han muy ser como y está",
    "pt": "os as não uma que com para dos das mais por foi são ao também pelo seu tem na em",
}  # fmt: skip
_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _words in _WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)


def language_of(text: str, declared: str) -> str:
    """Two letters. The declared language, unless the text speaks clearly for another."""
    declared = re.split(r"[-_]", declared.strip().lower())[0]
    declared = declared if re.fullmatch(r"[a-z]{2,3}", declared) else ""
    counts = dict.fromkeys(_WORDS, 0)
    for languages, times in Counter(map(_LANGUAGES_OF.get, text[:2000].lower().split())).items():
        for language in languages or ():
            counts[language] += times
    best = max(counts, key=lambda language: counts[language])
    if declared and declared not in counts:
        return declared
    others = counts.get(declared, 0)
    if counts[best] >= 8 and counts[best] >= 2 * others:
        return best
    return declared or (best if counts[best] >= 3 else "")
