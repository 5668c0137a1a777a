"""The mail as a phone and a computer draw it, in both colour schemes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from newsletter.digests.render import render
from tests.digests.contents import make_content, make_item

pytestmark = pytest.mark.browser
UNBROKEN = "https://intranet.union.example/documenti/2026/accordo-sulla-mobilita-e-i-turni.html"
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_a_long_word_or_address_breaks_instead_of_widening_the_mail(
    chromium: Browser, width: int, scheme: str
) -> None:
    lead = make_item(0, UNBROKEN, is_lead=True, note=UNBROKEN)
    second = make_item(1, UNBROKEN, excerpt=f"Il testo è qui: {UNBROKEN}", source=UNBROKEN)
    newsletter = {"sender_name": "Coordinamento interaziendale", "postal_address": UNBROKEN}
    content = make_content((lead, second), introduction=UNBROKEN, newsletter=newsletter)
    page = chromium.new_page(
        viewport={"width": width, "height": 740},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page.set_content(render(content, positions=[0, 1], language="it").html)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".sheet").evaluate("sheet => sheet.offsetWidth") <= 600
    found = Axe().run(page, options=AXE)
    assert not found.violations_count, found.generate_report()
    page.close()
