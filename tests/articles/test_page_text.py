"""Where a feed gives an excerpt only, the text comes from the post's own page."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from newsletter.articles import extraction
from newsletter.articles.backfill import backfill
from newsletter.articles.extraction import PageUnreadable, main_text
from newsletter.articles.models import Article, ArticleVersion, PageText
from newsletter.articles.page_text import fetch_due
from newsletter.feeds.models import Feed
from newsletter.themes.models import ThemeAssignment
from newsletter.themes.tagging import tag_pending
from tests.articles.conftest import LONG, Poll, post
from tests.builders import NOW, make_theme
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
CUT = "Il testo dell’assemblea racconta che cosa è stato deciso […]"
REST = "La seconda parte parla della previdenza complementare e delle pensioni dei turnisti. " * 3
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(text: str = f"<p>{LONG}</p><p>{REST}</p>") -> str:
    return (
        "<!doctype html><html><head><title>Notizia – Blog</title><style>p{}</style></head><body>"
        "<nav><a href='/'>Home</a> <a href='/chi-siamo/'>Chi siamo</a></nav>"
        f"<article><h1>Notizia</h1><div class='entry-content'>{text}</div></article>"
        "<section id='comments'><p>Mario: bravi, era ora che qualcuno lo dicesse.</p></section>"
        "<footer>Informativa sui cookie</footer></body></html>"
    )


@pytest.fixture
def excerpts(polled: Poll, feed_server: FeedServer) -> Poll:
    """Polls a feed that cuts its posts; each post's page is at /1/, /2/, …"""

    def poll(*numbers: int, **more: object) -> object:
        cut = [
            post(n, link=f"{feed_server.url}/{n}/", text="", summary=str(more.get("cut", CUT)))
            for n in numbers
        ]
        now = more.get("now", NOW)
        setting = more.get("page_text", Feed.PageText.EXCERPTS)
        return polled(*cut, now=now, page_text=setting)

    return poll


def fetch_pages(now=NOW) -> None:
    fetch_due(now=now, seconds=60, pause=lambda: None)


def text_page(server: FeedServer, number: int, text: str = "", **more: object) -> None:
    body = page(text) if text else page()
    server.serve(f"/{number}/", body, headers=HTML, **more)  # type: ignore[arg-type]


def test_the_text_of_the_page_takes_the_excerpts_place(
    excerpts: Poll, feed_server: FeedServer
) -> None:
    text_page(feed_server, 1)
    excerpts(1)
    assert Article.objects.get().body_text.endswith("…")
    fetch_pages()
    article = Article.objects.get()
    assert article.body_text == f"{LONG.strip()}\n{REST.strip()}"
    assert article.excerpt.startswith("Il testo dell’assemblea")
    assert "…" not in article.excerpt
    assert article.body_html.count("<p>") == 2
    assert not ArticleVersion.objects.exists()


def test_the_text_is_cleaned_like_any_other(excerpts: Poll, feed_server: FeedServer) -> None:
    """Source line, footer and what could do harm."""
    url = f"{feed_server.url}/1/"
    text_page(
        feed_server,
        1,
        "<p>(Fonte) <a href='https://altrove.example/pezzo/'>Zelin Wang</a> – 13 agosto 2025</p>"
        f"<p onclick='x()'>{LONG}</p><script>alert(1)</script><p>{REST}</p>"
        f"<p>L’articolo <a href='{url}'>Notizia 1</a> proviene da "
        "<a href='https://blog.example/'>Blog dei reparti</a>.</p>",
    )
    excerpts(1)
    fetch_pages()
    article = Article.objects.get()
    assert (article.original_author, article.original_url) == (
        "Zelin Wang", "https://altrove.example/pezzo/",
    )  # fmt: skip
    assert article.attribution_title == "Blog dei reparti"
    for unwanted in ("Fonte", "proviene da", "onclick", "script", "Mario", "cookie", "Home"):
        assert unwanted not in article.body_html


def test_themes_are_looked_for_in_the_whole_text(excerpts: Poll, feed_server: FeedServer) -> None:
    make_theme("Pensioni", keywords=["previdenza complementare", "pensioni"])
    text_page(feed_server, 1)
    excerpts(1)
    tag_pending(now=NOW)
    assert not ThemeAssignment.objects.exists()
    fetch_pages(NOW + timedelta(minutes=1))
    tag_pending(now=NOW + timedelta(minutes=2))
    assert [one.theme.name for one in ThemeAssignment.objects.all()] == ["Pensioni"]


@pytest.mark.parametrize(
    ("setting", "text"),
    [(Feed.PageText.OFF, ""), (Feed.PageText.EXCERPTS, LONG)],
    ids=["switched off", "the feed gives the text"],
)
def test_no_page_is_fetched(polled: Poll, feed_server: FeedServer, setting: str, text: str) -> None:
    link = f"{feed_server.url}/1/"
    polled(post(1, link=link, text=text, summary=CUT), page_text=setting)
    fetch_pages()
    assert [request.path for request in feed_server.requests] == ["/feed/"]


def test_only_new_posts_and_no_more_than_the_setting_says(
    excerpts: Poll, feed_server: FeedServer, settings
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"PAGE_TEXTS_PER_POLL": 2}
    excerpts(1, page_text=Feed.PageText.OFF)
    Feed.objects.update(page_text=Feed.PageText.EXCERPTS)
    excerpts(5, 4, 3, 2, 1, now=NOW + timedelta(hours=1))
    waiting = PageText.objects.values_list("article__title", flat=True)
    assert set(waiting) == {"Notizia 5", "Notizia 4"}


def test_older_posts_are_left_as_they_come(excerpts: Poll, feed_server: FeedServer) -> None:
    excerpts(9)
    PageText.objects.all().delete()
    backfill(Feed.objects.get(), clock=lambda: NOW)
    assert not PageText.objects.exists()


def test_the_same_excerpt_does_not_undo_the_text(excerpts: Poll, feed_server: FeedServer) -> None:
    text_page(feed_server, 1)
    excerpts(1)
    fetch_pages()
    excerpts(2, 1, now=NOW + timedelta(hours=1))
    article = Article.objects.get(title="Notizia 1")
    assert article.body_text.startswith(LONG.strip())
    assert not ArticleVersion.objects.exists()


def test_a_post_that_its_publisher_changed_is_fetched_again(
    excerpts: Poll, feed_server: FeedServer
) -> None:
    text_page(feed_server, 1)
    excerpts(1)
    fetch_pages()
    later = NOW + timedelta(hours=1)
    text_page(feed_server, 1, f"<p>Rettifica. {LONG}</p><p>{LONG}</p>")
    excerpts(1, cut="Rettifica. " + CUT, now=later)
    assert Article.objects.get().body_text.startswith(LONG.strip())
    fetch_pages(later)
    assert Article.objects.get().body_text.startswith("Rettifica.")
    assert "previdenza" in ArticleVersion.objects.get().body_html


def test_feed_that_begins_to_give_the_text_is_taken_at_its_word(
    excerpts: Poll, polled: Poll, feed_server: FeedServer
) -> None:
    text_page(feed_server, 1)
    excerpts(1)
    fetch_pages()
    polled(post(1, link=f"{feed_server.url}/1/", text=LONG), now=NOW + timedelta(hours=1))
    assert Article.objects.get().body_text == LONG.strip()
    assert not PageText.objects.exists()


@pytest.mark.parametrize(
    ("body", "more", "reason"),
    [
        ("", {"status": 404}, "404"),
        ("", {"status": 403}, "403"),
        ("%PDF-1.7", {"headers": {"Content-Type": "application/pdf"}}, "is no web page"),
        (page("<p>Accetta i cookie per continuare a navigare su questo sito web.</p>"),
         {"headers": HTML}, "does not hold the text"),
        ("", {"headers": HTML}, "does not hold the text"),
        ("<p>" + "x" * 3_100_000, {"headers": HTML}, "too large"),
        ("", {"status": 302, "headers": {"Location": "http://10.0.0.1/"}}, "private address"),
    ],
    ids=["missing", "refused", "no page", "cookies", "empty", "large", "private"],
)  # fmt: skip
def test_the_excerpt_stays_and_the_reason_is_kept(
    excerpts: Poll, feed_server: FeedServer, body: str, more: dict[str, object], reason: str
) -> None:
    feed_server.serve("/1/", body, **more)  # type: ignore[arg-type]
    excerpts(1)
    fetch_pages()
    given_up = PageText.objects.get()
    assert given_up.state == PageText.State.FAILED
    assert reason in given_up.error
    assert Article.objects.get().body_text.startswith("Il testo dell’assemblea")
    fetch_pages(NOW + timedelta(days=1))
    assert sum(request.path == "/1/" for request in feed_server.requests) == 1


def test_a_passing_trouble_is_tried_again_and_given_up_in_the_end(
    excerpts: Poll, feed_server: FeedServer
) -> None:
    feed_server.serve("/1/", status=503)
    excerpts(1)
    for hours in range(0, 100, 10):
        fetch_pages(NOW + timedelta(hours=hours))
    given_up = PageText.objects.get()
    assert (given_up.state, given_up.tries) == (PageText.State.FAILED, 4)
    assert "503" in given_up.error


def test_trouble_that_passes_costs_nothing(excerpts: Poll, feed_server: FeedServer) -> None:
    feed_server.serve("/1/", status=503)
    excerpts(1)
    fetch_pages()
    text_page(feed_server, 1)
    fetch_pages(NOW + timedelta(minutes=9))
    assert PageText.objects.get().state == PageText.State.WAITING
    fetch_pages(NOW + timedelta(minutes=11))
    assert Article.objects.get().body_text.startswith(LONG.strip())


def test_server_that_does_not_answer_is_not_asked_for_its_next_page(
    excerpts: Poll, polled: Poll, feed_server: FeedServer
) -> None:
    dead = [post(n, link=f"http://127.0.0.1:9/{n}/", text="", summary=CUT) for n in (1, 2)]
    polled(*dead, page_text=Feed.PageText.EXCERPTS)
    fetch_pages()
    assert sorted(PageText.objects.values_list("tries", flat=True)) == [0, 1]
    assert not PageText.objects.filter(next_at__lte=NOW).exists()


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 100_000 + "testo",
        "<" * 900_000,
        "<a " + "x=1 " * 200_000 + ">testo</a>",
        "<!--" * 200_000,
        "<table><tr><td>" * 30_000,
        "<b><i><u>" * 30_000 + "testo",
        "<p>" + "&amp;" * 200_000,
        "<script>" * 50_000,
        "<p>" + "a" * 1_400_000,
        "\x00" * 100_000 + "<p>testo",
    ],
    ids=["deep", "brackets", "attributes", "comments", "tables", "inline", "entities", "scripts",
         "word", "nulls"],
)  # fmt: skip
def test_hostile_page_costs_its_reader_at_most(hostile: str) -> None:
    with suppress(PageUnreadable):
        assert isinstance(main_text(f"<html><body>{hostile}</body></html>"), str)


def test_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "SECONDS", 0.01)
    with pytest.raises(PageUnreadable):
        main_text(page())


def test_feed_that_gives_only_excerpts_is_known_by_its_entries(
    excerpts: Poll, polled: Poll
) -> None:
    excerpts(3, 2, 1)
    assert Feed.objects.get().gives_excerpts
    polled(post(4), post(5), post(6), now=NOW + timedelta(hours=1))
    assert not Feed.objects.get().gives_excerpts
