"""Why an article has its themes: shown in its text and in the inbox, and corrected there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.articles.models import Article
from newsletter.themes.models import Theme
from newsletter.themes.tagging import set_themes, tag
from tests.admin.conftest import client_for
from tests.builders import make_article, make_theme

pytestmark = pytest.mark.django_db
INBOX = reverse("newsletter_articles:index")
TEACH = reverse("newsletter_themes:teach")
UNTEACH = reverse("newsletter_themes:unteach")


@pytest.fixture
def article() -> Article:
    make_theme("Pensioni", keywords=["previdenza"])
    article = make_article(
        "La previdenza <oggi>", body="La pensione e le previdenze.", accepted=False
    )
    tag([article.pk], now=timezone.now() - timedelta(minutes=1))
    return article


def page_of(client: Client, article: Article) -> str:
    answer = client.get(reverse("newsletter_articles:edit", args=[article.pk]))
    return answer.content.decode()


def themes_of(article: Article) -> set[str]:
    return set(article.assignments.standing().values_list("theme__name", flat=True))


def teach(client: Client, article: Article, verdict: str, word: str) -> Any:
    theme = Theme.objects.get(name="Pensioni")
    value = f"{theme.pk}:{article.pk}:{word}"
    return client.post(TEACH, {verdict: value, "next": INBOX}, follow=True)


def test_the_very_words_are_marked_in_title_and_text(editor: Client, article: Article) -> None:
    page = page_of(editor, article)
    marked = re.findall(
        r'<mark class="desk-term desk-term--1" data-themes="1">([^<]+)</mark>', page
    )
    assert marked == ["previdenza", "pensione", "previdenze"]
    assert "&lt;oggi&gt;" in page


def test_the_words_and_their_shares_are_in_the_inbox_without_a_script(
    editor: Client, article: Article
) -> None:
    page = editor.get(INBOX).content.decode()
    words = r"__word\">“(\w+)”.*?__share\">(\d+)%</span>"
    terms = re.findall(words, page, re.DOTALL)
    assert {word for word, _share in terms} == {"previdenza", "pensione"}
    assert sum(int(share) for _word, share in terms) == 100


def test_not_this_word_takes_the_theme_away_and_undo_brings_it_back(
    editor: Client, article: Article
) -> None:
    teach(editor, article, "never", "previdenza")
    theme = Theme.objects.get()
    assert (theme.keywords, theme.exclusions) == ("", "previdenza")
    answer = teach(editor, article, "never", "pensione")
    assert themes_of(article) == set()
    undo = re.search(r'name="undo" value="([^"]+)"', answer.content.decode())
    assert undo
    editor.post(UNTEACH, {"undo": undo[1], "next": INBOX})
    theme.refresh_from_db()
    assert theme.exclusions == "previdenza"
    assert themes_of(article) == set()  # "previdenza" in the title weighs more


def test_always_this_word_gives_the_theme(editor: Client, article: Article) -> None:
    other = make_article("Quota cento addio", accepted=False)
    tag([other.pk], now=timezone.now())
    teach(editor, other, "always", "Quota cento")
    assert themes_of(other) == {"Pensioni"}


def test_what_was_taught_is_in_the_themes_history(
    editor: Client, moderator: Client, article: Article
) -> None:
    teach(editor, article, "never", "previdenza")
    theme = Theme.objects.get()
    history = moderator.get(reverse("newsletter_themes:history", args=[theme.pk]))
    assert "Said “not this word”: previdenza" in history.content.decode()


def test_teaching_leaves_what_an_editor_decided(editor: Client, article: Article) -> None:
    set_themes(article.pk, [Theme.objects.get().pk], by=None, now=timezone.now())
    teach(editor, article, "never", "previdenza")
    teach(editor, article, "never", "pensione")
    assert themes_of(article) == {"Pensioni"}


def test_nobody_else_may_teach_or_sees_the_buttons(article: Article) -> None:
    nobody = client_for("nobody")
    teach(nobody, article, "never", "previdenza")
    assert Theme.objects.get().exclusions == ""


@pytest.mark.parametrize("value", ["", "x", "1:2", "1:2: ", "x:1:word", "99999:0:word"])
def test_a_button_that_is_not_ours_changes_nothing(
    editor: Client, article: Article, value: str
) -> None:
    answer = editor.post(TEACH, {"never": value})
    assert answer.status_code in (302, 404)
    assert Theme.objects.get().exclusions == ""


def test_somebody_elses_undo_is_refused(
    editor: Client, moderator: Client, article: Article
) -> None:
    answer = teach(editor, article, "never", "previdenza")
    undo = re.search(r'name="undo" value="([^"]+)"', answer.content.decode())
    assert undo
    moderator.post(UNTEACH, {"undo": undo[1], "next": INBOX})
    moderator.post(UNTEACH, {"undo": "nonsense", "next": INBOX})
    assert Theme.objects.get().exclusions == "previdenza"
