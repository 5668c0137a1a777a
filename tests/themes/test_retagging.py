"""Stored articles follow their themes' words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from newsletter.articles.models import Article
from newsletter.themes.models import Tagging, Theme
from newsletter.themes.retagging import count_due, retag_due, words_in_force_since
from newsletter.themes.tagging import set_themes, tag
from tests.builders import NOW, make_article, make_theme

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
LATER_STILL = NOW + timedelta(hours=2)


def themes_of(article: Article) -> set[str]:
    return set(article.assignments.standing().values_list("theme__name", flat=True))


@pytest.fixture
def articles() -> list[Article]:
    """Three with the theme they should have, as of NOW."""
    make_theme("Pensioni", keywords=["previdenza"])
    articles = [make_article(f"La previdenza, parte {n}") for n in range(3)]
    words_in_force_since(now=NOW)
    tag([one.pk for one in articles], now=NOW)
    assert count_due(now=NOW) == 0
    return articles


def test_changed_words_reach_what_is_stored(articles: list[Article]) -> None:
    Theme.objects.update(keywords="quota cento")
    assert count_due(now=LATER) == 3
    assert retag_due(now=LATER, seconds=60) is False
    assert [themes_of(one) for one in articles] == [set()] * 3
    assert count_due(now=LATER_STILL) == 0


def test_a_new_theme_is_found_in_stored_articles(articles: list[Article]) -> None:
    make_theme("Fondi", keywords=["parte"])
    retag_due(now=LATER, seconds=60)
    assert [themes_of(one) for one in articles] == [{"Pensioni", "Fondi"}] * 3


def test_a_look_that_changes_nothing_is_not_due(articles: list[Article]) -> None:
    Theme.objects.update(colour="#112233")
    assert count_due(now=LATER) == 0


def test_what_an_editor_has_reviewed_stays(articles: list[Article]) -> None:
    editor = get_user_model().objects.create_user("redattrice")
    set_themes(articles[0].pk, [Theme.objects.get().pk], by=editor, now=NOW)
    Theme.objects.update(keywords="")
    retag_due(now=LATER, seconds=60)
    assert [themes_of(one) for one in articles] == [{"Pensioni"}, set(), set()]


def test_it_goes_on_where_it_stopped(articles: list[Article]) -> None:
    Theme.objects.update(keywords="")
    assert retag_due(now=LATER, seconds=0) is True
    assert count_due(now=LATER) == 3
    Tagging.objects.filter(article=articles[0]).update(tagged_at=LATER)  # done before it was killed
    assert count_due(now=LATER_STILL) == 2
    assert retag_due(now=LATER_STILL, seconds=60) is False
    assert count_due(now=LATER_STILL) == 0


def test_a_clock_that_is_behind_does_not_look_for_ever(articles: list[Article]) -> None:
    Theme.objects.update(keywords="")
    words_in_force_since(now=LATER_STILL)
    assert retag_due(now=LATER, seconds=60) is False
    assert count_due(now=LATER_STILL) == 0


def test_a_changed_threshold_counts_as_well(articles: list[Article], settings: object) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SUGGEST_THRESHOLD": 0.99}  # type: ignore[attr-defined]
    retag_due(now=LATER, seconds=60)
    assert [themes_of(one) for one in articles] == [set()] * 3


def test_letting_sure_suggestions_pass_reaches_what_waits(articles: list[Article]) -> None:
    Theme.objects.update(accept_automatically=True)
    assert count_due(now=LATER) == 3
