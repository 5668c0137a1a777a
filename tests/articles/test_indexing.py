"""What bulk ingest writes to the search index, against what Wagtail itself would write."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from wagtail.search.backends import get_search_backend

from newsletter.articles.indexing import add_to_index
from newsletter.articles.models import Article
from tests.articles.conftest import Poll, post
from tests.builders import make_article

pytestmark = pytest.mark.django_db(transaction=True)


def entries() -> list[dict[str, Any]]:
    model = get_search_backend().get_index_for_model(Article).entries.model
    return list(
        model.objects.order_by("object_id").values("object_id", "title", "body", "autocomplete")
    )


def found(words: str) -> list[str]:
    return [article.title for article in Article.objects.search(words)]


def test_new_articles_are_found_by_title_and_text(polled: Poll) -> None:
    polled(post(1, "Il contratto è firmato"), post(2, "Le pensioni", text="Perché sì, città."))
    assert found("contratto") == ["Il contratto è firmato"]
    assert found("citta") == found("città") == ["Le pensioni"]


def test_an_edited_article_is_found_by_its_new_words_only(polled: Poll) -> None:
    polled(post(1, "Sciopero", text="Lunedì si sciopera."))
    polled(post(1, "Accordo", text="Nessuno sciopera."))
    assert found("accordo") == ["Accordo"]
    assert found("lunedì") == []


def test_the_index_holds_what_wagtail_would_write(polled: Poll) -> None:
    polled(post(1, "Perché il contratto"), post(2, "Le pensioni"))
    ours = entries()
    get_search_backend().add_bulk(Article, list(Article.objects.all()))
    assert entries() == ours


def test_titles_weigh_by_their_length_as_wagtail_has_it() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite's index is written by us")
    articles = [make_article("Uno"), make_article("Un titolo assai più lungo degli altri")]
    model = get_search_backend().get_index_for_model(Article).entries.model
    theirs = dict(model.objects.values_list("title", "title_norm"))
    assert min(theirs.values()) < 1 < max(theirs.values())
    add_to_index(articles)
    ours = dict(model.objects.values_list("title", "title_norm"))
    assert ours.keys() == theirs.keys()
    assert sorted(ours, key=lambda title: ours[title]) == sorted(theirs, key=lambda t: theirs[t])
