"""The list of feeds and a feed's page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from newsletter.articles.models import Sighting
from newsletter.feeds.models import Feed, FetchRecord
from tests.admin.conftest import client_for
from tests.builders import NOW, make_article, make_feed
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
LIST = reverse("newsletter_feeds:index")


def shown(client: Client, query: str = "") -> str:
    return client.get(LIST + query).content.decode()


def works(title: str, **fields: Any) -> Feed:
    now = timezone.now()
    return make_feed(**{"title": title, "last_polled_at": now, "last_success_at": now} | fields)


def silent(title: str, **fields: Any) -> Feed:
    week_ago = timezone.now() - timedelta(days=7)
    defaults = {"failures": 9, "last_success_at": week_ago, "error": "Nothing there (404)."}
    return works(title, **defaults | {"error_code": "http_404"} | fields)


def bulk(action: str, query: str) -> str:
    return reverse("wagtail_bulk_action", args=["newsletter", "feed", action]) + query


def test_problems_stand_first_with_the_error_and_what_to_do(editor: Client) -> None:
    works("Alfa")
    silent("Zeta")
    page = shown(editor)
    assert page.index("Zeta") < page.index("Alfa")
    assert "Not answering" in page
    assert "Nothing there (404)." in page
    assert "look for its feed and change the address" in page


def test_the_filter_shows_one_state_or_any_problem(editor: Client) -> None:
    works("Alfa")
    works("Beta", state=Feed.State.PAUSED)
    silent("Zeta")
    make_feed(title="Gamma", state=Feed.State.GONE)

    def titles(query: str) -> list[str]:
        page = shown(editor, query)
        return [title for title in ("Alfa", "Beta", "Gamma", "Zeta") if f">{title}<" in page]

    assert titles("?health=problem") == ["Gamma", "Zeta"]
    assert titles("?health=working") == ["Alfa"]
    assert titles("?health=paused") == ["Beta"]
    assert titles("?q=zet") == ["Zeta"]
    assert len(titles("?health=nonsense")) in {0, 4}


def test_each_row_tells_its_month_in_a_drawing_with_words(editor: Client) -> None:
    feed = works("Alfa")
    FetchRecord.objects.create(feed=feed, at=timezone.now(), outcome="new", articles_new=7)
    page = shown(editor)
    assert 'aria-label="7 new articles in 30 days"' in page
    assert "7 articles" in page


def test_the_list_asks_the_database_the_same_number_of_times_for_any_length(
    moderator: Client,
) -> None:
    works("Uno")
    shown(moderator)
    with CaptureQueriesContext(
        connection,
    ) as few:
        shown(moderator)
    for number in range(30):
        FetchRecord.objects.create(
            feed=silent(f"Feed {number}"), at=timezone.now(), outcome="failed"
        )
    with CaptureQueriesContext(connection) as many:
        shown(moderator)
    assert len(many) == len(few)


def test_who_may_only_look_gets_no_buttons(editor: Client, moderator: Client) -> None:
    feed = works("Alfa")
    button = f'formaction="{reverse("newsletter_feeds:pause", args=[feed.pk])}"'
    assert button in shown(moderator)
    assert button not in shown(editor)
    assert "Import from OPML" in shown(moderator)
    assert "Import from OPML" not in shown(editor)


def test_a_button_of_the_list_leads_back_to_the_list_as_it_was(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed = works("Alfa")
    here = f"{LIST}?health=working"
    url = reverse("newsletter_feeds:pause", args=[feed.pk])
    assert moderator.post(url, {"next": here})["Location"] == here
    assert moderator.post(url, {"next": "https://evil.example/"})["Location"] != (
        "https://evil.example/"
    )
    feed.refresh_from_db()
    assert feed.state == Feed.State.PAUSED


def test_ticked_feeds_are_paused_resumed_and_polled(moderator: Client) -> None:
    feeds = [works("Alfa"), silent("Zeta", next_poll_at=timezone.now() + timedelta(days=1))]
    query = "?" + "&".join(f"id={feed.pk}" for feed in feeds)
    assert "Alfa" in moderator.get(bulk("pause", query)).content.decode()
    moderator.post(bulk("pause", query))
    assert set(Feed.objects.values_list("state", flat=True)) == {Feed.State.PAUSED}
    moderator.post(bulk("poll", query))
    assert set(Feed.objects.values_list("state", flat=True)) == {Feed.State.PAUSED}
    moderator.post(bulk("resume", query))
    assert Feed.objects.due(timezone.now()).count() == 2
    Feed.objects.update(next_poll_at=timezone.now() + timedelta(days=1))
    moderator.post(bulk("poll", query))
    assert Feed.objects.due(timezone.now()).count() == 2


def test_select_all_touches_only_what_filters_and_search_show(moderator: Client) -> None:
    fine, bad, other = works("Alfa"), silent("Zeta"), silent("Omega")
    moderator.post(bulk("pause", "?id=all&health=problem&q=zeta"))
    for feed in (fine, bad, other):
        feed.refresh_from_db()
    assert [feed.state for feed in (fine, bad, other)] == ["active", "paused", "active"]


def test_bulk_actions_need_the_right_to_change_feeds() -> None:
    feed = works("Alfa")
    client_for("editor").post(bulk("pause", f"?id={feed.pk}"))
    feed.refresh_from_db()
    assert feed.state == Feed.State.ACTIVE


def test_a_feeds_page_tells_what_it_shares_with_others(editor: Client) -> None:
    main, category = works("Il blog"), works("La categoria")
    article = make_article("Una notizia", feed=main)
    for feed in (main, category):
        Sighting.objects.create(article=article, feed=feed, first_seen_at=NOW, last_seen_at=NOW)
    page = editor.get(reverse("newsletter_feeds:inspect", args=[category.pk])).content.decode()
    assert "Una notizia" in page
    assert "of 1 that it lists" in page
    assert "Il blog</a>: 1" in page


def test_a_feeds_page_says_what_went_wrong_what_to_do_and_when_it_is_tried_again(
    editor: Client,
) -> None:
    feed = silent("Zeta", next_poll_at=timezone.now() + timedelta(hours=5))
    FetchRecord.objects.create(
        feed=feed, at=timezone.now(), outcome="failed", http_status=404, error="Nothing there."
    )
    page = editor.get(reverse("newsletter_feeds:inspect", args=[feed.pk])).content.decode()
    assert "The last 9 fetches failed" in page
    assert "What to do:" in page
    assert "Next try:" in page
    assert "(404)" in page


def test_a_feed_that_moved_where_another_is_polled_leads_to_the_other(editor: Client) -> None:
    twin = works("Nuovo indirizzo")
    feed = works("Vecchio indirizzo", moved_to=twin.url, moved_seen=3)
    page = editor.get(reverse("newsletter_feeds:inspect", args=[feed.pk])).content.decode()
    assert "The publisher has moved this feed" in page
    assert reverse("newsletter_feeds:inspect", args=[twin.pk]) in page


def test_a_bulk_action_without_feeds_or_a_way_back_ends_at_the_list(moderator: Client) -> None:
    feed = works("Alfa")
    assert moderator.get(bulk("pause", ""))["Location"] == LIST
    assert moderator.post(bulk("pause", f"?id={feed.pk}"))["Location"] == LIST
    here = f"{LIST}?health=working"
    assert moderator.get(bulk("pause", f"?next={quote(here)}"))["Location"] == here
