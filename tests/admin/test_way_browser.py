"""From forty fresh posts to a scheduled digest: by mouse, by keyboard alone, by thumb."""

from __future__ import annotations

import re
import time
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from wagtail.users.models import UserProfile

from newsletter.articles.models import Article
from newsletter.digests.compile import compile_due
from newsletter.digests.models import Digest
from tests.admin.conftest import client_for
from tests.admin.test_browser import LAPTOP, PHONE, chromium, there_is_a_site
from tests.builders import make_article, make_member, make_newsletter, make_theme

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_CLICKS = 8
SECONDS = 90
MOST_TABS = 120


class Hand:
    """Presses what the screen offers, and counts how often."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def press(self, target: Locator, *, from_the_end: bool = False) -> None:
        self.clicks += 1
        target.wait_for()
        self.act(target, "Shift+Tab" if from_the_end else "Tab")

    def act(self, target: Locator, key: str) -> None:
        target.click()


class Thumb(Hand):
    def act(self, target: Locator, key: str) -> None:
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], self.page.url
        target.tap()


class Keyboard(Hand):
    """Tab until the focus is there, then Enter: the mouse is never touched."""

    def act(self, target: Locator, key: str) -> None:
        for _tab in range(MOST_TABS):
            self.page.keyboard.press(key)
            if target.evaluate("one => one === document.activeElement"):
                self.page.keyboard.press("Enter")
                return
        raise AssertionError(f"{target} is not within {MOST_TABS} tabs on {self.page.url}")


@pytest.mark.parametrize("hand_of", [Hand, Keyboard, Thumb])
def test_forty_posts_become_a_scheduled_digest(
    hand_of: type[Hand], chromium: Browser, live_server: Any, request: pytest.FixtureRequest
) -> None:
    page = a_desk(chromium, live_server, phone=hand_of is Thumb)
    request.addfinalizer(page.context.close)
    newsletter = make_newsletter(frequency="daily", weekdays=list(range(7)))
    make_member(newsletter=newsletter)
    now = timezone.now()
    themes = [make_theme(name) for name in ("Pensioni", "Salute", "Contratti")]
    for number in range(40):
        make_article(
            f"Notizia {number}", themes=[themes[number % 3]], accepted=False, arrived_at=now
        )
    hand = hand_of(page)
    began = time.monotonic()

    page.goto(live_server.url + reverse("wagtailadmin_home"))
    hand.press(page.get_by_role("link", name="Look through 40 articles"))
    hand.press(page.get_by_role("link", name="Accept all suggestions"))
    hand.press(page.get_by_role("button", name="Yes, accept"))
    expect(page.get_by_text("40 articles accepted.")).to_be_visible()
    compile_due(now=timezone.now())  # the clock's part: it comes every minute
    page.reload()
    hand.press(page.get_by_role("link", name="Check and approve Ogni settimana N. 1"))
    approve(page, hand)

    expect(page.get_by_text(re.compile("Approved")).first).to_be_visible()
    digest = Digest.objects.get()
    assert digest.status == Digest.Status.APPROVED
    assert digest.slot > now
    assert len(digest.content["items"]) == newsletter.max_items
    assert Article.objects.accepted().count() == 40
    assert hand.clicks <= MOST_CLICKS
    assert time.monotonic() - began < SECONDS


@pytest.fixture
def groups(transactional_db: None) -> None:
    """What the migrations give them, once more: a test before may have emptied all tables."""
    for module, give in (
        ("0002_seed", "seed"),
        ("0008_theme_words", "let_editors_teach"),
        ("0027_followed_links", "let_editors_keep_lists"),
    ):
        migration = import_module(f"newsletter.migrations.{module}")
        getattr(migration, give)(apps, connection.schema_editor())


def test_in_italian_an_editor_proposes_and_a_moderator_approves(
    chromium: Browser, live_server: Any, groups: None, request: pytest.FixtureRequest
) -> None:
    """Nothing but the rights of their groups; every button is found by its Italian words."""
    newsletter = make_newsletter(frequency="daily", weekdays=list(range(7)))
    make_member(newsletter=newsletter)
    themes = [make_theme(name) for name in ("Pensioni", "Salute")]
    for number in range(10):
        make_article(f"Notizia {number}", themes=[themes[number % 2]], accepted=False)
    editor = in_italian(a_desk(chromium, live_server, phone=False, role="editor"))
    moderator = in_italian(a_desk(chromium, live_server, phone=False, role="moderator"))
    for page in (editor, moderator):
        request.addfinalizer(page.context.close)
    home = live_server.url + reverse("wagtailadmin_home")

    editor.goto(home)
    editor.get_by_role("link", name="Smista 10 articoli").click()
    editor.get_by_role("link", name="Accetta tutti i suggerimenti").click()
    editor.get_by_role("button", name="Sì, accetta").click()
    expect(editor.get_by_text("10 articoli accettati.")).to_be_visible()
    compile_due(now=timezone.now())
    editor.reload()
    editor.get_by_role("link", name="Controlla Ogni settimana N. 1 e proponilo").click()
    editor.get_by_label("Oggetto").fill("Le notizie di oggi")
    editor.locator("footer .w-dropdown__toggle").first.click()
    editor.locator("footer button[name=action-submit]").click()
    editor.goto(home)  # there is nothing left for them to do, and it waits for another
    expect(editor.get_by_text("Niente da fare")).to_be_visible()
    expect(editor.get_by_text("non ancora approvato")).to_be_visible()
    assert Digest.objects.get().status == Digest.Status.DRAFT

    moderator.goto(home)
    moderator.get_by_role("link", name="Controlla e approva Ogni settimana N. 1").click()
    moderator.get_by_role("link", name="Controlli e invio").first.click()
    moderator.get_by_role("button", name="Approva per l’invio").click()
    expect(moderator.get_by_text("Approvato").first).to_be_visible()
    digest = Digest.objects.get()
    assert digest.status == Digest.Status.APPROVED
    assert digest.subject == "Le notizie di oggi"


def in_italian(page: Page) -> Page:
    """As whoever chose Italian in their account sees it."""
    for user in get_user_model().objects.all():
        UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": "it"})
    return page


def approve(page: Page, hand: Hand) -> None:
    """From the editor to an approved digest, by the menu at its foot."""
    footer = page.locator("footer")
    hand.press(
        footer.locator(".w-dropdown__toggle, [data-w-dropdown-target=toggle]").first,
        from_the_end=True,
    )
    hand.press(page.locator("button.action-save[name=action-publish]"))


def a_desk(chromium: Browser, live_server: Any, *, phone: bool, role: str = "superuser") -> Page:
    there_is_a_site()
    client = client_for(role)
    context: BrowserContext = chromium.new_context(
        viewport=PHONE if phone else LAPTOP,  # type: ignore[arg-type]
        has_touch=phone,
        locale="en",
    )
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
    )
    return context.new_page()
