"""Themes in a real browser: tried while typing, explained by tap and key, taught in one click."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from newsletter.themes.models import Theme
from newsletter.themes.tagging import set_themes, tag
from tests.admin.test_browser import LAPTOP, chromium, desk, holds
from tests.builders import make_article, make_theme

__all__ = ["chromium", "desk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def theme() -> Theme:
    """With an article to triage, and enough decisions for its page."""
    theme = make_theme("Pensioni", keywords=["previdenza"], glyph_text="§")
    other = make_theme("Eventi", keywords=["festa"])
    now = timezone.now() - timedelta(minutes=5)
    editor = get_user_model().objects.create_user("redattrice")
    for number in range(30):
        article = make_article(f"Il riscatto della laurea e la previdenza, parte {number}")
        tag([article.pk], now=now)
        set_themes(article.pk, [theme.pk if number % 3 else other.pk], by=editor, now=now)
        article = make_article(f"La festa in piazza, giorno {number}")
        set_themes(article.pk, [other.pk], by=editor, now=now)
    article = make_article(
        "La previdenza complementare", body="La pensione, le pensioni e la festa.", accepted=False
    )
    tag([article.pk], now=now)
    return theme


def test_words_are_tried_while_they_are_typed(desk: Page, live_server: Any, theme: Theme) -> None:
    desk.goto(live_server.url + reverse("newsletter_themes:edit", args=[theme.pk]))
    holds(desk)
    desk.get_by_label("Keywords and phrases").fill("festa\ndella")
    told = desk.locator("[data-desk-told]")
    expect(told).to_contain_text("Of the latest 61 articles looked at")
    expect(told).to_contain_text("“della” has no word that carries a subject")
    expect(told).to_contain_text("“festa” also belongs to the theme “Eventi”")
    holds(desk)
    assert Theme.objects.get(pk=theme.pk).keywords == "previdenza"
    desk.locator("input[name=name]").press("Enter")  # saves, as in any form
    desk.get_by_text("updated").wait_for()
    assert Theme.objects.get(pk=theme.pk).keywords.split() == ["festa", "della"]


def test_the_words_of_a_theme_open_by_tap_and_key_and_teach(
    desk: Page, live_server: Any, theme: Theme
) -> None:
    desk.goto(live_server.url + reverse("newsletter_articles:index") + "?state=new")
    chip = desk.locator("[data-desk-chip]").filter(has_text="Pensioni")
    never = chip.get_by_role("button", name="Not this word: “pensione” for Pensioni")
    assert not never.is_visible()
    chip.locator("summary").click()
    assert never.is_visible()
    holds(desk)
    desk.keyboard.press("Escape")
    assert not never.is_visible()
    chip.locator("summary").focus()
    desk.keyboard.press("Enter")
    never.press("Enter")
    desk.get_by_text("now speaks against").wait_for()
    holds(desk)
    assert Theme.objects.get(pk=theme.pk).exclusions == "pensione"
    desk.get_by_role("button", name="Undo").click()
    desk.get_by_text("has its words as before").wait_for()
    assert Theme.objects.get(pk=theme.pk).exclusions == ""


def test_the_words_of_a_theme_open_under_a_mouse(
    desk: Page, live_server: Any, theme: Theme
) -> None:
    desk.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    desk.goto(live_server.url + reverse("newsletter_articles:index") + "?state=new")
    chip = desk.locator("[data-desk-chip]").filter(has_text="Pensioni")
    chip.locator("summary").hover()
    always = chip.get_by_role("button", name="Always this word: “pensione” for Pensioni")
    assert always.is_visible()
    always.hover()  # the way there does not close it
    assert always.is_visible()
    holds(desk)
    desk.mouse.move(5, 5)
    assert not always.is_visible()


def test_an_articles_page_marks_the_words_on_a_phone_and_a_laptop(
    desk: Page, live_server: Any, theme: Theme
) -> None:
    article = theme.assignments.filter(article__state="new").get().article
    desk.goto(live_server.url + reverse("newsletter_articles:edit", args=[article.pk]))
    assert desk.locator("mark.desk-term").all_inner_texts() == [
        "previdenza", "pensione", "pensioni", "festa",
    ]  # fmt: skip
    desk.get_by_text("Correct the words").first.click()
    holds(desk)
    desk.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    holds(desk)
    desk.get_by_role("button", name="Always this word: “pensione” for Pensioni").click()
    desk.get_by_text("now speaks for").wait_for()
    assert Theme.objects.get(pk=theme.pk).keywords.split() == ["previdenza", "pensione"]


def test_a_themes_page_tells_how_good_it_is_and_adds_a_word(
    desk: Page, live_server: Any, theme: Theme
) -> None:
    desk.goto(live_server.url + reverse("newsletter_themes:index"))
    holds(desk)
    desk.get_by_role("link", name="Pensioni").click()
    desk.get_by_text("20 of 30; between 48% and 81%").wait_for()
    holds(desk)
    desk.set_viewport_size(LAPTOP)  # type: ignore[arg-type]
    holds(desk)


def test_a_new_name_makes_the_name_in_addresses_and_a_later_one_does_not(
    desk: Page, live_server: Any
) -> None:
    desk.goto(live_server.url + reverse("newsletter_themes:add"))
    name, address = desk.locator("input[name=name]"), desk.locator("input[name=slug]")
    name.press_sequentially("Mobilità è salute")
    expect(address).to_have_value("mobilita-e-salute")
    name.press("Enter")
    desk.get_by_text("created").wait_for()
    theme = Theme.objects.get()
    desk.goto(live_server.url + reverse("newsletter_themes:edit", args=[theme.pk]))
    name.fill("Mobilità")
    name.press("Enter")
    desk.get_by_text("updated").wait_for()
    theme.refresh_from_db()
    assert (theme.name, theme.slug) == ("Mobilità", "mobilita-e-salute")
