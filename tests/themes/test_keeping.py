from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.articles.models import Article
from newsletter.themes import retraining, tagging
from newsletter.themes.documents import Stems, read
from newsletter.themes.keeping import packed_stems
from newsletter.themes.models import ArticleStems
from newsletter.themes.rules import confidences, match
from tests.builders import NOW, make_article, make_theme
from tests.themes import made


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("", ""),
        ("Lo sciopero. Il corteo!", "Oggi in piazza: l'adesione?\n\nMai vista."),
        ("", "AI e lavoro; ζωή, 1.000 €\x00 …"),
        ("Titolo soltanto", ""),
        ("\uff9e", "\ufdfa, \ufdfb, \u037a, \ufc5e"),  # signs that unfold to words and blanks
    ],
)
def test_packed_stems_come_back_as_they_were(title: str, body: str) -> None:
    stems = read(title, body, "it").stems()
    again = Stems.unpacked(stems.packed())
    assert (list(again.title), list(again.body)) == (stems.title, stems.body)
    assert again.counts() == read(title, body, "it").counts()


def test_keywords_say_the_same_of_stems_as_of_the_text() -> None:
    themes = made.themes()
    said = 0
    for source in made.sources(60, reviewed=True, seed=3):
        title = "Sciopero. In pensione" if len(source.text) % 2 else ""
        found = match(title, source.text, "it", (), themes)
        stems = read(title, source.text, "it").stems()
        assert confidences(stems, "it", themes) == {one.theme_id: one.confidence for one in found}
        said += len(found)
    assert said > 40


@pytest.mark.django_db
def test_an_article_is_taken_apart_once_when_it_is_tagged() -> None:
    make_theme("Scioperi", keywords=("sciopero",))
    article = make_article("Lo sciopero", body="In piazza.")
    tagging.tag([article.pk], now=NOW)
    kept = ArticleStems.objects.get()
    expected = read("Lo sciopero", "In piazza.", "it").stems()
    assert kept.packed == expected.packed()
    assert article.assignments.get().evidence[0]["term"] == "sciopero"
    # Only a mark of ours can show that it is read, not made again.
    ArticleStems.objects.update(packed=Stems(["segno"], []).packed())
    tagging.tag([article.pk], now=NOW + timedelta(hours=1))
    assert [one.stems("it").title for one in retraining.sources("it")] == [["segno"]]


@pytest.mark.django_db
def test_a_changed_article_is_taken_apart_again_by_whoever_needs_it_first() -> None:
    make_theme("Scioperi", keywords=("sciopero",))
    tagged, learned = make_article("Uno", body="Prima."), make_article("Due", body="Prima.")
    tagging.tag([tagged.pk, learned.pk], now=NOW)
    Article.objects.update(body_text="Dopo lo sciopero.")
    tagging.tag([tagged.pk], now=NOW + timedelta(hours=1))
    assert [pk for pk, _ in packed_stems([learned.pk, tagged.pk, 0])] == [learned.pk, tagged.pk]
    for article in (tagged, learned):
        stems = Stems.unpacked(ArticleStems.objects.get(pk=article.pk).packed)
        assert stems.body == read("", "Dopo lo sciopero.", "it").stems().body


@pytest.mark.django_db
def test_articles_stored_by_an_earlier_version_are_taken_apart_when_they_are_learned_from() -> None:
    article = make_article("Uno", body="Una notizia.")
    assert not ArticleStems.objects.exists()
    assert len(list(retraining.sources("it"))) == 1
    assert ArticleStems.objects.get().article == article
