"""An article's page: where it was seen, what happened to it, what its publisher changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.articles.models import Article, ArticleVersion, Sighting
from newsletter.feeds.models import Feed
from tests.builders import NOW, make_article, make_feed, make_theme

pytestmark = pytest.mark.django_db
NOTICE = "after it was accepted"


def shown(client: Client, article: Article, query: str = "") -> str:
    url = reverse("newsletter_articles:edit", args=[article.pk])
    return client.get(url + query).content.decode()


def edited(article: Article, at: datetime, *, body: str, title: str = "") -> ArticleVersion:
    """What the article was until `at`."""
    return ArticleVersion.objects.create(
        article=article,
        replaced_at=at,
        title=title or article.title,
        body_html=f"<p>{body}</p>",
        content_hash=f"hash of {title}{body}",
    )


def test_an_edit_upstream_is_shown_word_by_word(editor: Client) -> None:
    article = make_article("Il corteo alle 10", body="Si parte da piazza Dante.")
    edited(article, NOW, title="Il corteo alle 9", body="Si parte da piazza Verdi.")
    page = shown(editor, article)
    for was, now in [("9", "10"), ("Verdi.", "Dante.")]:
        assert f"</span>{was}" in page.partition("<del>")[2]
        assert f"</span>{now}" in page.partition("<ins>")[2]
    assert "piazza <del>" in page


def test_the_difference_is_of_words_and_never_of_markup(editor: Client) -> None:
    article = make_article(body="Testo &lt;script&gt;alert(1)&lt;/script&gt; nuovo")
    edited(article, NOW, body="Testo &lt;script&gt;alert(1)&lt;/script&gt; vecchio")
    page = shown(editor, article)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_changed_since_it_was_accepted_is_said_and_shown_in_one(editor: Client) -> None:
    article = make_article(body="Tre", triaged_at=NOW)
    edited(article, NOW - timedelta(days=1), body="Zero")
    edited(article, NOW + timedelta(days=1), body="Uno")
    edited(article, NOW + timedelta(days=2), body="Due")
    page = shown(editor, article)
    assert NOTICE in page
    changed = page.partition("desk-difference__text")[2].partition("</section>")[0]
    assert "Uno" in changed
    assert "Tre" in changed
    assert "Due" not in changed


def test_changed_and_changed_back_is_no_change(editor: Client) -> None:
    article = make_article(body="Uno", triaged_at=NOW)
    then = edited(article, NOW + timedelta(days=1), body="Uno")
    edited(article, NOW + timedelta(days=2), body="Due")
    Article.objects.filter(pk=article.pk).update(content_hash=then.content_hash)
    assert NOTICE not in shown(editor, article)


@pytest.mark.parametrize("state", [Article.State.NEW, Article.State.REJECTED])
def test_only_an_accepted_article_carries_the_notice(state: Article.State, editor: Client) -> None:
    article = make_article(body="Due", triaged_at=NOW, state=state)
    edited(article, NOW + timedelta(days=1), body="Uno")
    assert NOTICE not in shown(editor, article)


def test_each_edit_can_be_looked_at_and_a_strangers_not(editor: Client) -> None:
    article, other = make_article(body="Tre"), make_article(body="Altro")
    first = edited(article, NOW - timedelta(days=2), body="Uno")
    edited(article, NOW - timedelta(days=1), body="Due")
    foreign = edited(other, NOW, body="Segreto di un altro articolo")
    page = shown(editor, article, f"?edit={first.pk}")
    changed = page.partition("desk-difference__text")[2].partition("</section>")[0]
    assert "Uno" in changed
    assert "Due" in changed
    assert "Tre" not in changed
    assert f"?edit={first.pk}#desk-change" in page
    assert "Segreto" not in shown(editor, article, f"?edit={foreign.pk}")
    assert shown(editor, article, "?edit=-1%27")


def test_the_page_tells_who_decided_what_and_when(editor: Client) -> None:
    article = make_article("Una notizia", accepted=False, feed=make_feed(title="Il blog"))
    theme = make_theme("Salute")
    editor.post(reverse("newsletter_articles:triage"), {"accepted": article.pk})
    editor.post(
        reverse("newsletter_articles:edit", args=[article.pk]),
        {"editor_title": "", "editor_excerpt": "", "note": "", "themes": [theme.pk]},
    )
    edited(article, NOW, body="Prima")
    page = shown(editor, article).partition('id="desk-past"')[2]
    for said in ("Accepted", "Changed the themes", "Changed by its publisher", "Arrived"):
        assert said in page
    assert "editor" in page
    assert "Il blog" in page


def test_an_article_no_person_decided_on_says_so(editor: Client) -> None:
    article = make_article(triaged_at=NOW)
    assert "Accepted automatically" in shown(editor, article)


def test_the_places_it_was_seen_lead_there(editor: Client) -> None:
    article = make_article()
    feed = make_feed(title="La categoria")
    Sighting.objects.create(
        article=article,
        feed=feed,
        url="https://blog.example/categoria/1/",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    page = shown(editor, article)
    assert reverse("newsletter_feeds:inspect", args=[feed.pk]) in page
    assert 'href="https://blog.example/categoria/1/"' in page


@pytest.mark.parametrize(
    ("rights", "said"),
    [(Feed.Rights.FULL, "see the full text"), (Feed.Rights.EXCERPT, "see the excerpt")],
)
def test_the_page_says_what_readers_see(rights: Feed.Rights, said: str, editor: Client) -> None:
    assert said in shown(editor, make_article(feed=make_feed(rights=rights)))


def test_source_line_attribution_and_picture_are_shown(editor: Client) -> None:
    article = make_article(
        original_author="Zelin Wang",
        original_url="https://origine.example/",
        attribution_title="Meridiana",
        attribution_url="https://meridiana.example/",
        image_url="https://blog.example/foto.jpg",
        image_alt="Il corteo",
    )
    page = shown(editor, article)
    for said in ("Zelin Wang", "https://origine.example/", "First appeared on", "Il corteo"):
        assert said in page
    assert "<img" not in page.partition("desk-original")[2].partition("</article>")[0]
