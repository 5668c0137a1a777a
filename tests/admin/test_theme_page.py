"""A theme's page: how good its suggestions are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.articles.models import Article
from newsletter.desk.charts import Look
from newsletter.desk.theme_plot import in_words, year
from newsletter.themes.decisions import Month, decided_of, months_of
from newsletter.themes.models import LearnedModel, Theme
from newsletter.themes.quality import Decided
from newsletter.themes.tagging import set_themes, tag
from tests.builders import NOW, make_article, make_theme

pytestmark = pytest.mark.django_db


@pytest.fixture
def theme() -> Theme:
    return make_theme("Pensioni", keywords=["previdenza"])


def review(article: Article, *themes: Theme, days_ago: float = 0) -> Article:
    """As an editor would: what keywords suggest, then these themes."""
    editor, _ = get_user_model().objects.get_or_create(username="redattrice")
    at = timezone.now() - timedelta(days=days_ago)
    tag([article.pk], now=at)
    set_themes(article.pk, [one.pk for one in themes], by=editor, now=at)
    return article


def page_of(client: Client, theme: Theme) -> str:
    answer = client.get(reverse("newsletter_themes:inspect", args=[theme.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_precision_and_recall_come_from_what_editors_decided(editor: Client, theme: Theme) -> None:
    other = make_theme("Eventi")
    for _ in range(18):
        review(make_article("La previdenza"), theme)
    for _ in range(4):
        review(make_article("La previdenza di Eva"), other)
    for _ in range(6):
        review(make_article("Quota cento"), theme)
    make_article("La previdenza", themes=[theme])  # nobody decided
    assert decided_of([theme.pk]) == {theme.pk: Decided(confirmed=18, rejected=4, added=6)}
    page = page_of(editor, theme)
    assert "<strong>82%</strong>" in page  # 18 of 22
    assert "18 of 22; between 61% and 93%" in page
    assert "<strong>75%</strong>" in page  # 18 of 24
    listing = editor.get(reverse("newsletter_themes:index")).content.decode()
    assert "61–93%" in listing


def test_few_examples_give_no_share(editor: Client, theme: Theme) -> None:
    review(make_article("La previdenza"), theme)
    page = page_of(editor, theme)
    assert page.count("too few examples") == 2
    assert "1 of 1; between 20% and 100%" in page


def test_what_a_theme_is_confused_with_is_named_both_ways(editor: Client, theme: Theme) -> None:
    other = make_theme("Eventi", keywords=["festa"])
    for _ in range(2):
        review(make_article("La previdenza in piazza"), other)
    review(make_article("La festa"), theme)
    page = page_of(editor, theme)
    instead = page.index("It was suggested, and editors chose instead")
    suggested = page.index("Editors chose it, and suggested was instead")
    assert instead < page.index("2 articles") < suggested < page.index("1 article", suggested)


def test_words_worth_adding_are_added_with_one_click(editor: Client, theme: Theme) -> None:
    other = make_theme("Eventi")
    for number in range(10):
        review(make_article(f"Il riscatto della laurea, parte {number}"), theme)
    for number in range(25):
        review(make_article(f"La festa in piazza, giorno {number}"), other)
    page = page_of(editor, theme)
    assert "in 10 of its articles, in 0 others" in page
    article = Article.objects.first()
    assert article
    value = f"{theme.pk}:{article.pk}:riscatto della laurea"
    assert value.partition(":")[2].partition(":")[2] in page
    editor.post(reverse("newsletter_themes:teach"), {"always": value})
    theme.refresh_from_db()
    assert theme.keywords == "previdenza\nriscatto della laurea"
    assert "riscatto della laurea” <" not in page_of(editor, theme)


def test_without_reviews_the_page_says_so(editor: Client, theme: Theme) -> None:
    page = page_of(editor, theme)
    assert "nothing decided yet" in page
    assert "Too few articles are reviewed to tell." in page


def test_a_year_is_counted_by_month_with_one_query(
    theme: Theme, django_assert_num_queries: Any
) -> None:
    review(make_article("La previdenza"), theme)
    review(make_article("La previdenza"), theme, days_ago=70)
    review(make_article("La previdenza"), days_ago=500)
    with django_assert_num_queries(1):
        months = months_of(theme, now=timezone.now())
    assert len(months) == 12
    assert months[-1].decided == Decided(confirmed=1)
    assert sum(month.decided.confirmed for month in months) == 2
    assert in_words(months).startswith("In 12 months: 2 suggestions confirmed, 0 rejected")


def test_the_drawing_tells_right_wrong_and_missed_apart() -> None:
    chart = year([Month(NOW.date(), Decided(confirmed=2, rejected=1, added=1))])
    assert [(one.look, list(one.numbers)) for one in chart.series] == [
        (Look.FULL, [2]),
        (Look.HATCHED, [1]),
        (Look.HOLLOW, [1]),
    ]


def test_a_page_takes_the_same_number_of_queries_however_many_decisions(
    editor: Client, theme: Theme, django_assert_max_num_queries: Any
) -> None:
    other = make_theme("Eventi")
    for number in range(60):
        review(make_article(f"La previdenza {number}"), theme if number % 2 else other)
    with django_assert_max_num_queries(45):
        page_of(editor, theme)


def learned(theme: Theme, other: Theme, **numbers: Any) -> None:
    LearnedModel.objects.create(
        language="it",
        state=LearnedModel.State.CURRENT,
        started_at=NOW,
        facts={
            "reviewed": 120,
            "by_theme": {
                str(theme.pk): {"right": 45, "said": 50, "given": 60, "accepted_from": None,
                                "accepted_tags": 2, "accepted_right": 2} | numbers
            },
            "confused": [[theme.pk, other.pk, 4], [other.pk, theme.pk, 7]],
        },
    )  # fmt: skip


def test_what_was_learned_is_told_as_it_was_tested(editor: Client, theme: Theme) -> None:
    learned(theme, make_theme("Eventi"))
    page = page_of(editor, theme)
    assert "Tested on 120 reviewed articles (IT)" in page
    assert "45 of 50; between 78% and 96%" in page
    assert "45 of 60; between 62% and 85%" in page
    assert page.index("Said instead of") < page.index("Eventi (4)") < page.index("Eventi (7)")
    assert "of 2 of its surest suggestions, 2 were right." in page
    assert "At least 1 more must be reviewed." in page


def test_automatic_acceptance_is_allowed_by_numbers_and_switched_by_a_moderator(
    editor: Client, moderator: Client, theme: Theme
) -> None:
    learned(theme, make_theme("Eventi"), accepted_from=0.82, accepted_tags=40, accepted_right=39)
    assert "of 40 suggestions at 82% or more, 39 were right." in page_of(editor, theme)
    assert "Switch it on" not in page_of(editor, theme)
    assert "Switch it on" in page_of(moderator, theme)
    url = reverse("newsletter_themes:accept", args=[theme.pk])
    moderator.post(url, {"accept": "on"})
    theme.refresh_from_db()
    assert theme.accept_automatically
    assert "Switch it off" in page_of(moderator, theme)
    moderator.post(url, {"accept": "off"})
    editor.post(url, {"accept": "on"})
    theme.refresh_from_db()
    assert not theme.accept_automatically


def test_a_theme_that_is_allowed_by_few_tags_says_what_else_speaks_for_it(
    editor: Client, theme: Theme
) -> None:
    learned(theme, make_theme("Eventi"), accepted_from=0.93, accepted_tags=4, accepted_right=4)
    page = page_of(editor, theme)
    assert "of 4 suggestions at 93% or more, 4 were right." in page
    assert "those of all themes speak for it as well" in page


def test_nothing_learned_allows_nothing(editor: Client, theme: Theme) -> None:
    assert "nothing was learned from reviewed articles so far." in page_of(editor, theme)
