from __future__ import annotations

import time

import pytest

from newsletter.exceptions import FeedError, FeedInvalid, FeedUnreachable
from newsletter.feeds.discovery import announced, discover, discover_all
from tests.articles.conftest import post, rss
from tests.servers import Answer, FeedServer, Request

PAGE = {"Content-Type": "text/html; charset=UTF-8"}


def page(*links: str) -> str:
    return f"<!doctype html><html><head>{''.join(links)}</head><body>Il blog</body></html>"


def link(href: str, title: str = "", kind: str = "application/rss+xml") -> str:
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


def test_feed_itself_is_taken_as_it_is(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", rss(post(1)))
    assert discover(url).url == url
    assert len(feed_server.requests) == 1


def test_feed_that_the_page_announces_is_found(feed_server: FeedServer) -> None:
    feed_server.serve("/commenti.xml", rss(post(2)))
    url = feed_server.serve("/nostro.xml", rss(post(1)))
    links = page(link("/commenti.xml", "Il blog » Feed dei commenti"), link("/nostro.xml"))
    home = feed_server.serve("/", links, headers=PAGE)
    found = discover(home)
    assert (found.url, found.parsed.entries[0].title) == (url, "Notizia 1")


def test_feed_at_a_usual_place_is_found(feed_server: FeedServer) -> None:
    url = feed_server.serve("/atom.xml", rss(post(1)))
    assert discover(feed_server.serve("/chi-siamo/", page(), headers=PAGE)).url == url


def test_comment_feed_is_refused_even_when_it_is_the_only_one(feed_server: FeedServer) -> None:
    comments = rss(post(1, link="https://blog.example/1/#comment-{n}"))
    feed_server.serve("/comments/feed/", comments)
    home = feed_server.serve("/", page(link("/comments/feed/")), headers=PAGE)
    with pytest.raises(FeedInvalid, match="web page"):
        discover(home)


def test_site_that_does_not_answer_says_so(feed_server: FeedServer) -> None:
    with pytest.raises(FeedUnreachable, match="404"):
        discover(feed_server.url + "/nulla/")


def test_rest_interface_and_script_links_are_no_feeds() -> None:
    links = page(
        link("https://blog.example/wp-json/wp/v2/pages/2", "JSON", "application/json"),
        link("feed/", "Blog"),
        '<link rel="stylesheet" type="text/css" href="s.css">',
    )
    assert announced(links, "https://blog.example/") == ["https://blog.example/feed/"]


def test_every_feed_that_a_site_offers_is_named_the_main_one_first(feed_server: FeedServer) -> None:
    main = feed_server.serve("/feed/", rss(post(1), post(2)))
    category = feed_server.serve("/category/contratti/feed/", rss(post(2)))
    links = page(
        link("/feed/", "Blog » Feed"),
        link("/comments/feed/", "Blog » Feed dei commenti"),
        link("/category/contratti/feed/", "Blog » Contratti"),
    )
    home = feed_server.serve("/", links, headers=PAGE)
    assert [found.url for found in discover_all(home)] == [main, category]
    assert "/comments/feed/" not in [request.path for request in feed_server.requests]


@pytest.mark.parametrize(
    ("href", "title"),
    [
        ("/a.xml", "Commenti su: Il contratto"),
        ("/a.xml", "Blog » Comments Feed"),
        ("/a.xml", "Kommentare"),
        ("/?feed=comments-rss2", ""),
        ("/feeds/comments/default", ""),
    ],
)
def test_a_feed_of_comments_is_never_offered(href: str, title: str) -> None:
    assert announced(page(link(href, title)), "https://blog.example/") == []


def test_a_section_of_opinions_is_no_feed_of_comments() -> None:
    links = page(link("/il-commento/feed/", "Blog » Il commento"))
    assert announced(links, "https://blog.example/") == ["https://blog.example/il-commento/feed/"]


def test_the_same_posts_in_a_second_format_are_not_a_second_offer(feed_server: FeedServer) -> None:
    main = feed_server.serve("/rss.xml", rss(post(1), post(2)))
    feed_server.serve("/atom.xml", rss(post(1), post(2)))
    links = page(link("/rss.xml"), link("/atom.xml", kind="application/atom+xml"))
    home = feed_server.serve("/", links, headers=PAGE)
    assert [found.url for found in discover_all(home)] == [main]


def test_a_feed_offers_itself_and_a_site_without_links_its_usual_place(
    feed_server: FeedServer,
) -> None:
    url = feed_server.serve("/feed/", rss(post(1)))
    assert [found.url for found in discover_all(url)] == [url]
    home = feed_server.serve("/", page(), headers=PAGE)
    assert [found.url for found in discover_all(home)] == [url]


def test_a_slow_site_is_looked_at_for_so_long_at_most(feed_server: FeedServer) -> None:
    def slowly(request: Request) -> Answer:
        time.sleep(2)
        return Answer(body=b"<p>no feed</p>")

    feed_server.respond("/", slowly)
    began = time.monotonic()
    with pytest.raises(FeedError):
        discover_all(f"{feed_server.url}/", seconds=0.3)
    assert time.monotonic() - began < 1.5
