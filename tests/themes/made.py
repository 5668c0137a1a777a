"""Small made articles on three subjects, for tests that really learn."""

from __future__ import annotations

import random

from newsletter.themes.rules import CompiledThemes, ThemeRules
from newsletter.themes.sources import Source

PENSIONS, STRIKES, SCHOOL = 1, 2, 3

KEYWORDS = {
    PENSIONS: ("pensione", "previdenza"),
    STRIKES: ("sciopero", "corteo"),
    SCHOOL: ("scuola", "insegnante"),
}
# Words that go with the subject and that no keyword list holds.
COMPANY = {
    PENSIONS: ("contributi", "anzianità", "assegno", "quota", "vecchiaia", "reversibilità"),
    STRIKES: ("piazza", "adesione", "presidio", "mobilitazione", "striscione", "protesta"),
    SCHOOL: ("classe", "alunno", "lezione", "cattedra", "supplenza", "banco"),
}
FILLER = (
    "oggi", "ieri", "sempre", "nuovo", "parola", "giorno", "città", "mese", "lettera", "numero",
    "modo", "parte", "punto", "volta", "tempo", "ufficio", "azienda", "notizia", "gruppo", "anno",
)  # fmt: skip


def themes() -> CompiledThemes:
    return CompiledThemes(
        tuple(ThemeRules(number, (f"Tema{number}x",), words) for number, words in KEYWORDS.items())
    )


def article(theme: int, dice: random.Random, *, with_keyword: bool = True) -> str:
    words = dice.choices(FILLER, k=14) + dice.sample(COMPANY[theme], 3)
    if with_keyword:
        words.append(dice.choice(KEYWORDS[theme]))
    dice.shuffle(words)
    return " ".join(words)


def sources(
    count: int, *, reviewed: bool, seed: int = 1, keyword_share: float = 0.7
) -> list[Source]:
    dice = random.Random(seed)
    found = []
    for number in range(count):
        theme = (PENSIONS, STRIKES, SCHOOL)[number % 3]
        text = article(theme, dice, with_keyword=dice.random() < keyword_share)
        found.append(Source("", text, frozenset({theme}) if reviewed else None))
    return found
