"""The reading pane: what it shows, themes by one click, and taking it back."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.articles.models import Article
from newsletter.themes.models import Tagging, ThemeAssignment
from tests.admin.conftest import client_for
from tests.admin.test_inbox import INBOX, bulk, states, undo
from tests.builders import NOW, make_article, make_feed, make_theme

pytestmark = pytest.mark.django_db
Decision = ThemeAssignment.Decision
RETAG = reverse("newsletter_articles:retag")
JSON = {"accept": "application/json"}


def read(client: Client, article: Article, **headers: str) -> str:
    url = reverse("newsletter_articles:read", args=[article.pk])
    return client.get(url, headers=headers).content.decode()


def themes_of(article: Article) -> dict[str, str]:
    return dict(article.assignments.values_list("theme__name", "decision"))


def test_the_pane_has_text_source_and_reasons_and_the_page_is_the_same_with_wagtail_around(
    editor: Client,
) -> None:
    article = make_article(
        "Aumenti", body="Una prova di testo.", themes=["Pensioni"], accepted=False,
        feed=make_feed(title="La Voce"), image_url="https://foto.example/a.jpg", image_alt="Corteo",
    )  # fmt: skip
    pane = read(editor, article, **{"x-requested-with": "fetch"})
    page = read(editor, article)
    for html in (pane, page):
        for words in ("Aumenti", "La Voce", "Picture: Corteo", "“prova”", "90%", "Accept"):
            assert words in html
    assert "<html" not in pane
    assert "<html" in page


def test_a_picture_is_loaded_only_when_it_is_asked_for(editor: Client) -> None:
    article = make_article(image_url="https://foto.example/a.jpg")
    html = read(editor, article)
    assert '<details class="desk-read__picture">' in html
    assert 'loading="lazy" referrerpolicy="no-referrer"' in html


def test_one_click_gives_a_theme_and_another_takes_it_away(editor: Client) -> None:
    article = make_article(themes=["Pensioni"], accepted=False)
    given = make_theme("Salute")
    answer = editor.post(RETAG, {"article": article.pk, "give": given.pk}, headers=JSON).json()
    assert "Salute" in answer["chips"]
    assert themes_of(article) == {"Pensioni": "confirmed", "Salute": "confirmed"}
    editor.post(RETAG, {"article": article.pk, "take": given.pk})
    assert themes_of(article) == {"Pensioni": "confirmed", "Salute": "rejected"}


def test_a_change_of_themes_is_taken_back_in_whole(editor: Client) -> None:
    article = make_article(themes=["Pensioni"], accepted=False)
    given = make_theme("Salute")
    html = editor.post(RETAG, {"article": article.pk, "give": given.pk}, follow=True)
    undo(editor, html.content.decode())
    assert themes_of(article) == {"Pensioni": "suggested"}
    assert not Tagging.objects.filter(pk=article.pk, reviewed_at__isnull=False).exists()


def test_taking_back_brings_an_earlier_persons_word_back(editor: Client) -> None:
    article = make_article(themes=["Pensioni"], accepted=False)
    article.assignments.update(decision=Decision.CONFIRMED, decided_at=NOW)
    Tagging.objects.create(article=article, tagged_at=NOW, reviewed_at=NOW)
    theme = make_theme("Pensioni")
    token = editor.post(RETAG, {"article": article.pk, "take": theme.pk}, headers=JSON).json()
    assert themes_of(article) == {"Pensioni": "rejected"}
    editor.post(reverse("newsletter_articles:undo"), {"undo": token["undo"]})
    assignment = article.assignments.get()
    assert (assignment.decision, assignment.decided_at) == ("confirmed", NOW)
    assert Tagging.objects.get().reviewed_at is not None


def test_taking_back_leaves_what_was_decided_anew(editor: Client) -> None:
    article = make_article(accepted=False)
    theme = make_theme("Salute")
    token = editor.post(RETAG, {"article": article.pk, "give": theme.pk}, headers=JSON).json()
    editor.post(RETAG, {"article": article.pk, "take": theme.pk})
    editor.post(reverse("newsletter_articles:undo"), {"undo": token["undo"]})
    assert themes_of(article) == {"Salute": "rejected"}


def test_themes_of_many_are_taken_back_at_once(editor: Client) -> None:
    first, second = make_article("Una", themes=["Pensioni"]), make_article("Due")
    given, taken = make_theme("Salute"), make_theme("Pensioni")
    answer = editor.post(
        f"{bulk('retag')}?id={first.pk}&id={second.pk}&next={INBOX}",
        {"add": [given.pk], "remove": [taken.pk]},
        follow=True,
    )
    undo(editor, answer.content.decode())
    assert themes_of(first) == {"Pensioni": "suggested"}
    assert themes_of(second) == {}


def test_somebody_without_the_right_changes_no_theme() -> None:
    article = make_article(accepted=False)
    client_for("nobody").post(RETAG, {"article": article.pk, "give": make_theme("Salute").pk})
    assert themes_of(article) == {}


@pytest.mark.parametrize("values", [{}, {"article": "x"}, {"article": "1" * 30}])
def test_what_names_no_article_or_theme_leads_back_to_the_inbox(
    editor: Client, values: dict[str, str]
) -> None:
    assert editor.post(RETAG, values)["Location"] == INBOX


def test_a_decision_is_answered_as_data_to_the_script(editor: Client) -> None:
    article = make_article("Una", accepted=False)
    triage = reverse("newsletter_articles:triage")
    answer = editor.post(triage, {"accepted": article.pk}, headers=JSON).json()
    assert answer["said"] == "1 article accepted."
    taken_back = editor.post(
        reverse("newsletter_articles:undo"), {"undo": answer["undo"]}, headers=JSON
    )
    assert taken_back.json()["said"] == "Undone: 1 article is as it was."
    assert states() == {"Una": "new"}
    wrong = editor.post(reverse("newsletter_articles:undo"), {"undo": "x"}, headers=JSON)
    assert wrong.status_code == 409


def test_all_suggestions_are_accepted_and_what_has_none_stays(editor: Client) -> None:
    make_article("Una", themes=["Pensioni"], accepted=False)
    make_article("Due", themes=["Salute"], accepted=False)
    make_article("Senza tema", accepted=False)
    make_article("Rifiutata", themes=["Salute"], state=Article.State.REJECTED)
    page = editor.get(f"{INBOX}?state=new").content.decode()
    url = page.split('">Accept all suggestions')[0].rpartition('href="')[2].replace("&amp;", "&")
    asked = editor.get(url).content.decode()
    assert "2 articles" in asked
    assert "1 article without a theme stays in the inbox" in asked
    editor.post(url)
    assert states() == {
        "Una": "accepted", "Due": "accepted", "Senza tema": "new", "Rifiutata": "rejected",
    }  # fmt: skip
