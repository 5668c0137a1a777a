"""The members' pages in a real browser, on a phone, in both colour schemes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, sync_playwright

from newsletter.members.confirmation import send_confirmations
from newsletter.members.models import Member, Subscription
from newsletter.members.tokens import make_token
from newsletter.themes.starter import load_starter_themes
from tests.builders import make_member, make_newsletter
from tests.servers import Mailbox

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(
    chromium: Browser, live_server: Any, scheme: str
) -> None:
    load_starter_themes()
    newsletter = make_newsletter()
    make_newsletter("Ogni mese", frequency="monthly")
    personal = f"m/{make_token(make_member(newsletter=newsletter).uid)}/"
    ends = ["", "unsubscribe/", "unsubscribe/ogni-settimana/", "pause/", "address/", "erase/"]
    paths = ["subscribe/", "subscribe/sent/", "confirm/x/", *(personal + end for end in ends)]
    context = chromium.new_context(
        viewport={"width": 360, "height": 740},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    for path in paths:
        page.goto(f"{live_server.url}/newsletter/{path}")
        for folded in page.locator("summary").all():
            folded.click()
        found = Axe().run(page)
        assert not found.violations_count, (path, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert not context.cookies()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_mail_with_the_link_is_accessible_fits_a_phone_and_knows_the_dark(
    chromium: Browser, client: Client, real_mail: Mailbox, scheme: str
) -> None:
    newsletter = make_newsletter("Rappresentanzasindacaleunitariadellostabilimento")
    form = {"email": "anna@posta.example", "newsletters": [newsletter.pk]}
    client.post("/newsletter/subscribe/", form)
    send_confirmations(now=timezone.now())
    page = chromium.new_page(
        viewport={"width": 320, "height": 740},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page.set_content(real_mail.of("anna@posta.example")[0].html)
    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": rules})
    assert not found.violations_count, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert paper == {"light": "rgb(250, 246, 238)", "dark": "rgb(22, 20, 15)"}[scheme]
    page.close()


def test_themes_are_folded_at_sign_up_and_open_again_when_something_is_wrong(
    chromium: Browser, live_server: Any
) -> None:
    load_starter_themes()
    make_newsletter()
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live_server.url}/newsletter/subscribe/")
    send = page.get_by_role("button", name="Send me the mail")
    assert send.bounding_box()["y"] < 740  # on the first screen of a phone
    pensions = page.get_by_label("Pensions")
    assert not pensions.is_visible()
    page.get_by_text("Only some themes?").first.click()
    pensions.check()
    send.click()  # without an address
    assert pensions.is_visible()
    assert pensions.is_checked()
    context.close()


def test_a_person_signs_up_confirms_and_leaves_again(
    chromium: Browser, live_server: Any, real_mail: Mailbox, settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SITE_URL": live_server.url}
    make_newsletter()
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{live_server.url}/newsletter/subscribe/")
    page.get_by_label("E-mail address").fill("anna@posta.example")
    page.get_by_role("button").click()
    page.wait_for_url("**/subscribe/sent/")

    send_confirmations(now=timezone.now())
    link = re.findall(r"http\S+", real_mail.of("anna@posta.example")[0].text)[0]
    page.goto(link)
    page.get_by_role("button", name="Yes, send it to me").click()
    page.get_by_role("heading", name="Done: you are subscribed").wait_for()
    assert Member.objects.get().subscriptions.get().state == Subscription.State.ACTIVE

    page.get_by_role("link", name="My choices").click()
    page.get_by_role("button", name="Unsubscribe from everything").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert Member.objects.get().subscriptions.get().state == Subscription.State.ENDED
    assert not context.cookies()
    context.close()
