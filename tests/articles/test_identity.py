"""Any feeds of one blog, in any order, give each post once; different posts stay apart."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from newsletter.articles.ingest import ingest
from newsletter.articles.models import Article, Identity
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import parse
from tests.articles import blogs
from tests.articles.conftest import Poll, post
from tests.builders import NOW, make_feed

pytestmark = pytest.mark.django_db
COUNT = 7


def take(document: str, url: str) -> None:
    feed = Feed.objects.filter(url=url).first() or make_feed(url, site_url="", title="")
    ingest(feed, parse(document.encode(), url=url), now=NOW)


def forget_everything() -> None:
    Article.objects.all().delete()
    Identity.objects.all().delete()
    Feed.objects.all().delete()


@pytest.mark.parametrize("seed", range(12))
def test_any_feeds_of_a_blog_in_any_order_give_each_post_once(seed: int) -> None:
    rng = random.Random(seed)
    some = blogs.posts(COUNT)
    for _ in range(4):
        chosen = rng.sample(list(blogs.every_form(some)), rng.randint(2, 5))
        seen: set[int] = set()
        told = []
        for form in chosen:
            window = sorted(rng.sample(some, rng.randint(1, COUNT)), key=lambda p: -p.number)
            seen |= {p.number for p in window}
            told.append(f"{form} {[p.number for p in window]}")
            take(blogs.every_form(window)[form], f"https://blog.example/{form.replace(' ', '-')}/")
        assert Article.objects.count() == len(seen), told
        forget_everything()


@pytest.mark.parametrize("one", sorted(blogs.every_form([])))
def test_each_form_of_a_blog_tells_its_posts_apart_and_knows_them_again(one: str) -> None:
    some = blogs.posts(COUNT)
    take(blogs.every_form(some[3:])[one], "https://blog.example/feed/")
    take(blogs.every_form(some)[one], "https://blog.example/feed/")
    assert Article.objects.count() == COUNT
    take(blogs.every_form(some)["main"], "https://blog.example/main/")
    assert Article.objects.count() == COUNT


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
def test_feeds_stored_at_the_same_time_give_each_post_once() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("an in-memory database knows no waiting")
    some = blogs.posts(COUNT)
    documents = list(blogs.every_form(some).items())[:6]
    backwards = list(blogs.every_form(some[::-1]).items())[:6]
    start = threading.Barrier(12)

    def work(numbered: tuple[int, tuple[str, str]]) -> None:
        number, (_form, document) = numbered
        try:
            feed = make_feed(f"https://blog{number}.example/feed/", site_url="", title="")
            parsed = parse(document.encode(), url=feed.url)
            start.wait(30)
            ingest(feed, parsed, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, enumerate(documents + backwards)))
    assert Article.objects.count() == COUNT


# --- Different posts ------------------------------------------------------------------------------


def stored() -> list[str]:
    return sorted(Article.objects.values_list("title", flat=True))


def test_blogs_in_folders_of_one_host_may_share_guids() -> None:
    for folder in ("a", "b"):
        home = f"https://rete.example/{folder}/"
        some = blogs.posts(2)
        document = blogs.rss(
            some,
            link=lambda p, home=home: f"{home}{p.number}/",
            guid=lambda p: f"https://rete.example/?p={p.number}",
            home=home,
        )
        take(document, f"{home}feed/")
    assert Article.objects.count() == 4


def test_copies_of_one_site_share_guids_and_first_titles(polled: Poll) -> None:
    guid = "http://localhost/?p=1"
    for host in ("uno", "due"):
        polled(
            post(1, "Ciao mondo!", link=f"https://{host}.example/ciao/", guid=guid), at=f"/{host}/"
        )
    assert Article.objects.count() == 2


def test_counters_that_count_places_name_no_post(polled: Poll) -> None:
    polled(post(1, "Prima", link="https://blog.example/prima/", guid="1"))
    polled(
        post(2, "Seconda", link="https://blog.example/seconda/", guid="1"),
        post(1, "Prima", link="https://blog.example/prima/", guid="2"),
    )
    assert stored() == ["Prima", "Seconda"]


def test_guid_given_to_another_post_names_it_no_more(polled: Poll) -> None:
    guid = "menu-della-settimana-in-mensa"
    polled(post(28, "Menù 28", guid=guid, date="Mon, 06 Jul 2026 07:30:00 +0000"))
    polled(post(29, "Menù 29", guid=guid, date="Mon, 13 Jul 2026 07:30:00 +0000"))
    assert Article.objects.count() == 2


def test_guid_outlives_a_change_of_address_and_title(polled: Poll) -> None:
    guid = "https://blog.example/?p=1"
    polled(post(1, "Titolo sbagliato", guid=guid, link="https://blog.example/sbagliato/"))
    polled(post(1, "Titolo giusto", guid=guid, link="https://blog.example/giusto/"))
    assert stored() == ["Titolo giusto"]


def test_entries_of_a_log_of_changes_are_told_apart_by_fragment(polled: Poll) -> None:
    page = "https://blog.example/novita/#v{n}"
    polled(post(1, "Versione", link=page, guid=""))
    polled(post(2, "Versione", link=page, guid=""), post(1, "Versione", link=page, guid=""))
    assert Article.objects.count() == 2


def test_first_of_many_posts_on_one_page_is_known_again(polled: Poll) -> None:
    page = "https://blog.example/avvisi/"
    polled(post(1, "Uno", link=page, guid=""))
    polled(post(2, "Due", link=page, guid=""), post(1, "Uno", link=page, guid=""))
    assert stored() == ["Due", "Uno"]


@pytest.mark.parametrize("parameter", ["id", "p", "story", "article", "pid", "newsid", "codice"])
def test_parameters_that_choose_the_page_count(polled: Poll, parameter: str) -> None:
    link = f"https://blog.example/leggi.php?{parameter}={{n}}"
    polled(*(post(n, "Comunicato", link=link, guid="") for n in range(3)))
    assert Article.objects.count() == 3


@pytest.mark.parametrize("link", ["", "mailto:redazione@blog.example", "https://blog.example/",
                                  "https://blog.example"])  # fmt: skip
def test_posts_without_an_address_of_their_own_are_told_apart(polled: Poll, link: str) -> None:
    dates = [f"Mon, {day} Jul 2026 07:30:00 +0000" for day in ("06", "13")]
    both = [post(n, "Avviso", link=link, guid="", date=date) for n, date in enumerate(dates)]
    polled(*both, at="/feed/")
    polled(*both, at="/category/avvisi/feed/")
    polled(both[0], at="/feed/", now=NOW + timedelta(hours=1))
    assert Article.objects.count() == 2


def test_untitled_posts_that_link_to_one_page_are_told_apart(polled: Poll) -> None:
    page = "https://blog.example/brevi/"
    texts = ["Oggi si sciopera in tutta Italia.", "Domani assemblea in fabbrica."]
    untitled = [post(n, link=page, guid="", text=t).replace(f"<title>Notizia {n}</title>", "")
                for n, t in enumerate(texts)]  # fmt: skip
    polled(*untitled)
    assert Article.objects.count() == 2


# --- The same post --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("https://x.blogspot.com/2026/07/a.html", "tag:blogger.com,1999:blog-1.post-2"),
         ("http://x.blogspot.it/2026/07/a.html?m=1", "tag:blogger.com,1999:blog-1.post-2")),
        (("https://www.blog.example/a.html", "tag:blogger.com,1999:blog-1.post-2"),
         ("https://x.blogspot.com/2026/07/a.html", "tag:blogger.com,1999:blog-1.post-2")),
        (("https://medium.com/@anna/a-1f2e3d?source=rss-9f8e------2", "https://medium.com/p/1f2e3d"),
         ("https://rivista.example/a-1f2e3d?source=rss----7---4", "https://medium.com/p/1f2e3d")),
        (("https://sito.example/node/12", "12 at https://sito.example"),
         ("https://sito.example/notizie/a", "12 at http://www.sito.example/")),
        (("https://sito.example/a;jsessionid=A1", ""), ("https://sito.example/a", "")),
        (("https://sito.example/perch%C3%A9/", ""), ("https://sito.example/perche\u0301", "")),
        (("https://sito.example/a/?WT.mc_id=rss&b=2&a=1", ""),
         ("https://sito.example/a?a=1&b=2", "")),
        (("https://sito.example/a/#xtor=RSS-1", ""), ("https://sito.example/a/#comments", "")),
        (("https://sito.example/a/", "4711"),
         ("https://sito.example/a/", "https://sito.example/a/")),
    ],
    ids=["Blogger by country", "Blogger by host", "Medium", "Drupal", "session", "accents",
         "parameters", "fragments", "kind of guid"],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_same_post_in_other_clothes(
    polled: Poll, one: tuple[str, str], other: tuple[str, str], turned: bool
) -> None:
    for number, (link, guid) in enumerate((other, one) if turned else (one, other)):
        polled(post(1, link=link, guid=guid), at=f"/{number}/")
    assert Article.objects.count() == 1


def test_other_clothes_of_a_deleted_article_stay_away_too(polled: Poll) -> None:
    polled(post(1, link="https://blog.example/uno/", guid="https://blog.example/?p=1"), at="/1/")
    Article.objects.all().delete()
    polled(post(1, link="https://blog.example/altro/", guid="https://blog.example/?p=1"), at="/2/")
    polled(post(1, link="https://blog.example/altro/", guid=""), at="/3/")
    assert not Article.objects.exists()
