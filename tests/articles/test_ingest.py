from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.articles.ingest import ingest, poll
from newsletter.articles.models import Article, ArticleVersion, Sighting
from newsletter.articles.triage import triage
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.feeds.parse import parse
from newsletter.signals import article_triaged, articles_ingested
from tests.articles.conftest import LONG, Poll, post, rss
from tests.builders import NOW, make_feed
from tests.polled import poll_now
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def test_each_post_becomes_one_article(polled: Poll) -> None:
    result = polled(post(2), post(1))
    assert result is not None
    assert len(result.new) == 2
    assert [a.title for a in Article.objects.order_by("pk")] == ["Notizia 1", "Notizia 2"]
    article = Article.objects.get(title="Notizia 1")
    assert article.state == Article.State.NEW
    assert article.language == "it"
    assert article.arrived_at == NOW
    assert article.published_at is not None


def test_polling_again_brings_nothing_new(polled: Poll) -> None:
    polled(post(1))
    again = polled(post(1), post(2), now=LATER)
    assert again is not None
    assert len(again.new) == 1
    assert again.changed == ()
    assert Article.objects.count() == 2


@pytest.mark.parametrize(
    "twin",
    [
        {"link": "http://www.blog.example/{n}?utm_source=rss&utm_medium=feed"},
        {"link": "https://blog.example/{n}/#more", "guid": "http://blog.example/?p={n}"},
        {"guid": ""},
        {"link": "https://blog.example/2026/07/{n}-nuovo/"},
        {"link": "https://blog.example/?p={n}", "guid": ""},
        {"guid": "tag:blog.example,2026:post-{n}"},
    ],
    ids=["link differs in form", "guid differs in form", "no guid", "link changed",
         "short link", "guid of another kind"],
)  # fmt: skip
def test_post_seen_in_two_feeds_becomes_one_article(polled: Poll, twin: dict[str, str]) -> None:
    polled(post(1), at="/feed/")
    polled(post(1, **twin), at="/category/pensioni/feed/", now=LATER)
    assert Article.objects.count() == 1
    assert Sighting.objects.count() == 2


def test_order_of_polling_makes_no_difference(polled: Poll) -> None:
    forms = [
        post(1),
        post(1, link="http://blog.example/1?fbclid=x"),
        post(1, link="https://www.blog.example/1"),
    ]
    for order in permutations(range(3)):
        Article.objects.all().delete()
        connection.cursor().execute("DELETE FROM newsletter_identity")
        Feed.objects.all().delete()
        for number in order:
            polled(forms[number], at=f"/{number}/")
        assert Article.objects.count() == 1


def test_same_guid_on_two_blogs_is_two_posts(polled: Poll) -> None:
    guid = "http://staging.example/?p=1"
    polled(post(1, "Uno", link="https://uno.example/a/", guid=guid), at="/uno/")
    polled(post(1, "Due", link="https://due.example/b/", guid=guid), at="/due/")
    polled(post(1, "Tre", link="https://tre.example/c/", guid="1"), at="/tre/")
    polled(post(1, "Quattro", link="https://quattro.example/d/", guid="1"), at="/quattro/")
    assert Article.objects.count() == 4


def test_same_title_on_two_days_is_two_posts(polled: Poll) -> None:
    polled(post(1, "Rassegna stampa"), post(2, "Rassegna stampa"))
    assert Article.objects.count() == 2


def test_items_that_all_link_to_the_same_page_stay_apart(polled: Poll) -> None:
    page = "https://blog.example/avvisi/"
    polled(*(post(n, link=page, guid=f"avviso-numero-{n:04}") for n in range(3)))
    assert Article.objects.count() == 3
    polled(*(post(n, link=page, guid=f"avviso-numero-{n:04}") for n in range(4)))
    assert Article.objects.count() == 4


def test_deleted_article_does_not_come_back(polled: Poll) -> None:
    polled(post(1), post(2))
    Article.objects.get(title="Notizia 1").delete()
    again = polled(post(1), post(2), post(3), now=LATER)
    assert again is not None
    assert (len(again.new), again.skipped) == (1, 1)
    polled(post(1, link="https://www.blog.example/1/?utm_source=x"), at="/altro/", now=LATER)
    assert not Article.objects.filter(title="Notizia 1").exists()


def test_undated_post_is_listed_by_its_arrival(polled: Poll) -> None:
    polled(post(1, date=""), post(2, date="Mon, 13 Jul 2099 07:30:12 +0000"))
    undated, future = Article.objects.order_by("title")
    assert undated.published_at is None
    assert undated.listed_at == future.listed_at == NOW


def test_edit_upstream_keeps_the_earlier_version(polled: Poll) -> None:
    polled(post(1, "Prima", text=LONG))
    article = Article.objects.get()
    Article.objects.update(editor_title="Nostro titolo", state=Article.State.ACCEPTED)
    result = polled(post(1, "Dopo", text=LONG + " Aggiunta."), now=LATER)
    assert result is not None
    assert result.changed == (article.pk,)
    article.refresh_from_db()
    assert (article.title, article.editor_title) == ("Dopo", "Nostro titolo")
    assert article.body_text.endswith("Aggiunta.")
    assert (article.arrived_at, article.changed_at) == (NOW, LATER)
    assert article.state == Article.State.ACCEPTED
    assert ArticleVersion.objects.get().title == "Prima"


def test_change_of_date_or_markup_is_no_edit(polled: Poll) -> None:
    polled(post(1))
    result = polled(
        post(1, date="Tue, 14 Jul 2026 07:30:12 +0000", text=LONG.replace("Il", "<b>Il</b>")),
        now=LATER,
    )
    assert result is not None
    assert result.changed == ()
    assert not ArticleVersion.objects.exists()


def test_excerpt_feed_does_not_overwrite_the_full_text(polled: Poll) -> None:
    polled(post(1), at="/feed/")
    polled(post(1, text="", summary="Il testo dell’assemblea racconta […]"), at="/tag/feed/")
    assert Article.objects.get().body_text == LONG.strip()


def test_full_text_replaces_an_excerpt_whichever_comes_first(polled: Poll) -> None:
    polled(post(1, text="", summary="Il testo dell’assemblea racconta […]"), at="/tag/feed/")
    assert Article.objects.get().body_text == "Il testo dell’assemblea racconta…"
    polled(post(1), at="/feed/", now=LATER)
    assert Article.objects.get().body_text == LONG.strip()


def test_feed_of_our_own_is_accepted_at_once(polled: Poll) -> None:
    polled(post(1), auto_accept=True)
    article = Article.objects.get()
    assert (article.state, article.triaged_by) == (Article.State.ACCEPTED, None)


def test_own_feed_accepts_what_another_feed_brought_but_no_person_judged(polled: Poll) -> None:
    polled(post(1), post(2), at="/altrui/")
    triage([Article.objects.get(title="Notizia 2").pk], Article.State.REJECTED, by=None, now=NOW)
    polled(post(1), post(2), at="/nostro/", auto_accept=True, now=LATER)
    assert Article.objects.get(title="Notizia 1").state == Article.State.ACCEPTED
    assert Article.objects.get(title="Notizia 2").state == Article.State.REJECTED


def test_title_with_line_breaks_is_stored_on_one_line(polled: Poll) -> None:
    polled(post(1, "Prima\r\nBcc: spia@posta.example"))
    assert Article.objects.get().title == "Prima Bcc: spia@posta.example"


def test_post_without_title_is_named_by_its_first_words(polled: Poll) -> None:
    polled(post(1).replace("<title>Notizia 1</title>", ""))
    assert Article.objects.get().title.startswith("Il testo dell’assemblea")


def test_very_long_values_are_cut_to_what_the_tables_hold(polled: Poll) -> None:
    polled(
        post(1, "parola " * 300, link="https://blog.example/" + "a" * 3000, guid="g" * 3000,
             extra=f"<author>{'x' * 900}</author>")
    )  # fmt: skip
    article = Article.objects.get()
    assert len(article.title) <= 500
    article.full_clean(exclude=["feed", "story"])


def test_english_post_in_an_italian_feed_is_english(polled: Poll) -> None:
    text = "The union and the company agreed that this will be the way of working with the staff."
    polled(post(1, "The new agreement", text=text), post(2))
    assert Article.objects.get(title="The new agreement").language == "en"


def test_articles_are_found_by_search(polled: Poll) -> None:
    polled(post(1, "Una parola rarissima"), post(2))
    found = list(Article.objects.all().search("rarissima"))
    assert [article.title for article in found] == ["Una parola rarissima"]
    polled(post(1, "Una parola introvabile"), post(2), now=LATER)
    assert list(Article.objects.all().search("rarissima")) == []
    assert len(list(Article.objects.all().search("introvabile"))) == 1


def test_number_of_queries_does_not_grow_with_the_number_of_posts() -> None:
    def queries(count: int, path: str) -> int:
        feed = make_feed(f"https://{path}.example/feed/")
        link = f"https://{path}.example/{{n}}/"
        items = [post(n, link=link, guid="") for n in range(count)]
        parsed = parse(rss(*items).encode(), url=feed.url)
        with CaptureQueriesContext(connection, ) as captured:  # fmt: skip
            assert len(ingest(feed, parsed, now=NOW).new) == count
        return len(captured)

    queries(1, "warm")
    assert queries(40, "b") <= queries(2, "a") + 8


def test_listeners_hear_of_new_articles_after_commit(
    polled: Poll, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[tuple[int, ...]] = []

    def listen(*, article_ids: tuple[int, ...], **kwargs: object) -> None:
        heard.append(article_ids)

    articles_ingested.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            result = polled(post(1))
            assert heard == []
    finally:
        articles_ingested.disconnect(listen)
    assert result is not None
    assert heard == [result.new]


def test_triage_reports_what_changed_and_tells_listeners(
    polled: Poll, django_capture_on_commit_callbacks: Any, django_user_model: Any
) -> None:
    polled(post(1), post(2))
    editor = django_user_model.objects.create(username="editor")
    one, two = Article.objects.order_by("pk").values_list("pk", flat=True)
    heard: list[object] = []

    def listen(*, article_ids: tuple[int, ...], user: object, **kwargs: object) -> None:
        heard.append((article_ids, user))

    article_triaged.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assert triage([one], Article.State.ACCEPTED, by=editor, now=NOW) == 1
            assert triage([one, two, two], Article.State.ACCEPTED, by=editor, now=LATER) == 1
    finally:
        article_triaged.disconnect(listen)
    assert heard == [((one,), editor), ((two,), editor)]
    assert Article.objects.get(pk=one).triaged_at == NOW


# --- The exchange with the feed -------------------------------------------------------------------


def test_unchanged_feed_is_not_parsed_again(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", rss(post(1)), headers={"ETag": '"1"'})
    feed = make_feed(url)
    poll_now(feed.pk, now=NOW)
    feed_server.serve("/feed/", status=304)
    result = poll_now(feed.pk, now=LATER)
    assert result is not None
    assert result.entries == 0
    assert feed_server.requests[-1].headers["if-none-match"] == '"1"'
    latest = FetchRecord.objects.first()
    assert latest is not None
    assert (latest.outcome, latest.http_status) == (FetchRecord.Outcome.UNCHANGED, 304)


def test_same_bytes_count_as_unchanged_when_the_server_knows_no_validators(polled: Poll) -> None:
    polled(post(1))
    again = polled(post(1), now=LATER)
    assert again is not None
    assert again.entries == 0


def test_failure_is_recorded_in_plain_words_and_the_feed_left_alone(
    feed_server: FeedServer,
) -> None:
    url = feed_server.serve("/feed/", "<html><body>Ciao</body></html>")
    feed = make_feed(url)
    assert poll_now(feed.pk, now=NOW) is None
    feed.refresh_from_db()
    assert (feed.error_code, feed.failures) == ("web_page", 1)
    assert "is a web page, not a feed" in feed.error
    assert feed.next_poll_at is not None
    assert feed.next_poll_at > NOW
    assert feed.claimed_until is None
    assert feed.fetches.get().outcome == FetchRecord.Outcome.FAILED


def test_success_clears_the_error(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", status=500))
    poll_now(feed.pk, now=NOW)
    feed_server.serve("/feed/", rss(post(1)))
    poll_now(feed.pk, now=LATER)
    feed.refresh_from_db()
    assert (feed.error, feed.error_code, feed.failures) == ("", "", 0)


def test_gone_feed_is_not_polled_any_more(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", status=410))
    poll_now(feed.pk, now=NOW)
    feed.refresh_from_db()
    assert feed.state == Feed.State.GONE
    assert not Feed.objects.due(NOW + timedelta(days=30)).exists()


def test_publisher_who_asks_for_patience_gets_it(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", status=429, headers={"Retry-After": "172800"})
    feed = make_feed(url)
    poll_now(feed.pk, now=NOW)
    feed.refresh_from_db()
    assert feed.next_poll_at is not None
    assert feed.next_poll_at >= NOW + timedelta(days=2)


def test_moved_feed_gets_its_new_address_after_several_sightings(feed_server: FeedServer) -> None:
    new = feed_server.serve("/new/", rss(post(1)))
    old = feed_server.serve("/old/", status=301, headers={"Location": "/new/"})
    feed = make_feed(old)
    poll_now(feed.pk, now=NOW)
    feed.refresh_from_db()
    assert feed.url == old
    for day in range(1, 3):
        poll_now(feed.pk, now=NOW + timedelta(days=day))
    feed.refresh_from_db()
    assert feed.url == new


def test_move_to_a_feed_that_is_there_is_not_followed_and_not_counted_for_ever(
    feed_server: FeedServer,
) -> None:
    twin = make_feed(feed_server.serve("/new/", rss(post(1))))
    feed_server.serve("/old/", status=301, headers={"Location": "/new/"})
    feed = make_feed(feed_server.url + "/old/")
    for hour in range(5):
        poll_now(feed.pk, now=NOW + timedelta(hours=hour))
    feed.refresh_from_db()
    assert (feed.url, feed.moved_to, feed.moved_seen) == (
        feed_server.url + "/old/",
        twin.url,
        3,
    )


def test_feed_that_another_worker_has_is_left_to_it(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", rss(post(1)))
    feed = make_feed(url, claimed_until=NOW + timedelta(minutes=1))
    assert poll_now(feed.pk, now=NOW) is None
    assert feed_server.requests == []
    assert poll_now(feed.pk, now=NOW + timedelta(minutes=2)) is not None


def test_doorbell_that_rings_twice_polls_once(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", rss(post(1))))
    assert poll(feed.pk, now=NOW) is not None
    assert poll(feed.pk, now=NOW) is None
    assert len(feed_server.requests) == 1


def test_feed_describes_itself_where_nobody_did(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", rss(post(1))), title="", site_url="", language="")
    poll_now(feed.pk, now=NOW)
    feed.refresh_from_db()
    assert (feed.title, feed.site_url, feed.language) == ("Blog", "https://blog.example/", "it-IT")
