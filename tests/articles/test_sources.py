"""Lines that name a post's source, as blogs write them, and sentences that only begin like one."""

from __future__ import annotations

from datetime import date

import pytest

from newsletter.articles.cleaning import Cleaned, clean

URL = "https://blog.example/1/"
TEXT = "Il primo paragrafo racconta l\u2019assemblea di ieri e ci\u00f2 che ha deciso."
MORE = "Il secondo paragrafo aggiunge quello che \u00e8 successo dopo in fabbrica."
DAY = date(2025, 8, 13)
PIECE = "https://fonte.example/2025/08/pezzo/"
LINK = f'<a href="{PIECE}">'


def cleaned(html: str) -> Cleaned:
    return clean(html, base_url=URL, entry_url=URL, site_url="https://blog.example/")


def said(found: Cleaned) -> tuple[str, str, date | None, str]:
    return (found.original_author, found.original_source, found.original_date, found.original_url)


LINES = [
    ("(Fonte) Zelin Wang \u2013 13 agosto 2025", ("Zelin Wang", "", DAY, "")),
    (f"({LINK}Fonte</a>) Zelin Wang \u2013 13 agosto 2025", ("Zelin Wang", "", DAY, PIECE)),
    (f"(Fonte) {LINK}Zelin Wang</a> \u2013 13 agosto 2025", ("Zelin Wang", "", DAY, PIECE)),
    ("Zelin Wang \u2013 13 agosto 2025 (Fonte)", ("Zelin Wang", "", DAY, "")),
    (f"Fonte: {LINK}Il Manifesto</a>", ("", "Il Manifesto", None, PIECE)),
    ("Fonte: il manifesto, 13 agosto 2025", ("", "il manifesto", DAY, "")),
    ("[Fonte: Il Manifesto, 13/08/2025]", ("", "Il Manifesto", DAY, "")),
    (f"FONTE: {PIECE}", ("", "fonte.example", None, PIECE)),
    (f"{LINK}Fonte</a>", ("", "fonte.example", None, PIECE)),
    (f"Fonte originale: {LINK}Jacobin Italia</a>", ("", "Jacobin Italia", None, PIECE)),
    ("Fonte: Anna Rossi, Il Manifesto, 13 agosto 2025", ("Anna Rossi", "Il Manifesto", DAY, "")),
    ("da Il Manifesto del 13 agosto 2025", ("", "Il Manifesto", DAY, "")),
    ("da \u00abIl Manifesto\u00bb, 13/08/2025", ("", "Il Manifesto", DAY, "")),
    ("dal Corriere della Sera del 13.8.2025", ("", "Corriere della Sera", DAY, "")),
    ("da il manifesto del 13 agosto 2025, p. 3", ("", "il manifesto", DAY, "")),
    ("Dall\u2019Avvenire di mercoled\u00ec 13 agosto 2025", ("", "Avvenire", DAY, "")),
    ("da Jacobin Italia, agosto 2025", ("", "Jacobin Italia", date(2025, 8, 1), "")),
    (f"da {LINK}Sbilanciamoci.info</a>", ("", "Sbilanciamoci.info", None, PIECE)),
    ("di Anna Rossi \u2013 13 agosto 2025", ("Anna Rossi", "", DAY, "")),
    ("di ANNA ROSSI - 13 agosto 2025", ("ANNA ROSSI", "", DAY, "")),
    ("di Anna Rossi, Il Manifesto, 13 agosto 2025", ("Anna Rossi", "Il Manifesto", DAY, "")),
    ("di Anna Rossi (Il Manifesto, 13 agosto 2025)", ("Anna Rossi", "Il Manifesto", DAY, "")),
    (f"di Anna Rossi su {LINK}Jacobin Italia</a>", ("Anna Rossi", "Jacobin Italia", None, PIECE)),
    ("di Anna Rossi e Bruno De Luca \u2013 13 agosto 2025",
     ("Anna Rossi e Bruno De Luca", "", DAY, "")),
    ("Tratto da Collettiva, 13 agosto 2025", ("", "Collettiva", DAY, "")),
    (f"Tratto da: {LINK}Collettiva</a>", ("", "Collettiva", None, PIECE)),
    ("Liberamente tratto dal Sole 24 Ore del 13 agosto 2025", ("", "Sole 24 Ore", DAY, "")),
    ("Pubblicato su Jacobin Italia il 13 agosto 2025", ("", "Jacobin Italia", DAY, "")),
    ("Pubblicato il 13 agosto 2025 su Jacobin Italia", ("", "Jacobin Italia", DAY, "")),
    ("Gi\u00e0 pubblicato su Micromega", ("", "Micromega", None, "")),
    (f"Articolo pubblicato originariamente su {LINK}Micromega</a>", ("", "Micromega", None, PIECE)),
    ("Questo articolo \u00e8 stato pubblicato su Il Manifesto del 13 agosto 2025",
     ("", "Il Manifesto", DAY, "")),
    ("Apparso su Internazionale, 13 agosto 2025", ("", "Internazionale", DAY, "")),
    ("Articolo di Anna Rossi su Il Manifesto del 13 agosto 2025",
     ("Anna Rossi", "Il Manifesto", DAY, "")),
    ("Articolo di Anna Rossi pubblicato su Il Manifesto il 13 agosto 2025",
     ("Anna Rossi", "Il Manifesto", DAY, "")),
    (f"via {LINK}Collettiva</a>", ("", "Collettiva", None, PIECE)),
    (f"Via: {LINK}Collettiva.it</a>", ("", "Collettiva.it", None, PIECE)),
    ("Ripubblichiamo da Jacobin Italia", ("", "Jacobin Italia", None, "")),
    (f"Riprendiamo da {LINK}Valigia Blu</a>", ("", "Valigia Blu", None, PIECE)),
    ("Ripreso da Effimera, 13 agosto 2025", ("", "Effimera", DAY, "")),
    (f"{LINK}Leggi l\u2019articolo originale</a>", ("", "fonte.example", None, PIECE)),
    (f"Articolo originale: {LINK}Un titolo che dice di che cosa si parla</a>",
     ("", "fonte.example", None, PIECE)),
    ("(Source) Jane Doe \u2013 13 August 2025", ("Jane Doe", "", DAY, "")),
    (f"Source: {LINK}The Guardian</a>", ("", "The Guardian", None, PIECE)),
    ("By Jane Doe, The Guardian, August 13, 2025", ("Jane Doe", "The Guardian", DAY, "")),
    ("Originally published in Jacobin on August 13, 2025", ("", "Jacobin", DAY, "")),
    (f"This article was originally published on {LINK}The Conversation</a>.",
     ("", "The Conversation", None, PIECE)),
    ("Republished from The Conversation", ("", "The Conversation", None, "")),
    ("From The Guardian, 13 August 2025", ("", "The Guardian", DAY, "")),
    ("Quelle: taz, 13. August 2025", ("", "taz", DAY, "")),
    (f"Source : {LINK}Le Monde</a>, 13 ao\u00fbt 2025", ("", "Le Monde", DAY, PIECE)),
    ("Fuente: El Pa\u00eds, 13 de agosto de 2025", ("", "El Pa\u00eds", DAY, "")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES, ids=range(len(LINES)))
@pytest.mark.parametrize(
    "form",
    ["<p>{}</p>", "<p><em>{}</em></p>", "<p><strong>{}</strong></p>", "<h4>{}</h4>",
     "<blockquote><p>{}</p></blockquote>", "<div><i>{}</i></div>", "{}<br><br>"],
)  # fmt: skip
def test_source_line_over_the_text_is_read(
    line: str, expected: tuple[str, str, date | None, str], form: str
) -> None:
    found = cleaned(form.format(line) + f"<p>{TEXT}</p><p>{MORE}</p>")
    assert said(found) == expected
    assert found.text == f"{TEXT}\n{MORE}"


@pytest.mark.parametrize(("line", "expected"), LINES, ids=range(len(LINES)))
def test_source_line_under_the_text_is_read(
    line: str, expected: tuple[str, str, date | None, str]
) -> None:
    found = cleaned(f"<p>{TEXT}</p><p>{MORE}</p><p><em>{line}</em></p>")
    assert said(found) == expected
    assert found.text == f"{TEXT}\n{MORE}"


@pytest.mark.parametrize(
    "sentence",
    [
        "Dal 3 maggio 2025 cambia tutto per chi lavora di notte",
        "Di solito il 3 maggio 2025 si lavora.",
        "Da Roma a Milano il 3 maggio 2025 si sciopera",
        "Fonti rinnovabili in crescita nel 2025",
        "Fonte di reddito per molte famiglie",
        "La fonte: un dirigente che chiede l\u2019anonimato",
        "Di Maio ha incontrato i sindacati il 3 maggio 2025",
        "Pubblicato il bando per i nuovi assunti",
        "Pubblicato ieri il decreto atteso da mesi",
        "Pubblicati i dati Istat sull\u2019occupazione",
        "Articolo 18, da Il Manifesto del 1970 a oggi la lotta continua",
        "Via libera del Senato alla riforma delle pensioni",
        "Via Nazionale bloccata dal corteo del 3 maggio 2025",
        "Da Il Manifesto arriva una critica alla manovra del governo.",
        "Dalla Cgil arriva un no alla proposta",
        "di Anna Rossi si ricorda soprattutto il coraggio",
        "By the way, the strike of 3 May 2025 was long",
        "From Monday the offices will be closed until 13 August 2025",
        "Fonte: nostra elaborazione su dati Istat",
        "Fonte foto: Ansa",
        "Tratto da una storia vera di lotta e di dignit\u00e0",
        "L\u2019articolo di ieri ha fatto discutere",
        "Appeared in court on 13 August 2025 the manager who fired them",
        "Il 13 agosto 2025 alle 15 in via Roma, presidio",
        "*DIRITTO ALL\u2019ACCOGLIENZA*",
        "Via Ostiense 2 \u2013 Roma",
        "via Villa dei Misteri",
        "Affitto 400 euro su 800 (fonte)",
        "Source: I went to hundreds of meetings and never once heard of it.",
        "Originally published on my other blog",
        "Published by Editions Empire, 2025",
    ],
)
def test_sentence_that_begins_like_a_source_line_stays(sentence: str) -> None:
    found = cleaned(f"<p>{sentence}</p><p>{TEXT}</p>")
    assert found.text.startswith(sentence)
    assert said(found) == ("", "", None, "")
    found = cleaned(f"<p>{TEXT}</p><p>{MORE}</p><p>{sentence}</p>")
    assert found.text.endswith(sentence)
    assert said(found) == ("", "", None, "")


def test_byline_alone_is_the_author() -> None:
    found = cleaned(f"<p><em>di Anna Rossi</em></p><p>{TEXT}</p>")
    assert (found.original_author, found.text) == ("Anna Rossi", TEXT)


def test_code_that_looks_like_a_source_line_stays() -> None:
    found = cleaned(f"<p>{TEXT}</p><p>{MORE}</p><pre>source: src/tokens</pre>")
    assert (found.original_source, found.text.split("\n")[-1]) == ("", "source: src/tokens")


def test_list_of_sources_stays() -> None:
    several = f'<p>Fonti: {LINK}Istat</a>, <a href="https://inps.example/">Inps</a></p>'
    found = cleaned(f"<p>{TEXT}</p><p>{MORE}</p>{several}")
    assert found.text.endswith("Fonti: Istat, Inps")
    assert found.original_source == ""


def test_caption_that_names_the_source_is_read_and_the_picture_stays() -> None:
    figure = (
        '<figure><img src="https://blog.example/f.jpg"><figcaption>(Fonte) Zelin Wang \u2013 '
        "13 agosto 2025</figcaption></figure>"
    )
    found = cleaned(f"{figure}<p>{TEXT}</p>")
    assert said(found) == ("Zelin Wang", "", DAY, "")
    assert found.image_url == "https://blog.example/f.jpg"
    assert found.text == TEXT


def test_paper_and_date_under_the_byline_belong_to_it() -> None:
    found = cleaned(f"<p>di Anna Rossi</p><p>Il Manifesto, 13 agosto 2025</p><p>{TEXT}</p>")
    assert said(found) == ("Anna Rossi", "Il Manifesto", DAY, "")
    assert found.text == TEXT
