"""Search: what a reader types is rarely what the text has."""

from __future__ import annotations

import pytest
from django.test import Client

from newsletter.archive.search import find_articles, words_of
from newsletter.articles.models import Article
from tests.builders import NOW, make_article


def titles(query: str) -> list[str]:
    found = find_articles(Article.objects.accepted(), query)
    return [article.title for article in found.articles]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "parità",
        "parita",
        "PARITÀ",
        "parita'",
        "perche",
        "perché",
        "pensionato",
        "pensioni",
        "dell'accordo",
        "l’accordo",
        "contrat",
        "contratti",
        "parità contratto",
        "il contratto della parità",
    ],
)
def test_accents_endings_and_apostrophes_do_not_matter(query: str) -> None:
    make_article("La parità", body="Perché l’accordo sul contratto tocca ogni pensione.")
    make_article("Altro", body="Una cosa diversa.")
    assert titles(query) == ["La parità"]


@pytest.mark.django_db
def test_every_word_must_be_there() -> None:
    make_article("Clima", body="Il clima cambia.")
    assert titles("clima pensioni") == []


@pytest.mark.django_db
def test_short_word_is_not_taken_for_a_beginning() -> None:
    make_article("AI in ufficio")
    make_article("Aiuto!")
    assert titles("ai ufficio") == ["AI in ufficio"]


@pytest.mark.django_db
def test_latest_come_first_and_only_accepted_ones() -> None:
    make_article("Sciopero vecchio", arrived_at=NOW.replace(year=2020))
    make_article("Sciopero nuovo")
    make_article("Sciopero respinto", state=Article.State.REJECTED)
    assert titles("sciopero") == ["Sciopero nuovo", "Sciopero vecchio"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        '"',
        "'",
        "AND OR NOT",
        '" OR 1',
        "a*",
        "%s %(x)s",
        "(",
        "\\",
        "x:y",
        "il",
        "-",
        "😀",
    ],
)
def test_signs_with_a_meaning_to_the_database_are_harmless(query: str) -> None:
    make_article("Una notizia")
    titles(query)


def test_words_are_what_inflections_share() -> None:
    assert words_of("le pensioni dei lavoratori") == ["pension", "lavor"]
    assert words_of("policy") == ["polic"]


@pytest.mark.usefixtures("archive")
def test_search_page_finds_pages_through_and_helps(client: Client) -> None:
    for n in range(25):
        make_article(f"Assemblea {n}", themes=["Eventi"])
    first = client.get("/cerca/", {"q": "assemblee"}).content.decode()
    assert first.count('class="row"') == 20
    second = client.get("/cerca/", {"q": "assemblee", "page": "2"}).content.decode()
    assert second.count('class="row"') == 5
    nothing = client.get("/cerca/", {"q": "<zzz>"}, headers={"accept-language": "en"})
    assert "Nothing says “&lt;zzz&gt;”." in nothing.content.decode()
    assert "/tema/eventi/" in nothing.content.decode()
