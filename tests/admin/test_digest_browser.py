"""The digest's editor in a real browser: what changes while somebody writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from newsletter.digests.models import Digest
from tests.admin.test_browser import chromium, desk, holds
from tests.admin.test_digests import url
from tests.builders import make_article, make_digest, make_member, make_newsletter

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
