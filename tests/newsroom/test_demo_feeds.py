"""The demo's posts, and what a reader of its feeds gets over HTTP."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest

from demo.blogs import IMAGES_DIR, POSTS_DIR, read_post, read_posts
from demo.server import DemoServer

BASE = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
# feedparser must hand over the text as it came: cleaning it is the plugin's work.
AS_IT_CAME = {"sanitize_html": False, "resolve_relative_uris": False}
EDITED = "rinnovo-ccnl-ipotesi-di-accordo"


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer(BASE, clock=lambda: BASE + timedelta(minutes=1)) as server:
        yield server


def get(
    demo: DemoServer, target: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    address = urlsplit(demo.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request(method, target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def entries(demo: DemoServer, target: str) -> list[Any]:
    status, _, body = get(demo, target)
    assert status == 200
    parsed = feedparser.parse(body, **AS_IT_CAME)
    return list(parsed.entries)


def every_entry(demo: DemoServer) -> list[Any]:
    return [entry for blog in ("", "/rete", "/en") for entry in entries(demo, f"{blog}/feed/")]


def text_of(entry: Any) -> str:
    return str(entry.content[0].value)


# The posts


def test_at_least_forty_posts_in_italian_and_ten_in_english(demo: DemoServer) -> None:
    by_language = {"it": 0, "en": 0}
    for feed in demo.feeds:
        if "/category/" not in feed.url:
            by_language[feed.language[:2]] += len(entries(demo, urlsplit(feed.url).path))
    assert by_language["it"] >= 40
    assert by_language["en"] >= 10


def test_each_post_reads_like_a_post() -> None:
    for post in read_posts():
        for body in filter(None, (post.body, post.edited_body)):
            words = re.sub(r"<[^>]*>", " ", body).split()
            assert 120 <= len(words) <= 400, post.slug
            assert "'" not in re.sub(r"<[^>]*>", "", body), f"{post.slug} has a typewriter’s mark"


def test_numbers_are_unique_within_a_blog() -> None:
    guids = [post.guid for post in read_posts()]
    assert len(set(guids)) == len(guids)


def test_last_week_has_enough_for_a_digest_and_the_rest_goes_back_weeks() -> None:
    ages = [post.age for post in read_posts() if post.blog.language == "it-IT"]
    assert 12 <= sum(timedelta(0) < age <= timedelta(days=7) for age in ages) <= 20
    assert max(ages) > timedelta(days=40)


def test_every_address_is_an_invented_one() -> None:
    for path in POSTS_DIR.glob("*/*.html"):
        text = path.read_text(encoding="utf-8")
        hosts = re.findall(r"//([^/\s\"'<>?]+)", text) + re.findall(r"[\w.]+@([\w.-]+)", text)
        outside = {host for host in hosts if not host.endswith(".example")}
        assert outside == set(), path.name


def test_every_picture_is_there_small_and_described() -> None:
    used = set()
    for post in read_posts():
        for tag in re.findall(r"<img[^>]*>", post.body):
            if (found := re.search(r"/uploads/([\w.]+)", tag)) is not None:
                used.add(found[1])
                assert re.search(r'alt="[^"]{15,}"', tag), post.slug
    pictures = {path.name: path.stat().st_size for path in IMAGES_DIR.glob("*.png")}
    assert used == set(pictures)
    assert max(pictures.values()) <= 15 * 1024


def test_a_post_that_lacks_a_key_is_named(tmp_path: Path) -> None:
    blog = read_posts()[0].blog
    (tmp_path / "senza-titolo.html").write_text("id: 1\nage: 2d\n\nTesto.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"senza-titolo\.html: 'title'"):
        read_post(tmp_path / "senza-titolo.html", blog)


# The traits of real feeds

TRAITS = {
    "source in brackets": r"^<p><em>\(<a href=[^>]*>Fonte</a>\) Lin Zhao – \d+ \w+ \d{4}</em></p>",
    "source with entities": r"^<p><em>\(<a [^>]*>Fonte</a>\) Maeve O&#8217;Connell &#8211; ",
    "source after a colon": r"^<p>Fonte: <a ",
    "source as a newspaper": r"^<p><em>da Il Giornale del Lavoro del \d+ \w+ \d{4}, di ",
    "source as an excerpt": r"^<p><strong>Tratto da</strong> <a ",
    "Italian footer": r"<p>L’articolo <a [^>]*>[^<]+</a> proviene da <a [^>]*>[^<]+</a>\.</p>$",
    "Italian footer, first on": r"<p>L’articolo <a [^>]*>[^<]+</a> sembra essere il primo su <a ",
    "Italian footer with entities": r"<p>L&#8217;articolo <a .*sembra essere il primo su <a ",
    "English footer": r"<p>The post <a [^>]*>[^<]+</a> appeared first on <a [^>]*>[^<]+</a>\.</p>$",
    "English footer, first appeared": r"<p>The post <a [^>]*>[^<]+</a> first appeared on <a ",
    "tweet": r'<blockquote class="twitter-tweet"[\s\S]*<script async',
    "video": r'<iframe [^>]*src="https://www\.youtube\.example/embed/',
    "tracking pixel": r'<img [^>]*width="1" height="1"',
    "tracking parameters": r"[?;]utm_source=",
    "share buttons": r'<div class="sharedaddy',
    "emoji picture": r'class="wp-smiley"',
    "featured picture": r"wp-post-image",
    "table": r"<table>",
    "list": r"<li>",
    "quotation": r"<blockquote><p>",
    "unclosed and crossed tags": r"<b>prima</i>[\s\S]*</div></div></span>",
}


@pytest.mark.parametrize("trait", TRAITS)
def test_trait_is_in_some_post(demo: DemoServer, trait: str) -> None:
    assert any(re.search(TRAITS[trait], text_of(entry)) for entry in every_entry(demo))


def test_excerpts_are_cut_and_carry_the_footer(demo: DemoServer) -> None:
    summary = entries(demo, "/feed/")[0].summary
    assert re.search(r"\[&#8230;\]</p>\n<p>L’articolo <a ", summary)


def test_repost_on_open_models_looks_like_an_uncategorised_wordpress_repost(
    demo: DemoServer,
) -> None:
    (entry,) = (entry for entry in entries(demo, "/feed/") if "modelli aperti" in entry.title)
    assert [tag.term for tag in entry.tags] == ["Senza categoria"]
    assert "intelligenza artificiale" in text_of(entry)
    assert "open source" in text_of(entry)
    assert "25 febbraio 2026" in text_of(entry)  # five days before the base moment
    assert entry.id == "https://blog.meridiana.example/?p=4179"


def test_exactly_one_post_is_undated(demo: DemoServer) -> None:
    undated = [entry.title for entry in every_entry(demo) if "published" not in entry]
    assert undated == ["Sportello fiscale e tutele: orari, documenti e prenotazioni"]


def test_only_the_feed_with_a_control_character_is_malformed(demo: DemoServer) -> None:
    malformed = []
    for feed in demo.feeds:
        _, _, body = get(demo, urlsplit(feed.url).path)
        if feedparser.parse(body, **AS_IT_CAME).bozo:
            malformed.append(feed.name)
            assert not feedparser.parse(body.replace(b"\x0c", b""), **AS_IT_CAME).bozo
    assert malformed == ["Rete Lavoro Digitale"]


def test_category_feeds_repeat_posts_of_the_main_feed(demo: DemoServer) -> None:
    main = {entry.id: (entry.link, text_of(entry)) for entry in entries(demo, "/feed/")}
    seen = []
    for slug in ("contratti", "salute-e-sicurezza"):
        repeated = entries(demo, f"/category/{slug}/feed/")
        seen.append({entry.id for entry in repeated})
        assert len(repeated) >= 5
        for entry in repeated:
            assert main[entry.id] == (entry.link, text_of(entry))
    assert set.union(*seen) < set(main)


def test_near_duplicate_carries_the_whole_original() -> None:
    original, repost = (
        next(post for post in read_posts() if post.slug == slug)
        for slug in ("lavoro-agile-accordo-due-anni", "lavoro-agile-l-accordo-di-meridiana")
    )
    assert original.blog is not repost.blog
    without_picture = original.body.partition("</figure>")[2].strip()
    assert without_picture in repost.body
    assert len(repost.body) > len(without_picture)


# Over HTTP


def test_feeds_say_their_language_and_whose_they_are(demo: DemoServer) -> None:
    assert [(urlsplit(feed.url).path, feed.language, feed.own) for feed in demo.feeds] == [
        ("/feed/", "it-IT", True),
        ("/category/contratti/feed/", "it-IT", True),
        ("/category/salute-e-sicurezza/feed/", "it-IT", True),
        ("/rete/feed/", "it-IT", False),
        ("/en/feed/", "en-GB", True),
    ]


def test_feed_says_what_wordpress_says(demo: DemoServer) -> None:
    status, headers, body = get(demo, "/feed/")
    parsed = feedparser.parse(body, **AS_IT_CAME)
    assert status == 200
    assert headers["Content-Type"] == "application/rss+xml; charset=UTF-8"
    assert parsed.feed.language == "it-IT"
    assert parsed.feed.title == "Lavoratrici e Lavoratori di Meridiana Servizi"
    assert parsed.feed.sy_updateperiod.strip() == "hourly"
    first = parsed.entries[0]
    assert first.author == "Marta Bellini"
    assert first.published == "Mon, 02 Mar 2026 05:00:00 +0000"
    assert first.wfw_commentrss == f"{first.link}feed/"
    assert first.slash_comments == "0"


def test_not_modified_only_when_both_validators_match(demo: DemoServer) -> None:
    _, headers, _ = get(demo, "/feed/")
    etag = {"If-None-Match": headers["ETag"]}
    since = {"If-Modified-Since": headers["Last-Modified"]}
    assert get(demo, "/feed/", etag | since)[0] == 304
    assert get(demo, "/feed/", etag | since)[2] == b""
    assert get(demo, "/feed/", etag)[0] == 200
    assert get(demo, "/feed/", since)[0] == 200
    assert get(demo, "/feed/", {"If-None-Match": 'W/"altered-by-a-proxy"'} | since)[0] == 200


def test_edit_changes_text_and_validators_but_not_identity(demo: DemoServer) -> None:
    before, (_, headers, _) = entries(demo, "/feed/"), get(demo, "/feed/")
    validators = {
        "If-None-Match": headers["ETag"],
        "If-Modified-Since": headers["Last-Modified"],
    }
    demo.edit()
    assert get(demo, "/feed/", validators)[0] == 200
    after = entries(demo, "/feed/")
    assert [entry.id for entry in after] == [entry.id for entry in before]
    changed = [new for old, new in zip(before, after, strict=True) if text_of(old) != text_of(new)]
    assert [EDITED in entry.link for entry in changed] == [True]
    assert "Aggiornamento:" in text_of(changed[0])


def test_edit_comes_by_itself_after_its_time() -> None:
    now = [BASE]
    with DemoServer(BASE, edit_after=timedelta(minutes=3), clock=lambda: now[0]) as demo:
        now[0] = BASE + timedelta(minutes=2)
        assert b"Aggiornamento:" not in get(demo, "/feed/")[2]
        now[0] = BASE + timedelta(minutes=3)
        assert b"Aggiornamento:" in get(demo, "/feed/")[2]


def test_a_post_with_a_later_date_appears_when_its_time_comes() -> None:
    now = [BASE]
    with DemoServer(BASE, clock=lambda: now[0]) as demo:
        assert b"?p=4182<" not in get(demo, "/feed/")[2]
        now[0] = BASE + timedelta(minutes=30)
        assert b"?p=4182<" in get(demo, "/feed/")[2]


def test_a_restart_with_the_same_base_serves_the_same_bytes() -> None:
    def served(base: datetime) -> bytes:
        with DemoServer(base, public_base="https://demo.example", clock=lambda: BASE) as demo:
            return get(demo, "/feed/")[2]

    assert served(BASE) == served(BASE)
    assert served(BASE) != served(BASE - timedelta(days=1))


def test_every_link_and_picture_of_every_feed_can_be_opened(demo: DemoServer) -> None:
    targets = set()
    for entry in every_entry(demo):
        targets.add(entry.link)
        targets.update(re.findall(rf'"({demo.url}/[^"?]*wp-content[^"]*)"', text_of(entry)))
    assert len(targets) > 60
    for target in targets:
        assert target.startswith(demo.url)
        status, headers, body = get(demo, target.removeprefix(demo.url))
        assert (status, bool(body)) == (200, True), target
        assert headers["Content-Type"] in {"text/html; charset=UTF-8", "image/png"}


def test_one_post_has_tracking_in_its_own_link(demo: DemoServer) -> None:
    tracked = [entry.link for entry in every_entry(demo) if "utm_" in entry.link]
    assert len(tracked) == 1
    assert "utm_source=rss&utm_medium=rss&utm_campaign=" in tracked[0]


def test_a_blogs_own_page_leads_to_its_feed(demo: DemoServer) -> None:
    _, _, page = get(demo, "/rete/")
    link = re.search(rb'<link rel="alternate" type="application/rss\+xml"[^>]*href="([^"]+)"', page)
    assert link is not None
    assert link[1].decode() == f"{demo.url}/rete/feed/"


def test_links_can_be_given_another_address() -> None:
    addresses = {"meridiana": "https://blog.meridiana.example"}
    with DemoServer(BASE, public_base=addresses, clock=lambda: BASE) as demo:
        main, rete = entries(demo, "/feed/")[0], entries(demo, "/rete/feed/")[0]
        assert main.link.startswith("https://blog.meridiana.example/2026/03/02/")
        assert rete.link.startswith(f"{demo.url}/rete/2026/")


@pytest.mark.parametrize(
    "target",
    [
        "/nothing/",
        "/category/nothing/feed/",
        "/comments/feed/",
        "/feed/?paged=2",
        "/wp-content/uploads/../posts/README.md",
        "/wp-content/uploads/%2e%2e/server.py",
    ],
)
def test_what_is_not_there_is_a_plain_404(demo: DemoServer, target: str) -> None:
    status, _, body = get(demo, target)
    assert status == 404
    assert "Pagina non trovata" in body.decode()


def test_head_gives_the_headers_without_the_text(demo: DemoServer) -> None:
    status, headers, body = get(demo, "/feed/", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 10_000


def test_base_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        DemoServer(datetime(2026, 3, 2, 8, 0))  # noqa: DTZ001


# As a program


def start(*arguments: str) -> subprocess.Popen[str]:
    site = str(POSTS_DIR.parent.parent)
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "demo.server", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": site},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_says_its_address_then_nothing_and_ends_cleanly(number: signal.Signals) -> None:
    program = start("--base", BASE.isoformat())
    assert program.stdout is not None
    address = program.stdout.readline().strip()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request("GET", "/feed/")
    response = connection.getresponse()
    assert response.status == 200
    response.read()
    connection.close()
    program.send_signal(number)
    assert program.communicate(timeout=20) == ("", "")
    assert program.returncode == 0


def test_taken_port_is_one_clear_line(demo: DemoServer) -> None:
    port = str(urlsplit(demo.url).port)
    program = start("--port", port)
    out, err = program.communicate(timeout=20)
    assert program.returncode == 1
    assert out == ""
    assert re.fullmatch(rf"Port {port} can't be used for the demo feeds \(.+\): choose .+\n", err)
