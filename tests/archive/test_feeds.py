"""The archive's own feeds, read as a feed reader reads them."""

from __future__ import annotations

import json

import feedparser
import pytest
from django.test import Client

from newsletter.articles.models import Article
from tests.builders import NOW, make_article

pytestmark = pytest.mark.usefixtures("archive")


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_feed_reader_understands_the_feed(client: Client, kind: str) -> None:
    article = make_article(
        "Prezzi & <salari>", body="Un assaggio.", note="Conta.", themes=["Pensioni"]
    )
    make_article("Nascosto", accepted=False)
    response = client.get(f"/feed/{kind}/")
    feed = feedparser.parse(response.content)
    assert not feed.bozo
    assert feed.feed.title == "Bollettino"
    (entry,) = feed.entries
    assert entry.link == f"http://testserver/articolo/{article.pk}-{article.slug}/"
    assert "salari" in entry.title
    assert "Un assaggio." in entry.summary
    assert entry.tags[0].term == "Pensioni"
    assert entry.published_parsed[:5] == NOW.timetuple()[:5]


def test_json_feed_has_what_its_specification_asks(client: Client) -> None:
    article = make_article("Prezzi & <salari>", original_author="Zelin Wang")
    response = client.get("/feed/json/")
    assert response["Content-Type"].startswith("application/feed+json")
    feed = json.loads(response.content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "http://testserver/feed/json/"
    (item,) = feed["items"]
    assert item["title"] == "Prezzi & <salari>"
    assert item["external_url"] == article.url
    assert item["authors"] == [{"name": "Zelin Wang"}]


@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
def test_theme_has_a_feed_of_its_own(client: Client, kind: str) -> None:
    make_article("Sulle pensioni", themes=["Pensioni"])
    make_article("Sul clima", themes=["Clima"])
    body = client.get(f"/tema/pensioni/feed/{kind}/").content.decode()
    assert "Sulle pensioni" in body
    assert "Sul clima" not in body
    assert client.get(f"/tema/nessuno/feed/{kind}/").status_code == 404


def test_entry_keeps_its_identity_when_its_title_is_mended(client: Client) -> None:
    make_article("Titolo sbaliato")
    before = feedparser.parse(client.get("/feed/rss/").content).entries[0].id
    Article.objects.update(title="Titolo sbagliato")
    assert feedparser.parse(client.get("/feed/rss/").content).entries[0].id == before


@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
def test_forbidden_sign_in_one_title_does_not_cost_the_feed(client: Client, kind: str) -> None:
    make_article("Segno\x0b proibito")
    response = client.get(f"/feed/{kind}/")
    assert response.status_code == 200
    assert "Segno proibito" in response.content.decode()
