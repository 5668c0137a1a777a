from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from newsletter.articles.models import Article
from newsletter.themes.models import Tagging, Theme, ThemeAssignment
from newsletter.themes.tagging import confirm_suggestions, set_themes, tag, tag_pending
from tests.builders import NOW, make_article, make_theme

pytestmark = pytest.mark.django_db
Decision = ThemeAssignment.Decision
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def editor() -> AbstractBaseUser:
    return get_user_model().objects.create_user("redattrice")


def decisions(article: Article) -> dict[str, str]:
    return dict(article.assignments.values_list("theme__name", "decision"))


def test_an_article_gets_its_themes_with_evidence(starter: None) -> None:
    article = make_article(
        "Perché l’intelligenza artificiale cinese punta tutto sull’open source",
        body="Modelli con pesi aperti contro modelli proprietari. " * 20,
    )
    assert tag([article.pk], now=NOW) == 1
    assert {"Intelligenza artificiale", "Open source"} <= decisions(article).keys()
    assert "Pensioni" not in decisions(article)
    evidence = article.assignments.get(theme__slug="open-source").evidence
    assert evidence[0] == {"term": "open source", "share": evidence[0]["share"], "in_title": True}


def test_a_feed_category_is_a_source_of_its_own(starter: None) -> None:
    article = make_article("Notizie", categories=["Pensioni", "Senza categoria"])
    tag([article.pk], now=NOW)
    assignment = article.assignments.get()
    assert (assignment.theme.slug, assignment.source) == ("pensioni", "category")


def test_weak_signs_are_not_said(settings: object) -> None:
    make_theme("Pensioni", keywords=["previdenza"])
    article = make_article("Notizie", body="Parole comuni. " * 200 + "previdenza")
    tag([article.pk], now=NOW)
    assert decisions(article) == {}


def test_tagging_again_follows_the_text_and_the_keywords() -> None:
    make_theme("Pensioni")
    strikes = make_theme("Scioperi")
    article = make_article("Sciopero e pensione")
    tag([article.pk], now=NOW)
    assert decisions(article).keys() == {"Pensioni", "Scioperi"}
    Article.objects.filter(pk=article.pk).update(title="La pensione")
    tag([article.pk], now=LATER)
    assert decisions(article).keys() == {"Pensioni"}
    Theme.objects.filter(pk=strikes.pk).update(keywords="pensione")
    tag([article.pk], now=LATER)
    assert decisions(article).keys() == {"Pensioni", "Scioperi"}


def test_a_theme_out_of_use_is_not_suggested() -> None:
    make_theme("Pensioni", is_active=False)
    article = make_article("La pensione")
    tag([article.pk], now=NOW)
    assert decisions(article) == {}


def test_editors_decisions_are_never_overwritten(editor: AbstractBaseUser) -> None:
    make_theme("Pensioni")
    make_theme("Scioperi")
    chosen = make_theme("Eventi")
    article = make_article("Sciopero e pensione")
    tag([article.pk], now=NOW)
    set_themes(article.pk, [chosen.pk, Theme.objects.get(name="Scioperi").pk], by=editor, now=NOW)
    expected = {
        "Pensioni": Decision.REJECTED,
        "Scioperi": Decision.CONFIRMED,
        "Eventi": Decision.CONFIRMED,
    }
    assert decisions(article) == expected
    make_theme("Sciopero e pensione")
    tag([article.pk], now=LATER)
    assert decisions(article) == expected
    assert article.assignments.get(theme=chosen).source == ThemeAssignment.Source.EDITOR
    assert article.assignments.get(theme__name="Pensioni").decided_by == editor


def test_an_editor_may_change_her_mind(editor: AbstractBaseUser) -> None:
    theme = make_theme("Pensioni")
    article = make_article("La pensione")
    set_themes(article.pk, [theme.pk], by=editor, now=NOW)
    set_themes(article.pk, [], by=editor, now=LATER)
    assert decisions(article) == {"Pensioni": Decision.REJECTED}
    set_themes(article.pk, [theme.pk, 999_999], by=editor, now=LATER)
    assert decisions(article) == {"Pensioni": Decision.CONFIRMED}


def test_accepting_confirms_what_was_suggested(editor: AbstractBaseUser) -> None:
    make_theme("Pensioni")
    article, untagged = make_article("La pensione"), make_article("Altra pensione")
    tag([article.pk], now=NOW)
    assert confirm_suggestions([article.pk, untagged.pk], by=editor, now=NOW) == 1
    assert decisions(article) == {"Pensioni": Decision.CONFIRMED}
    assert Tagging.objects.get(article=article).reviewed_at == NOW
    assert tag_pending(now=LATER) == 1  # the one nobody had looked at
    assert decisions(untagged) == {"Pensioni": Decision.SUGGESTED}


def test_pending_is_what_came_or_changed_since() -> None:
    make_theme("Pensioni")
    article = make_article("La pensione")
    assert tag_pending(now=NOW + timedelta(minutes=1)) == 1
    assert tag_pending(now=NOW + timedelta(minutes=2)) == 0
    Article.objects.filter(pk=article.pk).update(changed_at=LATER)
    assert tag_pending(now=LATER + timedelta(minutes=1)) == 1


def test_pending_stops_at_its_limit() -> None:
    for _ in range(3):
        make_article()
    assert tag_pending(now=LATER, limit=2) == 2
    assert tag_pending(now=LATER, limit=2) == 1


def test_a_batch_takes_few_queries(starter: None, django_assert_max_num_queries: object) -> None:
    articles = [make_article("Sciopero e pensione") for _ in range(50)]
    tag([articles[0].pk], now=NOW)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        tag([article.pk for article in articles], now=NOW)


def test_an_unknown_article_is_no_error() -> None:
    assert tag([123_456_789], now=NOW) == 0
