from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from newsletter.articles.backfill import backfill, begin, step, step_due, stop
from newsletter.articles.ingest import poll
from newsletter.articles.models import Article, ArticleVersion
from newsletter.digests.compile import candidates_for
from newsletter.feeds.models import Backfill
from newsletter.feeds.polling import claim
from tests.articles.conftest import LONG, post, rss
from tests.builders import NOW, make_digest, make_feed, make_newsletter
from tests.servers import Answer, FeedServer, Request

pytestmark = pytest.mark.django_db


def test_all_pages_of_a_wordpress_feed_are_read(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", rss(post(5), post(4)))
    feed_server.serve("/feed/?paged=2", rss(post(4), post(3), post(2)))
    feed_server.serve("/feed/?paged=3", rss(post(1)))
    feed_server.serve("/feed/?paged=4", "gone", status=404)
    done = backfill(make_feed(url), clock=lambda: NOW)
    assert (done.pages, done.new, done.error) == (3, 5, "")
    assert Article.objects.count() == 5
    # What no feed listed any more is no news for the next digest.
    assert Article.objects.filter(arrived_at=NOW).count() == 2


def test_server_that_ignores_the_parameter_is_asked_twice(feed_server: FeedServer) -> None:
    feed = make_feed(feed_server.serve("/feed/?cat=7", rss(post(1))))
    feed_server.serve("/feed/", rss(post(1)))
    assert backfill(feed, clock=lambda: NOW).new == 1
    assert [request.path for request in feed_server.requests] == [
        "/feed/?cat=7",
        "/feed/?cat=7&paged=2",
    ]


def test_page_that_fails_is_told_and_the_earlier_ones_are_kept(feed_server: FeedServer) -> None:
    def answer(request: Request) -> Answer:
        return Answer(500) if "paged" in request.path else Answer(200, rss(post(1)).encode())

    done = backfill(make_feed(feed_server.respond("/feed/", answer)), clock=lambda: NOW)
    assert (done.pages, done.new) == (1, 1)
    assert "500" in done.error


def test_archives_are_followed_to_the_first_one(feed_server: FeedServer) -> None:
    """RFC 5005, 4: each archive document names the one before it."""

    def channel(previous: str) -> str:
        return f'<link xmlns="http://www.w3.org/2005/Atom" rel="prev-archive" href="{previous}"/>'

    url = feed_server.serve("/feed/", rss(post(9), channel=channel("/2026/06.xml")))
    feed_server.serve("/2026/06.xml", rss(post(6), post(5), channel=channel("/2026/05.xml")))
    feed_server.serve("/2026/05.xml", rss(post(4), post(3)))
    done = backfill(make_feed(url), clock=lambda: NOW)
    assert (done.pages, done.new, done.error) == (3, 5, "")


def test_pages_of_an_atom_feed_are_followed(feed_server: FeedServer) -> None:
    """RFC 5005, 3."""

    def atom(number: int, next_url: str) -> str:
        link = f'<link rel="next" href="{next_url}"/>' if next_url else ""
        return (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title>{link}<entry>'
            f"<id>tag:blog.example,2026:{number}</id><title>Notizia {number}</title>"
            f'<link href="https://blog.example/{number}/"/>'
            f"<updated>2026-06-{number:02}T08:00:00Z</updated><summary>Testo</summary>"
            "</entry></feed>"
        )

    url = feed_server.serve("/atom.xml", atom(9, "?page=2"))
    feed_server.serve("/atom.xml?page=2", atom(8, "?page=3"))
    feed_server.serve("/atom.xml?page=3", atom(7, ""))
    assert backfill(make_feed(url), clock=lambda: NOW).new == 3


def test_pages_that_go_round_in_a_circle_end(feed_server: FeedServer) -> None:
    link = '<link xmlns="http://www.w3.org/2005/Atom" rel="next" href="{}"/>'
    url = feed_server.serve("/feed/", rss(post(9), channel=link.format("/a.xml")))
    feed_server.serve("/a.xml", rss(post(8), channel=link.format("/b.xml")))
    feed_server.serve("/b.xml", rss(post(7), channel=link.format("/a.xml")))
    done = backfill(make_feed(url), clock=lambda: NOW)
    assert (done.new, len(feed_server.requests)) == (3, 3)


@pytest.mark.parametrize("by", ["link", "redirect"])
def test_nobody_is_sent_to_another_host(feed_server: FeedServer, by: str) -> None:
    elsewhere = f"http://localhost:{feed_server.port}/trap.xml"
    feed_server.serve("/trap.xml", rss(post(1, link="https://trap.example/{n}/")))
    feed_server.serve("/moved.xml", status=302, headers={"Location": elsewhere})
    target = elsewhere if by == "link" else "/moved.xml"
    link = f'<link xmlns="http://www.w3.org/2005/Atom" rel="prev-archive" href="{target}"/>'
    url = feed_server.serve("/feed/", rss(post(9), channel=link))
    backfill(make_feed(url), clock=lambda: NOW)
    assert [article.title for article in Article.objects.all()] == ["Notizia 9"]
    if by == "link":
        assert "/trap.xml" not in [request.path for request in feed_server.requests]


# --- WordPress's interface ------------------------------------------------------------------------


class WordPress:
    """A blog of `count` posts: its feed shows the latest two, its interface all of them."""

    def __init__(self, server: FeedServer, count: int, *, root: str = "/wp-json/wp/v2/posts"):
        self.server, self.count = server, count
        self.asked: list[str] = []
        self.refused: dict[str, Answer] = {}
        generator = "<generator>https://wordpress.org/?v=6.8.2</generator>"
        site = f"<link>{server.url}/</link>"
        latest = [post(n, link=self.link(n), guid=self.guid(n)) for n in (count, count - 1)]
        body = rss(*latest, channel=generator).replace("<link>https://blog.example/</link>", site)
        self.feed_url = server.serve("/feed/", body)
        server.respond(root, self.answer)

    def link(self, number: int) -> str:
        return f"{self.server.url}/2026/notizia-{number}/"

    def guid(self, number: int) -> str:
        return f"{self.server.url}/?p={number}"

    def answer(self, request: Request) -> Answer:
        query = dict(parse_qsl(urlsplit(request.path).query))
        self.asked.append(f"{query['page']} of {query['per_page']}")
        if refusal := self.refused.get(self.asked[-1]):
            return refusal
        size, page = int(query["per_page"]), int(query["page"])
        in_all = -(-self.count // size)
        if page > in_all:
            return Answer(400, b'{"code":"rest_post_invalid_page_number"}')
        numbers = range(self.count - (page - 1) * size, max(self.count - page * size, 0), -1)
        headers = {"Content-Type": "application/json", "X-WP-TotalPages": str(in_all)}
        return Answer(200, json.dumps([self.post(n) for n in numbers]).encode(), headers)

    def post(self, number: int) -> dict[str, object]:
        return {
            "id": number,
            "type": "post",
            "date_gmt": f"2026-0{1 + number % 6}-03T08:00:00",
            "link": self.link(number),
            "guid": {"rendered": self.guid(number)},
            "title": {"rendered": f"Salari &#8211; {number}"},
            "content": {"rendered": f"<p>{LONG}</p>", "protected": number == 1},
            "excerpt": {"rendered": "<p>Un riassunto [&hellip;]</p>"},
            "_embedded": {
                "author": [{"name": "Livia Conti"}],
                "wp:term": [[{"taxonomy": "category", "name": "Contratti"}], []],
                "wp:featuredmedia": [{"source_url": "/foto.jpg", "alt_text": "Un corteo"}],
            },
        }


def test_wordpress_gives_all_its_posts_a_hundred_at_once(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 230)
    done = backfill(make_feed(blog.feed_url), clock=lambda: NOW)
    assert blog.asked == ["1 of 100", "2 of 100", "3 of 100"]
    # The one behind a password is left out.
    assert (done.new, Article.objects.count(), done.error) == (229, 229, "")
    article = Article.objects.get(url=blog.link(100))
    assert (article.title, article.author, article.categories) == (
        "Salari – 100", "Livia Conti", ["Contratti"],
    )  # fmt: skip
    assert (article.image_url, article.image_alt) == (feed_server.url + "/foto.jpg", "Un corteo")
    assert article.published_at == article.arrived_at == datetime(2026, 5, 3, 8, tzinfo=UTC)
    assert Article.objects.filter(arrived_at=NOW).count() == 2


def test_interface_at_the_long_address_is_found(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 30, root="/")
    assert backfill(make_feed(blog.feed_url), clock=lambda: NOW).new == 29
    assert blog.asked == ["1 of 100"]
    assert "/?rest_route=/wp/v2/posts&per_page=100&page=1" in feed_server.requests[-1].path


def test_blog_that_closed_its_interface_is_read_by_numbered_pages(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 5)
    blog.refused["1 of 100"] = Answer(401, b"{}")
    feed_server.serve("/feed/?paged=2", rss(post(3), post(2)))
    feed_server.serve("/feed/?paged=3", status=404)
    done = backfill(make_feed(blog.feed_url), clock=lambda: NOW)
    assert (done.new, done.error) == (4, "")


def test_server_that_cannot_give_a_hundred_posts_is_asked_for_twenty(
    feed_server: FeedServer,
) -> None:
    blog = WordPress(feed_server, 230)
    blog.refused["2 of 100"] = Answer(504)
    assert backfill(make_feed(blog.feed_url), clock=lambda: NOW).new == 229
    assert blog.asked[:4] == ["1 of 100", "2 of 100", "6 of 20", "7 of 20"]


def test_category_feed_brings_the_posts_of_its_category_only(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 50)
    site = f"<link>{feed_server.url}/</link>"
    generator = "<generator>https://wordpress.org/?v=6.8.2</generator>"
    body = rss(post(50, link=blog.link(50)), channel=generator)
    url = feed_server.serve(
        "/category/salari/feed/", body.replace("<link>https://blog.example/</link>", site)
    )
    backfill(make_feed(url), clock=lambda: NOW)
    assert blog.asked == []
    assert Article.objects.count() == 1


def test_every_way_gives_each_post_once(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 40)
    feed = make_feed(blog.feed_url)
    poll(feed.pk, now=NOW)
    category = feed_server.serve(
        "/category/salari/feed/",
        rss(*(post(n, link=blog.link(n), guid=blog.guid(n)) for n in (40, 20))),
    )
    feed_server.serve(
        "/category/salari/feed/?paged=2",
        rss(*(post(n, link=blog.link(n) + "?utm_source=rss", guid="") for n in (12, 11))),
    )
    backfill(make_feed(category), clock=lambda: NOW)
    assert Article.objects.count() == 5
    backfill(feed, clock=lambda: NOW)
    backfill(feed, clock=lambda: NOW)
    assert Article.objects.count() == 39
    assert Article.objects.values("url").distinct().count() == 39
    assert not ArticleVersion.objects.exists()


def test_deleted_posts_stay_deleted_whichever_way_they_come(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 9)
    feed = make_feed(blog.feed_url)
    poll(feed.pk, now=NOW)
    backfill(feed, clock=lambda: NOW)
    Article.objects.filter(url__in=[blog.link(9), blog.link(4)]).delete()
    backfill(feed, clock=lambda: NOW)
    poll(feed.pk, now=NOW + timedelta(hours=1))
    assert Article.objects.count() == 6


def test_stopped_run_goes_on_where_it_stopped(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 450)
    feed = make_feed(blog.feed_url)
    backfill(feed, clock=lambda: NOW, most_pages=3)
    assert Backfill.objects.get().state == Backfill.State.STOPPED
    backfill(feed, clock=lambda: NOW)
    assert blog.asked == [f"{page} of 100" for page in range(1, 6)]
    assert Article.objects.count() == 449
    assert Backfill.objects.get().state == Backfill.State.DONE


def test_page_that_failed_is_tried_again_later_and_given_up_in_the_end(
    feed_server: FeedServer,
) -> None:
    blog = WordPress(feed_server, 150)
    blog.refused = {"2 of 100": Answer(503), "6 of 20": Answer(503, headers={"Retry-After": "90"})}
    begin(make_feed(blog.feed_url), now=NOW)
    now = NOW
    for _round in range(3):
        step_due(now=now, seconds=5, pause=lambda: None)
    run = Backfill.objects.get()
    assert (run.state, run.failures, run.articles_new) == ("running", 1, 100)
    assert run.next_at == NOW + timedelta(seconds=90)
    for _round in range(6):
        now += timedelta(hours=12)
        step_due(now=now, seconds=5, pause=lambda: None)
    run.refresh_from_db()
    assert (run.state, run.failures) == ("failed", 5)
    assert "503" in run.error
    blog.refused = {}
    backfill(run.feed, clock=lambda: now)
    assert Article.objects.count() == 149


def test_history_is_no_news_for_a_blog_of_ones_own_either(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 30)
    newsletter = make_newsletter()
    backfill(make_feed(blog.feed_url, auto_accept=True), clock=lambda: NOW)
    assert Article.objects.accepted().count() == 29
    make_digest(newsletter, slot=NOW - timedelta(days=1), window_end=NOW - timedelta(days=1))
    proposed = candidates_for(newsletter, now=NOW)
    assert len(proposed) == 2


def test_host_that_is_being_polled_is_asked_for_nothing_else(feed_server: FeedServer) -> None:
    blog = WordPress(feed_server, 30)
    feed = make_feed(blog.feed_url)
    claim(feed.pk, NOW)
    begin(feed, now=NOW)
    step_due(now=NOW, seconds=5, pause=lambda: None)
    assert feed_server.requests == []
    step_due(now=NOW + timedelta(minutes=10), seconds=5, pause=lambda: None)
    assert Article.objects.count() == 29


def test_run_that_somebody_stops_while_a_page_is_read_stays_stopped(
    feed_server: FeedServer,
) -> None:
    blog = WordPress(feed_server, 300)
    feed = make_feed(blog.feed_url)
    run = begin(feed, now=NOW)
    step(run, now=NOW)
    stop(feed, now=NOW)
    step(run, now=NOW)
    assert Backfill.objects.get().state == Backfill.State.STOPPED
    step_due(now=NOW, seconds=5, pause=lambda: None)
    assert blog.asked == ["1 of 100"]
