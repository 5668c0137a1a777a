"""Feeds in the admin: an address is fetched before it is kept."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter import tasks
from newsletter.articles.backfill import step_due
from newsletter.articles.ingest import poll
from newsletter.articles.models import Article, PageText
from newsletter.feeds.hub import HubSubscription
from newsletter.feeds.models import WANTED, Backfill, Feed
from tests.builders import NOW, make_article, make_feed, make_theme
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
ADD = reverse("newsletter_feeds:add")

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>La Voce dei reparti</title>
<link>https://voce.example/</link><language>it</language>
<item><title>Mensa, riapre lunedì</title><link>https://voce.example/mensa/</link>
<guid>https://voce.example/mensa/</guid><description>La mensa riapre lunedì.</description>
<pubDate>Mon, 13 Jul 2026 08:00:00 +0000</pubDate></item></channel></rss>"""


def test_a_feed_is_shown_before_it_is_added(moderator: Client, feed_server: FeedServer) -> None:
    address = feed_server.serve("/feed/", RSS)
    page = moderator.post(ADD, {"url": address}).content.decode()
    assert "La Voce dei reparti" in page
    assert "Mensa, riapre lunedì" in page
    assert not Feed.objects.exists()
    response = moderator.post(
        ADD, {"url": address, "checked": address, "rights": "excerpt", "auto_accept": "on"}
    )
    feed = Feed.objects.get()
    assert response["Location"] == reverse("newsletter_feeds:inspect", args=[feed.pk])
    assert (feed.title, feed.auto_accept) == ("La Voce dei reparti", True)


def test_the_address_of_the_blog_is_enough(moderator: Client, feed_server: FeedServer) -> None:
    address = feed_server.serve("/notizie/rss.xml", RSS)
    link = '<link rel="alternate" type="application/rss+xml" href="/notizie/rss.xml">'
    blog = feed_server.serve(
        "/", f"<html><head>{link}</head><body>Un blog</body></html>",
        headers={"Content-Type": "text/html; charset=utf-8"},
    )  # fmt: skip
    page = moderator.post(ADD, {"url": blog}).content.decode()
    assert "La Voce dei reparti" in page
    moderator.post(ADD, {"url": address, "checked": address, "rights": "excerpt"})
    assert Feed.objects.get().url == address


def test_a_site_with_several_feeds_lets_the_editor_choose(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed_server.serve("/feed/", RSS)
    other = RSS.replace("La Voce dei reparti", "Contratti").replace("/mensa/", "/ccnl/")
    category = feed_server.serve("/contratti/feed/", other)
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="{path}" title="{title}">'
        for path, title in [
            ("/feed/", "Tutto"),
            ("/comments/feed/", "Commenti"),
            ("/contratti/feed/", "Contratti"),
        ]
    )
    blog = feed_server.serve(
        "/", f"<html><head>{links}</head></html>", headers={"Content-Type": "text/html"}
    )
    page = moderator.post(ADD, {"url": blog}).content.decode()
    assert "This site offers several feeds" in page
    assert "/comments/feed/" not in page
    page = moderator.post(ADD, {"url": category}).content.decode()
    assert f'name="checked" value="{category}"' in page
    moderator.post(ADD, {"url": category, "checked": category, "rights": "excerpt"})
    assert Feed.objects.get().url == category
    # The other one of the site is all that is left to add.
    assert "several feeds" not in moderator.post(ADD, {"url": blog}).content.decode()


def test_the_preview_shows_the_posts_as_they_would_be_here(
    moderator: Client, feed_server: FeedServer
) -> None:
    make_theme("Mensa", keywords=["mensa"])
    known = feed_server.serve("/altro/", RSS)
    poll(make_feed(known).pk, now=NOW)
    address = feed_server.serve("/feed/", RSS)
    page = moderator.post(ADD, {"url": address}).content.decode()
    for said in ("13 July 2026", "La mensa riapre lunedì.", "IT", "excerpts only", "already here"):
        assert said in page
    assert "Likely themes:" in page
    assert "1 post is in your archive already" in page


def test_another_address_than_the_one_shown_is_shown_first(
    moderator: Client, feed_server: FeedServer
) -> None:
    address = feed_server.serve("/feed/", RSS)
    moderator.post(ADD, {"url": address, "checked": "https://other.example/", "rights": "excerpt"})
    assert not Feed.objects.exists()


@pytest.mark.parametrize(
    "answer", [{"body": "<html><p>no feed</p></html>"}, {"status": 404}, {"status": 500}]
)
def test_an_address_that_brings_no_feed_is_refused_with_the_reason(
    answer: dict[str, object], moderator: Client, feed_server: FeedServer
) -> None:
    address = feed_server.serve("/feed/", **answer)  # type: ignore[arg-type]
    page = moderator.post(ADD, {"url": address}).content.decode()
    assert "error-message" in page
    assert not Feed.objects.exists()


def test_a_private_address_is_refused(moderator: Client) -> None:
    page = moderator.post(ADD, {"url": "http://10.0.0.1/feed/"}).content.decode()
    assert "error-message" in page
    assert not Feed.objects.exists()


def poll_now(client: Client, feed: Feed) -> tuple[str, str]:
    """The page at once, and the same address when a worker has heard the bell."""
    answer = client.post(reverse("newsletter_feeds:poll", args=[feed.pk]))
    at_once = client.get(answer["Location"]).content.decode()
    tasks.poll_feed(feed.pk)
    return at_once, client.get(answer["Location"]).content.decode()


def test_poll_now_does_not_wait_and_tells_what_came(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed = make_feed(feed_server.serve("/feed/", RSS), title="")
    feed.fetches.create(at=NOW, outcome="failed", error="Of long ago.")
    at_once, then = poll_now(moderator, feed)
    assert "It is being polled in the background" in at_once
    assert "data-desk-live=" in at_once
    assert "“La Voce dei reparti” is polled: 1 new article." in then
    assert "data-desk-live=" not in then
    assert "Mensa, riapre lunedì" in then
    assert "New articles" in then
    assert Article.objects.get().state == Article.State.NEW
    assert "“La Voce dei reparti” is polled: nothing new." in poll_now(moderator, feed)[1]


def test_a_feed_that_fails_says_why_in_words(moderator: Client, feed_server: FeedServer) -> None:
    feed = make_feed(f"{feed_server.url}/gone/")
    _at_once, page = poll_now(moderator, feed)
    feed.refresh_from_db()
    assert feed.error
    assert f"{feed}: {feed.error}" in html.unescape(page)
    assert "The last fetch failed" in page


def test_polling_a_paused_feed_once_leaves_it_paused(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed = make_feed(feed_server.serve("/feed/", RSS), state=Feed.State.PAUSED)
    poll_now(moderator, feed)
    feed.refresh_from_db()
    assert feed.state == Feed.State.PAUSED
    assert Article.objects.exists()


def test_a_bell_that_rings_twice_polls_once(moderator: Client, feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/", RSS))
    poll_now(moderator, feed)
    tasks.poll_feed(feed.pk)
    assert feed.fetches.count() == 1


def test_a_bell_that_rings_twice_for_a_paused_feed_polls_once(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed = make_feed(feed_server.serve("/feed/", RSS), state=Feed.State.PAUSED)
    poll_now(moderator, feed)
    tasks.poll_feed(feed.pk)
    assert feed.fetches.count() == 1


def test_a_poll_that_nobody_makes_is_not_waited_for_for_ever(moderator: Client) -> None:
    feed = make_feed(state=Feed.State.PAUSED)
    inspect = moderator.post(reverse("newsletter_feeds:poll", args=[feed.pk]))["Location"]
    Feed.objects.update(poll_wanted_at=timezone.now() - WANTED)
    page = moderator.get(inspect).content.decode()
    assert "Nothing came within 10 minutes" in page
    assert "data-desk-live=" not in page
    assert "Poll now" in page


def test_whoever_comes_back_to_the_page_sees_that_a_poll_is_under_way(moderator: Client) -> None:
    feed = make_feed()
    moderator.post(reverse("newsletter_feeds:poll", args=[feed.pk]))
    page = moderator.get(reverse("newsletter_feeds:inspect", args=[feed.pk])).content.decode()
    assert "It is being polled in the background" in page


def test_a_poll_that_dies_of_our_own_fault_says_so_on_the_page(
    moderator: Client, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("newsletter.articles.ingest.store", broken)
    feed = make_feed(feed_server.serve("/feed/", RSS))
    inspect = moderator.post(reverse("newsletter_feeds:poll", args=[feed.pk]))["Location"]
    with pytest.raises(ZeroDivisionError):
        tasks.poll_feed(feed.pk)
    page = moderator.get(inspect).content.decode()
    assert "Our own software could not read it" in page
    assert "data-desk-live=" not in page


def test_poll_now_in_the_list_stays_there_and_links_what_comes(moderator: Client) -> None:
    feed, here = make_feed(), reverse("newsletter_feeds:index") + "?health=working"
    answer = moderator.post(reverse("newsletter_feeds:poll", args=[feed.pk]), {"next": here})
    assert answer["Location"] == here
    page = moderator.get(here).content.decode()
    assert "is being polled in the background" in page
    assert f"{reverse('newsletter_feeds:inspect', args=[feed.pk])}?since=0" in page


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 40])
def test_a_feeds_page_that_nobody_waits_at_tells_of_no_poll(moderator: Client, since: str) -> None:
    url = reverse("newsletter_feeds:inspect", args=[make_feed().pk])
    page = moderator.get(url, {"since": since}).content.decode()
    assert "in the background: what comes" not in page
    assert "data-desk-live=" not in page


def test_a_resumed_feed_is_not_called_working_before_a_fetch_succeeds(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed = make_feed(
        feed_server.serve("/feed/", RSS), state=Feed.State.FAILING, failures=20, error="It is shut."
    )
    page = moderator.post(
        reverse("newsletter_feeds:resume", args=[feed.pk]), follow=True
    ).content.decode()
    assert "Failed just now" in page
    _at_once, page = poll_now(moderator, feed)
    assert "Working" in page
    assert "It is shut." not in page


def test_pause_and_resume(moderator: Client) -> None:
    feed = make_feed()
    moderator.post(reverse("newsletter_feeds:pause", args=[feed.pk]))
    feed.refresh_from_db()
    assert feed.state == Feed.State.PAUSED
    moderator.post(reverse("newsletter_feeds:resume", args=[feed.pk]))
    feed.refresh_from_db()
    assert feed.state == Feed.State.ACTIVE
    assert feed.next_poll_at


def test_a_changed_address_is_fetched_too(moderator: Client, feed_server: FeedServer) -> None:
    feed = make_feed()
    data = {"title": "x", "site_url": "", "language": "it", "rights": "excerpt", "page_text": "off"}
    edit = reverse("newsletter_feeds:edit", args=[feed.pk])
    moderator.post(edit, data | {"url": f"{feed_server.url}/nothing/"})
    feed.refresh_from_db()
    assert feed.title == "Blog di prova"
    moderator.post(edit, data | {"url": feed_server.serve("/feed/", RSS)})
    feed.refresh_from_db()
    assert feed.url.endswith("/feed/")
    assert feed.title == "x"


def test_older_posts_are_fetched_in_the_background_and_the_page_tells_how_far(
    moderator: Client, feed_server: FeedServer
) -> None:
    feed = make_feed(feed_server.serve("/feed/", RSS))
    older = RSS.replace("mensa", "tesseramento").replace("Mensa", "Tesseramento")
    feed_server.serve("/feed/?paged=2", older)
    feed_server.serve("/feed/?paged=3", status=404)
    page = moderator.post(
        reverse("newsletter_feeds:older", args=[feed.pk]), follow=True
    ).content.decode()
    assert "Under way" in page
    assert "data-desk-live=" in page
    assert not Article.objects.exists()
    step_due(now=timezone.now(), seconds=10, pause=lambda: None)
    inspect = reverse("newsletter_feeds:inspect", args=[feed.pk])
    page = " ".join(moderator.get(inspect).content.decode().split())
    assert "2 pages read, 2 new articles" in page
    assert "2 pages read" in moderator.get(inspect, {"live": "1"}).content.decode()
    assert Article.objects.count() == 2


def test_the_fetching_of_older_posts_can_be_stopped(moderator: Client) -> None:
    feed = make_feed()
    moderator.post(reverse("newsletter_feeds:older", args=[feed.pk]))
    page = moderator.post(
        reverse("newsletter_feeds:stop-older", args=[feed.pk]), follow=True
    ).content.decode()
    assert "Go on" in page
    assert Backfill.objects.get().state == Backfill.State.STOPPED


def test_who_may_not_change_feeds_fetches_nothing(editor: Client) -> None:
    feed = make_feed()
    editor.post(reverse("newsletter_feeds:older", args=[feed.pk]))
    assert not Backfill.objects.exists()


def test_a_feed_that_gives_excerpts_only_is_offered_the_whole_texts(moderator: Client) -> None:
    feed = make_feed(gives_excerpts=True)
    inspect = reverse("newsletter_feeds:inspect", args=[feed.pk])
    assert "seems to give excerpts only" in moderator.get(inspect).content.decode()
    moderator.post(reverse("newsletter_feeds:page-text", args=[feed.pk]), {"page_text": "excerpts"})
    feed.refresh_from_db()
    assert feed.page_text == Feed.PageText.EXCERPTS
    assert "seems to give excerpts only" not in moderator.get(inspect).content.decode()


def test_a_page_that_was_given_up_is_named_with_its_reason(moderator: Client) -> None:
    feed = make_feed(page_text=Feed.PageText.EXCERPTS)
    PageText.objects.create(
        article=make_article("Senza testo", feed=feed),
        state=PageText.State.FAILED,
        next_at=timezone.now(),
        error="There is nothing there (404).",
    )
    page = moderator.get(reverse("newsletter_feeds:inspect", args=[feed.pk])).content.decode()
    assert "Senza testo" in page
    assert "There is nothing there (404)." in page


def test_the_page_tells_how_it_stands_with_the_hub(moderator: Client) -> None:
    feed = make_feed()
    HubSubscription.objects.create(
        feed=feed, state="asked", error="The hub answers 500.", next_at=timezone.now()
    )
    page = moderator.get(reverse("newsletter_feeds:inspect", args=[feed.pk])).content.decode()
    assert "Asked, not confirmed yet" in page
    assert "The hub answers 500." in page
