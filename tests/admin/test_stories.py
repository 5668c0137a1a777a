"""Stories at the desk: one row, its pieces, and the editor's word on them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.articles.models import Article, Story
from newsletter.articles.stories.models import Resemblance
from tests.admin.conftest import client_for
from tests.builders import NOW, make_article, make_feed, make_theme

pytestmark = pytest.mark.django_db
INBOX = reverse("newsletter_articles:index")
TRIAGE = reverse("newsletter_articles:triage")
State = Article.State


def make_story(*titles: str, state: State = State.NEW) -> list[Article]:
    """Told by one blog after the other, the first first."""
    story = Story.objects.create()
    return [
        make_article(
            title,
            story=story,
            feed=make_feed(title=f"Blog di {title}"),
            state=state,
            arrived_at=NOW + timedelta(hours=place),
        )
        for place, title in enumerate(titles)
    ]


def states() -> dict[str, str]:
    return dict(Article.objects.values_list("title", "state"))


def rows(client: Client, query: str = "state=new") -> list[str]:
    """The titles of the inbox's rows."""
    html = client.get(f"{INBOX}?{query}").content.decode()
    return re.findall(r'id="article_\d+_title">([^<]+)<', html)


def page_of(client: Client, article: Article) -> str:
    return client.get(reverse("newsletter_articles:edit", args=[article.pk])).content.decode()


def press(client: Client, name: str, **data: object) -> str:
    url = reverse(f"newsletter_articles:{name}")
    return client.post(url, data | {"next": INBOX}, follow=True).content.decode()


def undo(client: Client, html: str) -> str:
    form = re.search(
        r'action="([^"]+)" class="desk-undo".*?name="undo" value="([^"]+)"', html, re.S
    )
    assert form
    return client.post(form[1], {"undo": form[2], "next": INBOX}, follow=True).content.decode()


def test_a_story_is_one_row_that_lists_its_pieces(editor: Client) -> None:
    make_story("Prima", "Seconda", "Terza")
    make_article("Sola", accepted=False)
    html = editor.get(f"{INBOX}?state=new").content.decode()
    assert sorted(rows(editor)) == ["Prima", "Sola"]
    assert "+2 similar" in html
    assert re.search(r"<details.*Seconda.*Blog di Seconda.*Terza.*</details>", html, re.S)
    assert html.count("similar</summary>") == 1
    assert html.count("Accept this one") == 2


def test_every_name_that_a_button_refers_to_stands_on_the_page_once(editor: Client) -> None:
    first, *_others = make_story("Notizia prima", "Notizia seconda", "Notizia terza")
    Resemblance.objects.create(first=first, second=make_article("Quasi uguale"), share=0.7)
    # A search shows each piece in a row of its own, and lists it in the others'.
    searched = editor.get(f"{INBOX}?q=notizia").content.decode()
    for html in (searched, page_of(editor, first)):
        ids = re.findall(r'\bid="(piece_[^"]+)"', html)
        assert ids
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'aria-describedby="(piece_[^"]+)"', html)) == set(ids)


def test_accepting_the_row_takes_the_whole_story_out_of_the_inbox(editor: Client) -> None:
    first, *_others = make_story("Prima", "Seconda", "Terza")
    html = press(editor, "triage", accepted=first.pk, story=1)
    assert states() == {"Prima": "accepted", "Seconda": "new", "Terza": "new"}
    assert rows(editor) == []
    undo(editor, html)
    assert rows(editor) == ["Prima"]
    assert set(states().values()) == {"new"}


def test_another_piece_can_be_the_one_that_is_accepted(editor: Client) -> None:
    _first, second, _third = make_story("Prima", "Seconda", "Terza")
    press(editor, "triage", accepted=second.pk, story=1)
    assert states() == {"Prima": "new", "Seconda": "accepted", "Terza": "new"}
    assert rows(editor) == []
    assert rows(editor, "state=accepted") == ["Seconda"]


def test_rejecting_the_row_rejects_what_waits_behind_it_and_undo_brings_all_back(
    editor: Client,
) -> None:
    first, *_others = make_story("Prima", "Seconda", "Terza")
    html = press(editor, "triage", rejected=first.pk, story=1)
    assert set(states().values()) == {"rejected"}
    assert "3 articles rejected." in html
    undo(editor, html)
    assert set(states().values()) == {"new"}


def test_on_its_own_page_an_article_is_rejected_alone(editor: Client) -> None:
    first, *_others = make_story("Prima", "Seconda")
    press(editor, "triage", rejected=first.pk)
    assert states() == {"Prima": "rejected", "Seconda": "new"}
    assert rows(editor) == ["Seconda"]


def test_a_piece_that_comes_after_the_decision_does_not_trouble_the_inbox(editor: Client) -> None:
    first, _second = make_story("Prima", "Seconda", state=State.ACCEPTED)
    make_article("Tardiva", accepted=False, story=first.story)
    assert rows(editor) == []
    assert client_home(editor).count("Look through") == 0


def client_home(client: Client) -> str:
    return client.get(reverse("wagtailadmin_home")).content.decode()


def test_select_all_counts_and_decides_stories_as_rows(editor: Client) -> None:
    make_story("Prima", "Seconda", "Terza")
    make_article("Sola", accepted=False)
    url = reverse("wagtail_bulk_action", args=["newsletter", "article", "accept"])
    assert "2 articles" in editor.get(f"{url}?state=new&id=all&next={INBOX}").content.decode()
    editor.post(f"{url}?state=new&id=all&next={INBOX}")
    assert states() == {"Prima": "accepted", "Seconda": "new", "Terza": "new", "Sola": "accepted"}


def test_a_filter_shows_the_piece_that_it_finds(editor: Client) -> None:
    _first, second = make_story("Prima", "Seconda")
    assert rows(editor, f"state=new&feed={second.feed_id}") == ["Seconda"]
    assert rows(editor, "state=new&q=seconda") == ["Seconda"]


def test_ticked_articles_become_one_story_and_undo_parts_them(editor: Client) -> None:
    first, second = (make_article(title, accepted=False) for title in ("Una", "Due"))
    url = reverse("wagtail_bulk_action", args=["newsletter", "article", "merge"])
    html = editor.post(
        f"{url}?id={first.pk}&id={second.pk}&next={INBOX}", follow=True
    ).content.decode()
    assert "Now one story." in html
    assert rows(editor) == ["Una"]
    undo(editor, html)
    assert sorted(rows(editor)) == ["Due", "Una"]


def test_a_piece_is_split_off_and_undo_puts_it_back(editor: Client) -> None:
    first, second = make_story("Prima", "Seconda")
    html = press(editor, "split", split=second.pk)
    assert sorted(rows(editor)) == ["Prima", "Seconda"]
    apart = Resemblance.objects.get()
    assert (apart.first_id, apart.second_id, apart.state) == (first.pk, second.pk, "apart")
    undo(editor, html)
    assert rows(editor) == ["Prima"]


def test_undo_of_somebody_elses_split_is_refused(editor: Client) -> None:
    _first, second = make_story("Prima", "Seconda")
    html = press(editor, "split", split=second.pk)
    assert "no longer" in undo(client_for("moderator"), html)
    assert sorted(rows(editor)) == ["Prima", "Seconda"]


def test_the_articles_page_names_its_story_and_its_possible_duplicates(editor: Client) -> None:
    first, _second = make_story("Prima", "Seconda")
    alike = make_article("Quasi uguale", accepted=False, feed=make_feed(title="Terzo blog"))
    Resemblance.objects.create(first=first, second=alike, share=0.68)
    page = page_of(editor, first)
    assert "The same news, 1 more time" in page
    assert "Blog di Seconda" in page
    assert "Possible duplicate" in page
    assert "68%" in page
    assert "Terzo blog" in page
    assert "Possible duplicate" in editor.get(f"{INBOX}?state=new").content.decode()
    html = press(editor, "merge", article=first.pk, other=alike.pk)
    assert "Now one story." in html
    assert Article.objects.get(pk=alike.pk).story == first.story
    assert "Possible duplicate" not in page_of(editor, first)


def test_not_the_same_news_silences_the_hint_and_can_be_undone(editor: Client) -> None:
    first, second = (make_article(title, accepted=False) for title in ("Una", "Due"))
    Resemblance.objects.create(first=first, second=second, share=0.68)
    html = press(editor, "keep_apart", article=second.pk, other=first.pk)
    assert "Possible duplicate" not in page_of(editor, first)
    undo(editor, html)
    assert "Possible duplicate" in page_of(editor, first)


def test_what_was_said_of_a_story_is_in_the_articles_history(editor: Client) -> None:
    _first, second = make_story("Prima", "Seconda")
    undo(editor, press(editor, "split", split=second.pk))
    page = editor.get(reverse("newsletter_articles:history", args=[second.pk])).content.decode()
    assert "Took it out of its story" in page
    assert "Took back what was said of its story" in page


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("merge", {"article": "x", "other": ""}),
        ("merge", {"article": "9" * 30, "other": "1"}),
        ("split", {"split": "-1"}),
        ("keep_apart", {"article": "1", "other": "1"}),
        ("undo_story", {"undo": "nonsense"}),
    ],
)
def test_nonsense_changes_nothing(editor: Client, name: str, data: dict[str, str]) -> None:
    make_story("Prima", "Seconda")
    press(editor, name, **data)
    assert Article.objects.filter(story=None).count() == 0
    assert not Resemblance.objects.exists()


def test_who_may_only_look_sees_the_pieces_and_no_buttons() -> None:
    client = client_for("nobody")
    user = get_user_model().objects.get(username="nobody")
    user.user_permissions.add(
        *Permission.objects.filter(codename__in=["access_admin", "view_article"])
    )
    make_story("Prima", "Seconda")
    html = client.get(f"{INBOX}?state=new").content.decode()
    assert "Seconda" in html
    assert "Not the same news" not in html


@pytest.mark.parametrize("role", ["anonymous", "nobody"])
def test_who_may_not_triage_cannot_say_what_is_a_story(role: str) -> None:
    first, second = make_story("Prima", "Seconda")
    alone = make_article("Sola")
    client = client_for(role)
    press(client, "split", split=second.pk)
    press(client, "merge", article=first.pk, other=alone.pk)
    assert set(Article.objects.filter(story=None)) == {alone}


def test_the_list_asks_the_same_number_of_times_for_any_number_of_stories(editor: Client) -> None:
    make_theme("Pensioni")
    counts = []
    for _round in range(2):
        for number in range(4):
            make_story(f"A{number}", f"B{number}", f"C{number}")
        with CaptureQueriesContext(connection) as asked:
            editor.get(f"{INBOX}?state=new")
        counts.append(len(asked))
    assert counts[1] <= counts[0]


def test_a_story_of_hundreds_lists_some_and_counts_the_rest(editor: Client) -> None:
    pieces = make_story(*(f"Copia {number}" for number in range(40)))
    html = editor.get(f"{INBOX}?state=new").content.decode()
    assert "+39 similar" in html
    assert "and 19 more" in html
    assert "and 19 more" in page_of(editor, pieces[0])
