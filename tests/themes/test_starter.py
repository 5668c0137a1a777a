"""The starter themes: complete, readable, and right about posts they were not written on."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from newsletter.themes.models import Theme
from newsletter.themes.rules import CompiledThemes, match
from newsletter.themes.starter import load_starter_themes, starter_themes

ENTRIES = starter_themes()
NAMES = [entry["name"] for entry in ENTRIES]
GLYPHS = {
    "ai", "opensource", "pension", "safety", "contract", "remote", "equality", "world",
    "training", "rights", "strike", "privacy", "family", "climate", "public", "event",
}  # fmt: skip
POSTS = Path(__file__).parents[2] / "site" / "demo" / "posts"


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_there_are_sixteen_themes_with_a_drawing_each() -> None:
    assert {entry["glyph"] for entry in ENTRIES} == GLYPHS
    assert len(set(NAMES)) == 16


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_a_starter_theme_is_complete(entry: dict[str, object]) -> None:
    assert entry["name_en"]
    assert entry["description"]
    assert len(entry["keywords"]) >= 25  # type: ignore[arg-type]
    assert 1 <= len(str(entry["glyph_text"])) <= 2


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_colours_are_readable_on_paper(entry: dict[str, str]) -> None:
    paper, ink = luminance("#FAF6EE"), luminance(entry["colour"])
    assert (paper + 0.05) / (ink + 0.05) >= 4.5


@pytest.mark.django_db
def test_loading_twice_adds_nothing_and_keeps_what_editors_changed() -> None:
    assert load_starter_themes() == 16
    Theme.objects.filter(slug="pensioni").update(keywords="solo questo", colour="#000000")
    Theme.objects.filter(slug="pari-opportunita").update(slug="parita")
    Theme.objects.get(slug="open-source").delete()
    assert load_starter_themes() == 1
    assert Theme.objects.get(slug="pensioni").keywords == "solo questo"
    assert Theme.objects.count() == 16


def suggested(title: str, text: str, themes: CompiledThemes, language: str = "it") -> list[str]:
    found = match(title, text, language, (), themes)
    return [NAMES[one.theme_id] for one in found if one.confidence >= 0.5]


def test_an_article_on_chinese_open_source_ai(starter_rules: CompiledThemes) -> None:
    themes = suggested(
        "Perché l’intelligenza artificiale cinese punta sull’open source",
        "Molte aziende pubblicano i modelli con i pesi aperti: la scelta dell’open source attira "
        "sviluppatori. I modelli proprietari degli Stati Uniti restano chiusi. " * 4,
        starter_rules,
    )
    assert {"Intelligenza artificiale", "Open source"} <= set(themes)
    assert "Pensioni" not in themes


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Quando si va in pensione con i contributi figurativi", "it", "Pensioni"),
        ("Due infortuni in magazzino: chiesto l’intervento del RLS", "it", "Salute e sicurezza"),
        ("Aumenti in busta paga da luglio", "it", "Contratti e salari"),
        ("Si torna in ufficio: tagliato lo smart working", "it", "Lavoro agile"),
        ("Divario salariale: le donne guadagnano il 12% in meno", "it", "Pari opportunità"),
        ("Venerdì sciopero di otto ore e corteo in centro", "it", "Scioperi e mobilitazioni"),
        ("Telecamere in reparto: interviene il Garante privacy", "it", "Privacy e controlli"),
        ("Congedo parentale: come si chiede", "it", "Welfare e famiglia"),
        ("Pannelli solari sul tetto del capannone", "it", "Ambiente e clima"),
        ("Tagli alla sanità pubblica e liste d’attesa", "it", "Servizi pubblici"),
        ("Iscrizioni al corso di formazione", "it", "Formazione"),
        ("Licenziamento ritorsivo: il giudice ordina il reintegro", "it", "Diritti sindacali"),
        ("Assemblea sindacale giovedì in sala mensa", "it", "Eventi e assemblee"),
        ("Sindacati europei uniti contro la multinazionale", "it", "Internazionale"),
        ("L'AI nel call center: che cosa cambia", "it", "Intelligenza artificiale"),
        ("Teachers vote to strike over pay", "en", "Scioperi e mobilitazioni"),
        ("Your right to disconnect when you work from home", "en", "Lavoro agile"),
        ("What happens to my pension if I move abroad", "en", "Pensioni"),
        ("Hospital wards short of nurses", "en", "Servizi pubblici"),
        ("Apprentices deserve a tutor and a certificate", "en", "Formazione"),
        ("Webinar on Tuesday: registration is open", "en", "Eventi e assemblee"),
        ("Floods and drought cost farm labourers weeks", "en", "Ambiente e clima"),
        ("What your employer may record under GDPR", "en", "Privacy e controlli"),
    ],
)
def test_headlines_get_their_theme(
    starter_rules: CompiledThemes, text: str, language: str, expected: str
) -> None:
    assert expected in suggested(text, "", starter_rules, language)


@pytest.mark.parametrize(
    "text",
    [
        "Ai colleghi della sede: chiusura estiva dal 10 al 20 agosto",
        "Torneo di calcetto, ecco i gironi",
        "In caso di maltempo la sede resta chiusa",
        "Ciao Marta, grazie di tutto",
    ],
)
def test_headlines_about_nothing_of_this_get_no_theme(
    starter_rules: CompiledThemes, text: str
) -> None:
    assert suggested(text, "", starter_rules) == []


@pytest.mark.parametrize(
    ("text", "language", "other"),
    [
        ("Approvata alla Camera dei deputati la mozione", "it", "Privacy e controlli"),
        ("The pace of change in the depot", "en", "Internazionale"),
    ],
)
def test_a_word_of_one_language_is_no_keyword_of_the_other(
    starter_rules: CompiledThemes, text: str, language: str, other: str
) -> None:
    assert other not in suggested(text, "", starter_rules, language)


def test_demo_posts_get_the_themes_their_authors_filed_them_under(
    starter_rules: CompiledThemes,
) -> None:
    """By their words alone; the categories are the measure."""
    hits = filed = first_right = posts = 0
    for path in sorted(POSTS.glob("*/*.html")):
        head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
        fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        language = "en" if path.parent.name == "notes" else "it"
        categories = [name.strip() for name in fields.get("categories", "").split(",")]
        expected = {NAMES[one.theme_id] for one in match("", "", "it", categories, starter_rules)}
        if not expected:
            continue
        text = html.unescape(re.sub(r"<[^>]+>", " ", body))
        themes = suggested(fields["title"], text, starter_rules, language)
        posts += 1
        filed += len(expected)
        hits += len(expected & set(themes))
        first_right += bool(themes) and themes[0] in expected
    assert posts > 40
    assert hits / filed >= 0.7
    assert first_right / posts >= 0.8
