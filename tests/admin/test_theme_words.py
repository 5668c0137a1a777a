"""A theme's form: what its words would change, before and after saving."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.articles.models import Article
from newsletter.themes import retraining
from newsletter.themes.models import Theme
from newsletter.themes.retagging import count_due
from newsletter.themes.tagging import compiled_themes, set_themes, tag
from tests.builders import NOW, make_article, make_theme
from tests.themes import made

pytestmark = pytest.mark.django_db
ADD = reverse("newsletter_themes:add")


def typed(**words: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": "Pensioni",
        "slug": "pensioni",
        "colour": "#B21F1F",
        "sort_order": 10,
    }
    return fields | {"is_active": "on", "keywords": "", "exclusions": ""} | words


def edit(theme: Theme) -> str:
    return reverse("newsletter_themes:edit", args=[theme.pk])


def look(client: Client, url: str, **words: str) -> str:
    answer = client.post(url, typed(**words) | {"look": "1"})
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_editor_sees_what_would_change_and_nothing_is_saved(moderator: Client) -> None:
    theme = make_theme("Pensioni", keywords=["previdenza"])
    for title in ("La previdenza", "Addio a quota cento"):
        make_article(title, accepted=False)
    page = look(moderator, edit(theme), keywords="quota cento\nparola mai usata")
    assert "Of the latest 2 articles looked at: 1 gains it, 1 loses it." in page
    gains, loses = page.index("Would gain the theme"), page.index("Would lose the theme")
    assert gains < page.index("Addio a quota cento") < page.index("“quota cento”") < loses
    assert loses < page.index("La previdenza", loses)
    assert "parola mai usata" in page  # what was typed is still there
    theme.refresh_from_db()
    assert theme.keywords == "previdenza"


def test_a_new_theme_is_tried_before_it_is_added(moderator: Client) -> None:
    make_article("La pensione", accepted=False)
    make_theme("Fondi", keywords=["previdenza"])
    page = look(moderator, ADD, keywords="previdenza")
    assert "Of the latest 1 article looked at: 1 gains it, 0 lose it." in page
    assert "“previdenza” also belongs to the theme “Fondi”." in page
    assert Theme.objects.count() == 1


def test_what_is_not_valid_yet_is_looked_at_all_the_same(moderator: Client) -> None:
    page = look(moderator, ADD, slug="", keywords="di")
    assert "“di” has no word that carries a subject" in page
    assert "This field is required." in page


def test_a_script_gets_the_answer_alone(moderator: Client) -> None:
    answer = moderator.post(ADD, typed() | {"look": "1"}, headers={"X-Requested-With": "fetch"})
    page = answer.content.decode()
    assert "No keywords: only the theme&#x27;s name speaks for it." in page
    assert "<form" not in page


def test_what_editors_reviewed_stays_and_measures_the_words(moderator: Client) -> None:
    theme = make_theme("Pensioni", keywords=["previdenza"])
    article = make_article("Addio a quota cento")
    set_themes(article.pk, [theme.pk], by=None, now=NOW)
    page = look(moderator, edit(theme), keywords="quota cento")
    assert "0 gain it, 0 lose it." in page
    assert "1 more would change, but an editor has decided" in page
    assert "Against 1 article that editors have reviewed" in page


def test_saved_words_make_stored_articles_due(moderator: Client) -> None:
    theme = make_theme("Pensioni", keywords=["previdenza"])
    article = make_article("Addio a quota cento", accepted=False)
    before = timezone.now() - timedelta(minutes=1)
    tag([article.pk], now=before)
    count_due(now=before)
    assert moderator.post(edit(theme), typed(keywords="quota cento")).status_code == 302
    assert count_due(now=timezone.now()) == 1
    assert "1 article is still to be looked at again" in moderator.get(edit(theme)).content.decode()


def test_a_look_takes_a_few_queries_however_many_articles_there_are(
    moderator: Client, django_assert_max_num_queries: Any
) -> None:
    theme = make_theme("Pensioni", keywords=["previdenza"])
    Article.objects.bulk_create(
        Article(
            url=f"https://blog.example/n/{n}/", title=f"La previdenza {n}", language="it",
            body_text="Parole. " * 300, arrived_at=NOW, changed_at=NOW, listed_at=NOW,
            content_hash=str(n),
        )
        for n in range(500)
    )  # fmt: skip
    with django_assert_max_num_queries(40):
        page = look(moderator, edit(theme), keywords="")
    assert "and " in page
    assert "lose it." in page


def test_once_something_was_learned_it_counts_in_what_would_change(moderator: Client) -> None:
    for number, words in made.KEYWORDS.items():
        make_theme(f"Tema{number}x", keywords=words)
    themes = {number: Theme.objects.get(name=f"Tema{number}x") for number in made.KEYWORDS}
    for one in made.sources(90, reviewed=True):
        article = make_article("Notizia", body=one.text)
        set_themes(article.pk, [themes[min(one.themes or {1})].pk], by=None, now=NOW)
    assert retraining.learn("it", compiled_themes(), now=NOW)
    make_article("Notizia", body="contributi e anzianità, poi assegno di vecchiaia")
    theme = themes[made.PENSIONS]
    words = {"name": theme.name, "slug": theme.slug}
    # The keywords alone never said it, so without them it stays as it was.
    assert "0 gain it, 0 lose it." in look(moderator, edit(theme), **words, keywords="mensa")
    excluded = "contributi\nanzianità\nassegno\nvecchiaia"
    page = look(moderator, edit(theme), **words, keywords="pensione", exclusions=excluded)
    assert "0 gain it, 1 loses it." in page
