"""The archive in a real browser: nobody is shut out, nothing runs off the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from newsletter.archive import links
from newsletter.archive.models import ArchivePage
from newsletter.digests.models import Digest, Newsletter
from newsletter.feeds.models import Feed
from newsletter.themes.models import Theme
from newsletter.themes.starter import load_starter_themes
from tests.builders import make_article, make_feed, make_newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MAX_BYTES = 50 * 1024


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def paths(
    transactional_db: None, archive: ArchivePage, make_issue: Callable[..., Digest]
) -> list[str]:
    load_starter_themes()
    themes = list(Theme.objects.all()[:4])
    feed = make_feed(rights=Feed.Rights.FULL)
    articles = [
        make_article(
            f"Un titolo abbastanza lungo da andare a capo anche sulla pagina larga, numero {n}",
            body="Le lavoratrici e i lavoratori si ritrovano in assemblea per decidere. " * 4,
            themes=[themes[n % 4], themes[(n + 1) % 4]],
            feed=feed,
            note="Riguarda chi lavora di notte.",
            author="Nadia Okafor",
            original_author="Zelin Wang",
            original_url="https://origine.example/",
            attribution_title="Blog",
            attribution_url="https://blog.example/",
        )
        for n in range(12)
    ]
    regular = make_issue(*articles, introduction="Care e cari,\n\necco il numero.")
    urgent_series = make_newsletter("Avvisi", kind=Newsletter.Kind.URGENT)
    urgent = make_issue(*articles[:2], newsletter=urgent_series)
    found = links.links_of(archive)
    return [
        "/",
        found.issue(regular),
        found.issue(urgent),
        found.newsletter(regular.newsletter),
        found.article(articles[0]),
        found.theme(themes[0]),
        # One long word beside its picture.
        found.theme(Theme.objects.get(name="Internazionale")),
        found.themes(),
        found.articles(),
        found.source(feed),
        found.issues(),
        found.year(2026),
        "/cerca/?q=assemblea",
        "/cerca/?q=zzzz",
        "/nessuna-pagina/",
    ]


def open_page(browser: Browser, address: str, **options: Any) -> Page:
    page = browser.new_context(locale="it", **options).new_page()
    page.goto(address)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_no_page_has_an_accessibility_violation_or_runs_off_the_screen(
    chromium: Browser, live_server: Any, paths: list[str], width: int, scheme: str
) -> None:
    for path in paths:
        page = open_page(
            chromium,
            live_server.url + path,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        )
        result = Axe().run(page)
        assert result.violations_count == 0, f"{path}: {result.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.context.close()


def test_page_is_light_and_leaves_nothing_in_the_browser(
    chromium: Browser, live_server: Any, paths: list[str]
) -> None:
    for path in paths:
        context = chromium.new_context()
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        hosts: set[str] = set()
        session.on("Network.loadingFinished", lambda e, s=sizes: s.append(e["encodedDataLength"]))
        page.on("request", lambda r, h=hosts: h.add(r.url.split("/")[2]))
        page.goto(live_server.url + path, wait_until="networkidle")
        assert 0 < sum(sizes) <= MAX_BYTES, f"{path}: {sum(sizes)}"
        assert hosts == {live_server.url.split("/")[2]}, path
        assert context.cookies() == []
        context.close()


def test_reader_finds_an_article_in_three_steps_by_keyboard(
    chromium: Browser, live_server: Any, paths: list[str]
) -> None:
    page = open_page(chromium, live_server.url, java_script_enabled=False)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.get_by_role("link", name="Cerca").or_(page.get_by_role("link", name="Search")).click()
    page.get_by_role("searchbox").fill("assemblee numero 7")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="numero 7").click()
    assert "numero 7" in page.get_by_role("heading", level=1).inner_text()
    page.context.close()


def test_a_printed_page_has_no_buttons(
    chromium: Browser, live_server: Any, paths: list[str]
) -> None:
    page = open_page(chromium, live_server.url + paths[0])
    button = page.locator(".front .button")
    assert button.is_visible()
    page.emulate_media(media="print")
    assert not button.is_visible()
    page.context.close()
