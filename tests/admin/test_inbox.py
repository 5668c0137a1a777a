"""The inbox: filters, one click, bulk, undo."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.articles.models import Article
from newsletter.themes.models import ThemeAssignment
from tests.admin.conftest import client_for
from tests.builders import make_article, make_feed, make_theme

pytestmark = pytest.mark.django_db
INBOX = reverse("newsletter_articles:index")
State = Article.State


def bulk(action: str) -> str:
    return reverse("wagtail_bulk_action", args=["newsletter", "article", action])


def states() -> dict[str, str]:
    return dict(Article.objects.values_list("title", "state"))


def undo(client: Client, html: str) -> None:
    token = re.search(r'name="undo" value="([^"]+)"', html)
    assert token
    client.post(reverse("newsletter_articles:undo"), {"undo": token[1], "next": INBOX})


def test_article_shows_its_source_and_why_it_has_its_themes(editor: Client) -> None:
    make_article(
        "Aumenti in arrivo", themes=["Pensioni"], accepted=False, feed=make_feed(title="La Voce")
    )
    html = editor.get(f"{INBOX}?state=new").content.decode()
    assert "Aumenti in arrivo" in html
    assert "La Voce" in html
    assert "Keywords, 90%" in html
    assert "“prova”" in html


def test_only_what_waits_is_called_the_inbox(editor: Client) -> None:
    titles = [
        re.findall(r"<title>\s*(\w+)", editor.get(address).content.decode())
        for address in (f"{INBOX}?state=new", INBOX)
    ]
    assert titles == [["Inbox"], ["Articles"]]


def test_filters_and_search_narrow_the_list(editor: Client) -> None:
    make_article("Pensioni, le novità", themes=["Pensioni"], accepted=False)
    make_article("Pensioni già viste", themes=["Pensioni"])
    make_article("Sciopero dei treni", accepted=False)
    theme = make_theme("Pensioni").pk
    for query, expected in [
        ("state=new", {"Pensioni, le novità", "Sciopero dei treni"}),
        (f"state=new&theme={theme}", {"Pensioni, le novità"}),
        ("q=pensioni", {"Pensioni, le novità", "Pensioni già viste"}),
        (f"q=pensioni&state=accepted&theme={theme}", {"Pensioni già viste"}),
        ("q=pens", {"Pensioni, le novità", "Pensioni già viste"}),  # while typing
        ("q=testo notizia&state=accepted", {"Pensioni già viste"}),  # words of the text
        ("language=en", set()),
    ]:
        html = editor.get(f"{INBOX}?{query}").content.decode()
        assert {title for title in states() if title in html} == expected, query


def test_one_click_accepts_and_confirms_the_themes_and_undo_takes_both_back(
    editor: Client,
) -> None:
    article = make_article("Una", themes=["Pensioni"], accepted=False)
    response = editor.post(
        reverse("newsletter_articles:triage"),
        {"accepted": article.pk, "next": f"{INBOX}?state=new"},
        follow=True,
    )
    assert response.redirect_chain == [(f"{INBOX}?state=new", 302)]
    article.refresh_from_db()
    assert article.state == State.ACCEPTED
    html = response.content.decode()
    assert "1 article accepted." in html
    undo(editor, html)
    article.refresh_from_db()
    assert article.state == State.NEW
    assert article.assignments.get().decision == ThemeAssignment.Decision.SUGGESTED


def test_undo_of_somebody_else_is_refused(editor: Client) -> None:
    article = make_article("Una", accepted=False)
    html = editor.post(
        reverse("newsletter_articles:triage"), {"rejected": article.pk}, follow=True
    ).content.decode()
    undo(client_for("moderator"), html)
    assert states() == {"Una": "rejected"}


def test_undo_leaves_what_was_decided_anew(editor: Client) -> None:
    article = make_article("Una", accepted=False)
    triage = reverse("newsletter_articles:triage")
    html = editor.post(triage, {"rejected": article.pk}, follow=True).content.decode()
    editor.post(triage, {"accepted": article.pk})
    undo(editor, html)
    assert states() == {"Una": "accepted"}


def test_withdrawn_article_stays_withdrawn(editor: Client) -> None:
    article = make_article("Una", state=State.WITHDRAWN)
    editor.post(reverse("newsletter_articles:triage"), {"accepted": article.pk})
    assert states() == {"Una": "withdrawn"}


def test_select_all_touches_only_what_the_filters_show(editor: Client) -> None:
    """Wagtail's own forgets the filters (wagtail#12853)."""
    for number in range(45):  # more than a page
        make_article(f"Nuova {number}", accepted=False)
    make_article("Rifiutata", state=State.REJECTED)
    url = f"{bulk('accept')}?state=new&id=all&next={INBOX}"
    asked = editor.get(url).content.decode()
    assert "45 articles" in asked
    answer = editor.post(url, follow=True).content.decode()
    assert "45 articles accepted." in answer
    assert states()["Rifiutata"] == "rejected"
    assert Article.objects.accepted().count() == 45
    undo(editor, answer)
    assert Article.objects.to_triage().count() == 45


def test_select_all_touches_only_what_the_search_finds(editor: Client) -> None:
    make_article("Sciopero dei treni", accepted=False)
    make_article("Sciopero nelle scuole", accepted=False)
    make_article("Pensioni", accepted=False)
    editor.post(f"{bulk('reject')}?q=sciopero&state=new&id=all")
    assert states() == {
        "Sciopero dei treni": "rejected",
        "Sciopero nelle scuole": "rejected",
        "Pensioni": "new",
    }


def test_ticked_articles_are_retagged(editor: Client) -> None:
    first = make_article("Una", themes=["Pensioni"])
    second = make_article("Due")
    given, taken = make_theme("Salute"), make_theme("Pensioni")
    editor.post(
        f"{bulk('retag')}?id={first.pk}&id={second.pk}",
        {"add": [given.pk], "remove": [taken.pk]},
    )
    for article in (first, second):
        standing = article.assignments.standing().values_list("theme__name", flat=True)
        assert list(standing) == ["Salute"]


def test_bulk_without_a_selection_says_so(editor: Client) -> None:
    answer = editor.get(f"{bulk('accept')}?next={INBOX}", follow=True).content.decode()
    assert "No article is selected." in answer


def test_bulk_without_a_way_back_ends_at_the_list(editor: Client) -> None:
    article = make_article(accepted=False)
    assert editor.get(bulk("accept"))["Location"] == INBOX
    assert editor.post(f"{bulk('accept')}?id={article.pk}")["Location"] == INBOX


def test_bulk_needs_the_right_to_triage() -> None:
    article = make_article("Una", accepted=False)
    client_for("nobody").post(f"{bulk('accept')}?id={article.pk}")
    assert states() == {"Una": "new"}


def test_the_list_asks_the_database_the_same_number_of_times_for_any_length(
    editor: Client,
) -> None:
    counts = []
    for _round in range(2):
        for _number in range(8):
            make_article(themes=["Pensioni", "Salute"], feed=make_feed(), accepted=False)
        with CaptureQueriesContext(connection) as asked:
            editor.get(f"{INBOX}?state=new")
        counts.append(len(asked))
    assert counts[1] <= counts[0]


def test_the_editors_words_never_touch_the_original(editor: Client) -> None:
    article = make_article("Titolo del blog", themes=["Pensioni"])
    theme = make_theme("Salute")
    url = reverse("newsletter_articles:edit", args=[article.pk])
    page = editor.get(url).content.decode()
    assert "As it was published" in page
    assert "Il testo della notizia." in page
    response = editor.post(
        url,
        {"editor_title": "Titolo nostro", "editor_excerpt": "", "note": "Perché conta",
         "image_alt": "", "themes": [theme.pk]},
    )  # fmt: skip
    assert response.status_code == 302
    article.refresh_from_db()
    assert (article.title, article.display_title, article.note) == (
        "Titolo del blog", "Titolo nostro", "Perché conta",
    )  # fmt: skip
    decisions = dict(article.assignments.values_list("theme__name", "decision"))
    assert decisions == {"Pensioni": "rejected", "Salute": "confirmed"}


def test_an_articles_history_tells_who_decided_and_who_took_it_back(editor: Client) -> None:
    first, second = (make_article(title, accepted=False) for title in ("Una", "Due"))
    answer = editor.post(f"{bulk('accept')}?id={first.pk}&id={second.pk}&next={INBOX}", follow=True)
    undo(editor, answer.content.decode())
    page = editor.get(reverse("newsletter_articles:history", args=[second.pk])).content.decode()
    assert "Accepted" in page
    assert "Took the last decision back" in page
    assert page.count("editor") >= 2


def test_a_bulk_decision_is_noted_with_the_same_number_of_queries_for_any_length(
    editor: Client,
) -> None:
    def queries(count: int) -> int:
        ids = [make_article(accepted=False).pk for _number in range(count)]
        ticked = "&".join(f"id={pk}" for pk in ids)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            editor.post(f"{bulk('reject')}?{ticked}&next={INBOX}")
        return len(asked)

    queries(1)
    assert queries(2) == queries(12)


def test_the_publishers_pictures_are_named_and_linked_but_not_loaded(editor: Client) -> None:
    article = make_article("Corteo", body="Testo")
    article.body_html = (
        '<p>Prima <img src="https://foto.example/a.jpg" alt="Il corteo &lt;b&gt;"> dopo</p>'
        '<p><a href="https://foto.example/"><img src="https://foto.example/b.jpg"></a></p>'
    )
    article.save()
    page = editor.get(reverse("newsletter_articles:edit", args=[article.pk])).content.decode()
    shown = page[page.index('class="desk-body"') : page.index("</article>")]
    assert "<img" not in shown
    assert 'href="https://foto.example/a.jpg"' in shown
    assert "Picture: Il corteo &lt;b&gt;</a> dopo" in shown
    assert '<a href="https://foto.example/"><span' in shown


def test_a_long_excerpt_ends_with_a_whole_word(editor: Client) -> None:
    make_article(excerpt="parolona " * 60, accepted=False)
    page = editor.get(f"{INBOX}?state=new").content.decode()
    assert re.search(r"parolona…\s*</p>", page)


def test_a_search_without_a_result_says_so_in_whole_words(editor: Client) -> None:
    make_article(accepted=False)
    assert "No article matches." in editor.get(f"{INBOX}?q=introvabile").content.decode()
