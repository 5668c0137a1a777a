"""Each sample in samples/ stands beside what must come of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from newsletter.articles.cleaning import Cleaned, clean
from newsletter.articles.excerpt import excerpt

SAMPLES = Path(__file__).parent / "samples"
ENTRY_URL = "https://blog.example/2026/07/13/lavoro-agile/"


def cleaned(html: str) -> Cleaned:
    return clean(html, base_url=ENTRY_URL, entry_url=ENTRY_URL, site_url="https://blog.example/")


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.html")))
def test_sample(name: str) -> None:
    result = cleaned((SAMPLES / f"{name}.html").read_text())
    expected = json.loads((SAMPLES / f"{name}.json").read_text())
    found = {key: getattr(result, key) for key in expected}
    if found.get("original_date"):
        found["original_date"] = found["original_date"].isoformat()
    assert found == expected


@pytest.mark.parametrize(
    "html",
    ["<!-- " * 50_000, "<div>" * 100_000, "<b><p>" * 80_000, "<table><td>" * 50_000,
     "<a href=x>" * 50_000, "&" * 500_000, "<p " + "a=1 " * 120_000 + ">x", "x<br>" * 100_000,
     "<p>a</p>" * 60_000, "<img src=a.jpg>" * 33_000, "[caption " * 50_000, "the post " * 50_000,
     "<ul><li>" * 60_000, "<div>" * 45_000 + "</div>" * 45_000, "fonte: " * 70_000,
     "<svg><math>" * 40_000, "\x00\x0c" * 200_000, "… " * 200_000,
     "<pre>[&amp;" * 40_000, "<code>[" * 60_000, "[/x]" * 90_000, '[box a="' * 50_000],
)  # fmt: skip
def test_hostile_markup_costs_at_most_a_second(html: str) -> None:
    began = time.process_time()
    excerpt(cleaned(html).text)
    assert time.process_time() - began < 1


def test_text_before_a_bomb_is_kept() -> None:
    assert cleaned("<p>Il testo vero.</p>" + "<!-- " * 50_000).text == "Il testo vero."


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Breve.", "Breve."),
        ("Una frase lunga abbastanza da bastare qui. Un’altra […]",
         "Una frase lunga abbastanza da bastare qui."),
        ("Secondo l’art. 18 dello Statuto il dott. Rossi ha ragione. " + "Poi altro testo " * 30,
         "Secondo l’art. 18 dello Statuto il dott. Rossi ha ragione."),
        ("parola " * 100, "parola " * 41 + "parola…"),
        ("Solo l’inizio di una frase [&#8230;]".replace("&#8230;", "…"),
         "Solo l’inizio di una frase…"),
    ],
)  # fmt: skip
def test_excerpt_ends_where_a_sentence_ends(text: str, short: str) -> None:
    assert excerpt(text) == short
    assert len(short) <= 300
