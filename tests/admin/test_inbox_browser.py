"""The inbox in a real browser: reading, deciding and undoing by key, by mouse and by thumb."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from newsletter.articles.models import Article
from tests.admin.test_browser import LAPTOP, chromium, desk, holds
from tests.admin.test_inbox import INBOX, states
from tests.builders import NOW, make_article, make_theme

__all__ = ["chromium", "desk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TITLES = ["Prima", "Seconda", "Terza"]


@pytest.fixture
def inbox(desk: Page, live_server: Any) -> Page:
    """Three articles wait; the latest, “Prima”, stands first."""
    make_theme("Salute", sort_order=1)
    for number, title in enumerate(TITLES):
        make_article(
            title,
            body=f"Il testo di {title}, con una prova.",
            themes=["Pensioni"],
            accepted=False,
            listed_at=NOW.replace(hour=20 - number),
        )
    desk.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    desk.goto(f"{live_server.url}{INBOX}?state=new")
    return desk


def reading(page: Page, title: str) -> None:
    expect(page.locator(".desk-read__title")).to_have_text(title)


def test_by_key_a_decision_moves_on_at_once_and_can_be_undone(inbox: Page) -> None:
    reading(inbox, "Prima")
    holds(inbox)
    inbox.keyboard.press("j")
    reading(inbox, "Seconda")
    inbox.keyboard.press("k")
    reading(inbox, "Prima")
    inbox.keyboard.press("a")
    reading(inbox, "Seconda")
    inbox.keyboard.press("x")
    reading(inbox, "Terza")
    expect(inbox.get_by_role("heading", name="1 found")).to_be_visible()
    expect(inbox.locator(".desk-said")).to_contain_text("1 article rejected.")
    holds(inbox)
    inbox.keyboard.press("z")
    reading(inbox, "Seconda")
    inbox.keyboard.press("z")
    reading(inbox, "Prima")
    expect(inbox.locator(".desk-said")).to_contain_text("Undone")
    assert states() == dict.fromkeys(TITLES, "new")
    inbox.keyboard.press("a")
    inbox.keyboard.press("a")
    inbox.keyboard.press("a")
    inbox.get_by_text("The inbox is empty").wait_for()
    assert states() == dict.fromkeys(TITLES, "accepted")


def test_what_is_ticked_right_after_a_search_stays_ticked(inbox: Page) -> None:
    reading(inbox, "Prima")
    inbox.locator("#id_q").click()
    inbox.keyboard.type("Seconda")
    expect(inbox.get_by_role("heading", name="1 found")).to_be_visible()
    inbox.wait_for_url("**q=Seconda**")
    searches: list[str] = []
    inbox.on("request", lambda one: "results" in one.url and searches.append(one.url))
    tick = inbox.locator("[data-bulk-action-select-all-checkbox]").first
    tick.click()
    inbox.wait_for_timeout(1000)  # longer than Wagtail waits before it searches
    expect(tick).to_be_checked()
    expect(inbox.locator("[data-bulk-action-footer]")).to_be_visible()
    assert searches == []
    inbox.locator("[data-bulk-action-footer]").get_by_role("link", name="Reject").click()
    inbox.get_by_role("button", name="Yes, reject").click()
    expect(inbox.get_by_text("1 article rejected.")).to_be_visible()
    assert states() == {"Prima": "new", "Seconda": "rejected", "Terza": "new"}


def test_a_theme_is_given_and_taken_by_its_number(inbox: Page) -> None:
    reading(inbox, "Prima")
    inbox.keyboard.press("1")
    expect(inbox.locator('[data-key="1"]')).to_have_attribute("aria-pressed", "false")
    inbox.keyboard.press("2")
    expect(inbox.locator('[data-key="2"]')).to_have_attribute("aria-pressed", "true")
    expect(inbox.locator(".desk-row--current .desk-chips")).to_contain_text("Salute")
    article = Article.objects.get(title="Prima")
    assert dict(article.assignments.values_list("theme__name", "decision")) == {
        "Pensioni": "rejected", "Salute": "confirmed",
    }  # fmt: skip
    inbox.keyboard.press("z")
    expect(inbox.locator(".desk-row--current .desk-chips")).to_have_count(0)


def test_in_a_list_of_all_states_a_decision_changes_the_rows_state(
    inbox: Page, live_server: Any
) -> None:
    inbox.goto(live_server.url + INBOX)
    reading(inbox, "Prima")
    inbox.keyboard.press("a")
    reading(inbox, "Seconda")
    first = inbox.locator(".desk-inbox tbody tr").first
    expect(first.locator(".desk-state")).to_have_text("Accepted")
    inbox.keyboard.press("z")
    reading(inbox, "Prima")
    expect(first.locator(".desk-state")).to_have_count(0)
    assert states() == dict.fromkeys(TITLES, "new")


def test_keys_do_nothing_in_a_field_nor_once_they_are_switched_off(inbox: Page) -> None:
    reading(inbox, "Prima")
    inbox.keyboard.press("?")
    expect(inbox.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text(
        "Give a theme or take it away"
    )
    inbox.keyboard.press("a")
    inbox.keyboard.press("Escape")
    inbox.locator("#id_q").press("a")
    inbox.locator("#id_q").fill("")
    inbox.get_by_role("button", name="Switch keys off").click()
    inbox.get_by_role("button", name="Switch keys on").press("x")
    inbox.wait_for_timeout(300)
    assert states() == dict.fromkeys(TITLES, "new")


def test_what_could_not_be_saved_comes_back(inbox: Page) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=503, body="")

    inbox.route("**/triage/", refuse)
    reading(inbox, "Prima")
    inbox.keyboard.press("a")
    expect(inbox.locator(".desk-said")).to_contain_text("could not be saved")
    expect(inbox.locator(".desk-inbox tbody tr")).to_have_count(3)
    assert states() == dict.fromkeys(TITLES, "new")


def test_reasons_open_by_mouse_by_tap_and_by_key(inbox: Page) -> None:
    chip = inbox.locator("[data-desk-chip]").first
    chip.hover()
    expect(chip.get_by_text("“prova”")).to_be_visible()
    inbox.mouse.move(5, 5)
    inbox.keyboard.press("Escape")
    expect(chip.get_by_text("“prova”")).to_be_hidden()
    inbox.locator(".desk-article .title-wrapper a").first.focus()
    inbox.keyboard.press("Tab")
    expect(chip.get_by_text("“prova”")).to_be_visible()
    inbox.keyboard.press("Escape")
    chip.locator("summary").dispatch_event("click")
    expect(chip.get_by_text("“prova”")).to_be_visible()


def test_on_a_phone_an_article_fills_the_screen_with_its_buttons_under_the_thumb(
    inbox: Page,
) -> None:
    inbox.set_viewport_size({"width": 360, "height": 740})
    inbox.reload()
    holds(inbox)
    inbox.get_by_role("link", name="Prima").click()
    reading(inbox, "Prima")
    holds(inbox)
    accept = inbox.locator(".desk-read__acts").get_by_role("button", name="Accept")
    box = accept.bounding_box()
    assert box
    assert box["height"] >= 48
    assert box["y"] > 600
    accept.click()
    reading(inbox, "Seconda")
    inbox.locator(".desk-read__acts").get_by_role("button", name="Reject").click()
    reading(inbox, "Terza")
    inbox.get_by_role("button", name="Undo").click()
    reading(inbox, "Seconda")
    inbox.go_back()
    expect(inbox.locator(".desk-inbox tbody tr")).to_have_count(2)
    expect(inbox.locator(".desk-read")).to_be_hidden()
    assert states() == {"Prima": "accepted", "Seconda": "new", "Terza": "new"}


def test_without_scripts_it_works_by_forms(inbox: Page, live_server: Any) -> None:
    browser = inbox.context.browser
    assert browser
    context: BrowserContext = browser.new_context(java_script_enabled=False, locale="en")
    context.add_cookies(inbox.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{live_server.url}{INBOX}?state=new")
    page.get_by_role("link", name="Prima").click()
    page.get_by_role("button", name="Pensioni").click()
    page.get_by_role("button", name="Accept").click()
    assert page.url.endswith("?state=new")
    page.get_by_role("button", name="Undo").press("Enter")
    assert states() == dict.fromkeys(TITLES, "new")
    context.close()
