"""Searching is the same for a rare word and for one that most articles say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.articles import searching
from newsletter.articles.models import Article
from newsletter.articles.searching import complete, ids_of, search
from tests.builders import NOW, make_article

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["rare", "common"])
def articles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Article]:
    """The latest first. Every word counts as common when one article suffices for it."""
    if request.param == "common":
        monkeypatch.setattr(searching, "_COMMON", 0)
    return [
        make_article("Contratto e perché", body="Il salario.", arrived_at=NOW),
        make_article("Il salario", body="Il contratto.", arrived_at=NOW - timedelta(days=1)),
        make_article("Contrattazione", body="Il clima.", arrived_at=NOW - timedelta(days=2)),
    ]


def titles(results: object) -> list[str]:
    found = Article.objects.in_bulk(ids_of(results))
    return [found[pk].title for pk in ids_of(results)]


def test_whole_words_of_title_and_text_are_found_latest_first(articles: list[Article]) -> None:
    latest = Article.objects.order_by("-listed_at")
    assert titles(search(latest, "contratto")) == ["Contratto e perché", "Il salario"]
    assert titles(search(latest, "contratto perché")) == ["Contratto e perché"]
    assert titles(search(latest, "sciopero")) == []
    assert search(latest, "contratto").count() == 2
    assert [one.title for one in search(latest, "contratto")[1:2]] == ["Il salario"]


def test_beginnings_are_found_in_texts_or_in_titles_alone(articles: list[Article]) -> None:
    latest = Article.objects.order_by("-listed_at")
    everywhere = ["Contratto e perché", "Il salario", "Contrattazione"]
    assert titles(search(latest, "contratt", beginnings=True)) == everywhere
    assert titles(complete(latest, "contratt")) == ["Contratto e perché", "Contrattazione"]


def test_only_the_articles_in_question_are_found(articles: list[Article]) -> None:
    among = Article.objects.exclude(pk=articles[0].pk).order_by("-listed_at")
    assert titles(search(among, "contratto")) == ["Il salario"]
