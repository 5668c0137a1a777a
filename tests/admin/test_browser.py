"""The feeds' screens and an article's page in a real browser, on a phone and on a laptop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright
from wagtail.models import Collection, Locale
from wagtail.models import Page as WagtailPage

from newsletter import tasks
from newsletter.articles.backfill import step_due
from newsletter.articles.models import ArticleVersion, Sighting
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.members.models import Consent
from tests.admin.conftest import client_for
from tests.articles.conftest import post, rss
from tests.builders import NOW, make_article, make_feed, make_member, make_theme
from tests.feeds.test_discovery import PAGE, link
from tests.feeds.test_discovery import page as web_page
from tests.servers import FeedServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def there_is_a_site() -> None:
    """A test with real transactions leaves the database without what migrations put there."""
    Locale.objects.get_or_create(language_code=settings.LANGUAGE_CODE)
    if not WagtailPage.get_first_root_node():
        WagtailPage.add_root(title="Root", slug="root")
    if not Collection.get_first_root_node():
        Collection.add_root(name="Root")


@pytest.fixture
def desk(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """A phone with somebody at the desk."""
    there_is_a_site()
    client = client_for("superuser")
    context = chromium.new_context(viewport=PHONE, locale="en")  # type: ignore[arg-type]
    context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": live_server.url,
            }
        ]
    )
    yield context.new_page()
    context.close()


def holds(page: Page) -> None:
    """No violation, and nothing off the screen."""
    # Wagtail's messages fade in: half transparent, they have little contrast.
    page.wait_for_function(
        "document.getAnimations().every(one =>"
        " one.playState !== 'running' || one.effect.getComputedTiming().iterations > 1)"
    )
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_a_feed_is_found_from_its_site_looked_at_and_added_on_a_phone(
    desk: Page, live_server: Any, feed_server: FeedServer
) -> None:
    feed_server.serve("/feed/", rss(post(1), post(2)))
    category = feed_server.serve("/contratti/feed/", rss(post(2)))
    links = web_page(
        link("/feed/", "Tutto"),
        link("/comments/feed/", "Commenti"),
        link("/contratti/feed/", "Contratti"),
    )
    site = feed_server.serve("/", links, headers=PAGE)

    desk.goto(live_server.url + reverse("newsletter_feeds:add"))
    holds(desk)
    desk.get_by_label("Address of the feed or of the blog").fill(site)
    desk.keyboard.press("Enter")
    desk.get_by_role("heading", name="This site offers several feeds").wait_for()
    holds(desk)
    buttons = desk.locator(".desk-offers button")
    assert buttons.count() == 2
    buttons.nth(1).focus()
    desk.keyboard.press("Enter")

    desk.get_by_role("heading", name="How its latest posts would look").wait_for()
    desk.get_by_role("heading", name="Notizia 2").wait_for()
    desk.get_by_text("The text after cleaning").click()
    assert desk.locator(".desk-sample .desk-body").first.is_visible()
    holds(desk)
    desk.get_by_label("Accept automatically").check()
    desk.get_by_role("button", name="Add this feed").click()
    desk.get_by_text("is added").wait_for()
    feed = Feed.objects.get()
    assert (feed.url, feed.auto_accept) == (category, True)
    holds(desk)


def test_what_a_worker_does_for_a_feed_is_told_on_its_page_by_itself(
    desk: Page, live_server: Any, feed_server: FeedServer
) -> None:
    feed = make_feed(feed_server.serve("/feed/", rss(post(1))))
    feed_server.serve("/feed/?paged=2", status=404)
    desk.goto(live_server.url + reverse("newsletter_feeds:inspect", args=[feed.pk]))
    desk.get_by_role("button", name="Poll now").click()
    expect(desk.get_by_role("status").filter(has_text="in the background")).to_be_visible()
    tasks.poll_feed(feed.pk)
    expect(desk.get_by_role("status").filter(has_text="is polled:")).to_be_visible()
    desk.get_by_role("button", name="Fetch older posts").click()
    expect(desk.locator("[data-desk-part=older]")).to_contain_text("Under way")
    step_due(now=timezone.now(), seconds=10, pause=lambda: None)
    expect(desk.locator("[data-desk-part=older]")).to_contain_text("Done")


def test_an_address_without_a_feed_is_answered_beside_the_field(
    desk: Page, live_server: Any, feed_server: FeedServer
) -> None:
    desk.goto(live_server.url + reverse("newsletter_feeds:add"))
    desk.get_by_label("Address of the feed or of the blog").fill(f"{feed_server.url}/nulla/")
    desk.get_by_role("button", name="Look at it").click()
    desk.get_by_text("(404)").wait_for()
    holds(desk)


def test_a_list_of_feeds_is_looked_at_and_taken_in_on_a_phone(
    desk: Page, live_server: Any, tmp_path: Path
) -> None:
    make_feed("https://known.example/feed/")
    urls = [
        "https://a.example/feed/",
        "https://b.example/un-indirizzo-davvero-molto-lungo-senza-alcuno-spazio/feed/",
        "https://known.example/feed/",
        "http://10.0.0.1/feed/",
    ]
    outlines = "".join(f'<outline text="Blog {n}" xmlUrl="{url}"/>' for n, url in enumerate(urls))
    file = tmp_path / "feeds.opml"
    file.write_text(f'<opml version="2.0"><body>{outlines}</body></opml>')

    desk.goto(live_server.url + reverse("newsletter_feeds:import"))
    holds(desk)
    desk.get_by_label("OPML file").set_input_files(file)
    desk.get_by_role("button", name="Look at it").click()
    desk.get_by_text("2 feeds can be added").wait_for()
    desk.get_by_text("1 is there already").click()
    holds(desk)
    assert desk.locator("input[name=feed]:checked").count() == 2
    desk.get_by_role("button", name="Untick all").click()
    desk.get_by_label("Blog 1").focus()
    desk.keyboard.press("Space")
    desk.get_by_role("button", name="Add what is ticked").click()
    desk.get_by_text("1 feed is added").wait_for()
    assert sorted(Feed.objects.values_list("url", flat=True)) == sorted(urls[1:3])


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens_are_accessible_and_fit_the_screen(
    desk: Page, live_server: Any, size: dict[str, int], scheme: Any
) -> None:
    now = timezone.now()
    address = f"https://blog.example/{'senza-spazi-' * 8}/feed/"
    feed = make_feed(
        address,
        title="Lavoratrici e Lavoratori di un’azienda dal nome piuttosto lungo",
        failures=9,
        error=f"There is nothing at {address} (404). The blog may have moved.",
        error_code="http_404",
        last_success_at=now - timedelta(days=4),
        last_polled_at=now,
    )
    make_feed(title="Gone", state=Feed.State.GONE, error="It was removed.")
    make_feed(title="Fine", last_polled_at=now, last_success_at=now)
    for days in range(20):
        FetchRecord.objects.create(
            feed=feed,
            at=now - timedelta(days=days),
            outcome="failed" if days < 4 else "new",
            articles_new=0 if days < 4 else days,
            error="It took too long to answer." if days < 4 else "",
        )
    article = make_article(feed=feed, triaged_at=NOW, themes=[make_theme()], note="Per chi?")
    Sighting.objects.create(
        article=article, feed=feed, url=address, first_seen_at=NOW, last_seen_at=NOW
    )
    ArticleVersion.objects.create(
        article=article, replaced_at=now, title="Un’altra", body_html="<p>Il testo di prima.</p>"
    )
    desk.emulate_media(color_scheme=scheme)
    desk.set_viewport_size(size)  # type: ignore[arg-type]
    for path in (
        reverse("newsletter_feeds:index"),
        reverse("newsletter_feeds:index") + "?health=problem",
        reverse("wagtail_bulk_action", args=["newsletter", "feed", "pause"]) + f"?id={feed.pk}",
        reverse("newsletter_feeds:inspect", args=[feed.pk]),
        reverse("newsletter_feeds:edit", args=[feed.pk]),
        reverse("newsletter_articles:edit", args=[article.pk]),
        reverse("wagtailadmin_home"),
    ):
        desk.goto(live_server.url + path)
        holds(desk)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_row_that_the_keys_stand_on_can_be_read(
    desk: Page, live_server: Any, scheme: Any
) -> None:
    make_article("Aumenti in arrivo", themes=["Pensioni"], accepted=False)
    desk.emulate_media(color_scheme=scheme)
    desk.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    desk.goto(live_server.url + reverse("newsletter_articles:index") + "?state=new")
    desk.keyboard.press("j")
    desk.locator(".desk-row--current").wait_for()
    holds(desk)


def test_a_member_with_consents_has_a_page_that_fits_a_phone(desk: Page, live_server: Any) -> None:
    member = make_member()
    for at in (NOW, NOW + timedelta(days=1)):
        Consent.objects.create(
            member=member,
            event=Consent.Event.CONFIRMED,
            at=at,
            source="signup",
            newsletter_slugs=["ogni-settimana", "avvisi-urgenti"],
        )
    desk.goto(live_server.url + reverse("newsletter_members:inspect", args=[member.pk]))
    holds(desk)
