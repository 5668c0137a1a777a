"""An edit upstream: it updates what has not been sent, and never what has."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.articles.addresses import ASK_AGAIN, check_addresses
from newsletter.articles.models import Article, ArticleVersion
from newsletter.articles.triage import triage
from newsletter.delivery.freeze import approve
from newsletter.desk.checklist import check
from newsletter.digests.content import content_of
from newsletter.digests.models import Digest, Variant
from tests.articles.conftest import LONG, Poll, post
from tests.builders import NOW, make_digest, make_member, make_newsletter
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
BEFORE = "Lo sciopero è il 4 agosto in tutti i magazzini del gruppo. " + LONG
AFTER = "Lo sciopero è il 9 agosto in tutti i magazzini del gruppo. " + LONG


@pytest.fixture
def article(polled: Poll) -> Article:
    polled(post(1, "Sciopero il 4", text=BEFORE))
    article = Article.objects.get()
    triage([article.pk], Article.State.ACCEPTED, by=None, now=NOW)
    return article


def edit(polled: Poll) -> None:
    polled(post(1, "Sciopero il 9", text=AFTER), now=LATER)


def shown(digest: Digest) -> tuple[str, str]:
    (item,) = content_of(digest).items
    return item.title, item.excerpt


def test_a_draft_shows_the_new_text(polled: Poll, article: Article) -> None:
    digest = make_digest(articles=[article])
    assert shown(digest)[0] == "Sciopero il 4"
    edit(polled)
    title, excerpt = shown(digest)
    assert title == "Sciopero il 9"
    assert excerpt.startswith("Lo sciopero è il 9 agosto")


def test_an_editors_own_words_stay(polled: Poll, article: Article) -> None:
    Article.objects.update(editor_title="Si sciopera", note="Ci riguarda")
    digest = make_digest(articles=[article])
    edit(polled)
    article.refresh_from_db()
    assert (article.editor_title, article.note, article.title) == (
        "Si sciopera", "Ci riguarda", "Sciopero il 9",
    )  # fmt: skip
    assert shown(digest)[0] == "Si sciopera"


def test_what_was_approved_or_sent_stays_as_it_was(polled: Poll, article: Article) -> None:
    newsletter = make_newsletter()
    make_member(newsletter=newsletter)
    digest = make_digest(newsletter, articles=[article], slot=NOW + timedelta(days=1))
    approve(digest.pk, now=NOW)
    frozen = Digest.objects.get(pk=digest.pk).content
    html = Variant.objects.get().html
    edit(polled)
    assert Digest.objects.get(pk=digest.pk).content == frozen
    assert "Sciopero il 4" in str(frozen)
    assert Variant.objects.get().html == html
    assert "Sciopero il 9" not in html


def test_every_earlier_text_is_kept_in_order(polled: Poll, article: Article) -> None:
    edit(polled)
    polled(post(1, "Sciopero revocato", text=AFTER), now=LATER + timedelta(hours=1))
    kept = ArticleVersion.objects.filter(article=article).order_by("replaced_at")
    assert [(one.title, one.replaced_at) for one in kept] == [
        ("Sciopero il 4", LATER),
        ("Sciopero il 9", LATER + timedelta(hours=1)),
    ]
    assert "4 agosto" in kept[0].body_html


def changed_titles(digest: Digest) -> list[str]:
    return [one.text for one in check(digest) if "Changed by its publisher" in one.text]


def test_the_checklist_names_what_changed_since_it_was_accepted(
    polled: Poll, article: Article
) -> None:
    digest = make_digest(articles=[article])
    assert changed_titles(digest) == []
    edit(polled)
    assert changed_titles(digest) == [
        "Changed by its publisher since it was accepted: Sciopero il 9"
    ]


def test_an_edit_from_before_the_decision_is_no_news_to_the_editor(
    polled: Poll, article: Article
) -> None:
    edit(polled)
    triage([article.pk], Article.State.NEW, by=None, now=LATER)
    triage([article.pk], Article.State.ACCEPTED, by=None, now=LATER + timedelta(minutes=5))
    assert changed_titles(make_digest(articles=[article])) == []


def test_the_checklist_names_what_is_missing_and_then_what_was_withdrawn(
    article: Article, feed_server: FeedServer
) -> None:
    gone = feed_server.serve("/post/", status=404)
    Article.objects.update(url=gone)
    feed_server.serve("/", "<p>Il blog</p>")
    digest = make_digest(articles=[article])
    check_addresses([article.pk], now=NOW)
    assert any("Missing at its address" in one.text for one in check(digest))
    assert len(content_of(digest).items) == 1
    check_addresses([article.pk], now=NOW + ASK_AGAIN)
    said = [one.text for one in check(digest)]
    assert "Left out, because the publisher withdrew it: Sciopero il 4" in said
    assert not any("Missing at its address" in text for text in said)
    assert content_of(digest).items == ()
