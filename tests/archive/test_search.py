"""Search: what a reader types is rarely what the text has."""

from __future__ import annotations

import pytest
from django.test import Client

from newsletter.archive.search import find_articles, find_or_respell, words_of
from newsletter.archive.spelling import errors, latest_words, respelled
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
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pensoini", "pensioni"),
        ("PENSOINI", "pensioni"),
        ("ccontrato", "contratto"),
        ("assembela pensioni", "assemblea pensioni"),
        ("maternta", "maternita"),
    ],
)
def test_errors_of_typing_are_forgiven_where_nothing_has_the_words(
    written: str, meant: str
) -> None:
    make_article("Pensioni e contratto: l’assemblea", body="Maternità, che cosa cambia.")
    make_article("Altro", body="Una cosa diversa.")
    found = find_or_respell(Article.objects.accepted(), written)
    assert [article.title for article in found.articles] == ["Pensioni e contratto: l’assemblea"]
    assert found.query == meant


@pytest.mark.django_db
def test_what_is_near_to_nothing_finds_nothing() -> None:
    make_article("Il clima e il turno", body="Una cosa sola: trattata.")
    for far in ("xyzzy", "tram", "cosi", "climatologo", "zzzzzzzzzz"):
        assert find_or_respell(Article.objects.accepted(), far).articles == []


@pytest.mark.django_db
def test_the_nearest_word_is_meant_and_of_equals_the_more_common() -> None:
    for title in ("Il salario", "Il solario", "Il salario"):
        make_article(title)
    known = latest_words(Article.objects.accepted())
    assert respelled("solaro", known) == "solario"
    assert respelled("slario", known) == "salario"
    assert respelled("salario", known) == ""


def test_an_error_is_a_letter_too_few_too_many_another_or_two_swapped() -> None:
    for written in ("salrio", "saalario", "selario", "salairo"):
        assert errors(written, "salario", 2) == 1, written
    assert errors("slairo", "salario", 2) == 2
    assert errors("sciopero", "salario", 2) > 2


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
    near = client.get("/cerca/", {"q": "assembela"}, headers={"accept-language": "en"})
    assert near.content.decode().count('class="row"') == 20
    assert "Nothing says “assembela”. Articles that say “assemblea”" in near.content.decode()
    assert "?q=assemblea&amp;page=2" in near.content.decode()
    nothing = client.get("/cerca/", {"q": "<zzz>"}, headers={"accept-language": "en"})
    assert "Nothing says “&lt;zzz&gt;”." in nothing.content.decode()
    assert "/tema/eventi/" in nothing.content.decode()
