"""The digest's editor in a real browser: what changes while somebody writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from newsletter import tasks
from newsletter.articles.models import Article
from newsletter.digests.models import Digest
from tests.admin.test_browser import LAPTOP, chromium, desk, holds
from tests.admin.test_digests import url
from tests.builders import make_article, make_digest, make_member, make_newsletter
from tests.servers import FeedServer

__all__ = ["chromium", "desk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def digest(desk: Page) -> Digest:
    newsletter = make_newsletter()
    make_member(newsletter=newsletter)
    slot = timezone.now().replace(microsecond=0) + timedelta(days=2)
    articles = [make_article(title) for title in ("Primo", "Secondo")]
    return make_digest(newsletter, articles=articles, slot=slot)


def test_the_weight_follows_what_is_typed(desk: Page, live_server: Any, digest: Digest) -> None:
    desk.goto(live_server.url + url("edit", digest))
    weight = desk.locator("[data-desk-weight] output")
    before = int(weight.inner_text())
    # Wagtail takes the form as it is a moment after loading for what is saved already.
    desk.wait_for_timeout(2500)
    desk.fill("#id_introduction", "Parole nuove. " * 900)
    desk.wait_for_function(
        "before => Number(document.querySelector('[data-desk-weight] output').value) > before",
        arg=before + 8,
    )
    digest.refresh_from_db()
    assert digest.get_latest_revision_as_object().introduction.startswith("Parole nuove.")


def test_a_block_is_added_and_an_article_moved_by_taps_alone(
    desk: Page, live_server: Any, digest: Digest
) -> None:
    desk.goto(live_server.url + url("edit", digest))
    desk.locator("#opening-root, [id^=panel-child-opening]").first.scroll_into_view_if_needed()
    desk.get_by_role("button", name="Insert a block").first.click()
    desk.get_by_role("option", name="Call to action").first.click()
    desk.locator("[name=opening-0-value-label]").fill("Firma")
    desk.locator("[name=opening-0-value-link]").fill("https://petizioni.example/1")
    desk.locator("#inline_child_items-1").get_by_role("button", name="Move up").click()
    holds(desk)
    desk.get_by_role("button", name="Save draft").click()
    desk.wait_for_load_state()
    draft = Digest.objects.get(pk=digest.pk).get_latest_revision_as_object()
    assert [block.block_type for block in draft.opening] == ["action"]
    items = sorted(draft.items.all(), key=lambda item: item.sort_order)
    assert [item.article.title for item in items] == ["Secondo", "Primo"]


def test_the_send_screen_tells_by_itself_what_following_the_links_found(
    desk: Page, live_server: Any, digest: Digest, feed_server: FeedServer
) -> None:
    Article.objects.filter(title="Primo").update(url=f"{feed_server.url}/sparito/")
    Article.objects.filter(title="Secondo").update(url=feed_server.serve("/secondo/", "<p>Qui</p>"))
    desk.goto(live_server.url + url("overview", digest))
    desk.get_by_role("button", name="Follow the links now").click()
    under_way = desk.get_by_role("status").filter(has_text="are being followed")
    expect(under_way).to_be_visible()
    holds(desk)
    addresses = desk.get_by_label("Addresses")
    addresses.fill("io@union.example")
    tasks.follow_digest_links(digest.pk)
    desk.wait_for_timeout(4000)
    assert addresses.input_value() == "io@union.example"  # nobody's words are taken away
    addresses.blur()
    expect(desk.get_by_role("status").filter(has_text="were followed just now")).to_be_visible()
    expect(desk.get_by_text("Links to pages that are not there: “Primo”")).to_be_visible()
    holds(desk)


def test_nothing_of_wagtails_lies_on_a_long_title(desk: Page, live_server: Any) -> None:
    desk.set_viewport_size(LAPTOP)
    long = make_article(
        "Rinnovo del contratto collettivo nazionale: l’ipotesi di accordo punto " * 2
    )
    desk.goto(live_server.url + reverse("newsletter_articles:edit", args=[long.pk]))
    expect(desk.get_by_role("button", name="Collapse all")).to_be_visible()
    assert desk.evaluate(
        """() => {
            const collapse = document.querySelector('.w-minimap__collapse-all');
            const button = collapse.getBoundingClientRect();
            const words = document.createRange();
            words.selectNodeContents(document.querySelector('#header-title span'));
            return [...words.getClientRects()].every(
                (line) => line.right <= button.left || line.top >= button.bottom
            );
        }"""
    )
