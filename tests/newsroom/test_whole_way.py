"""A post goes from its feed to a mailbox and to the archive.

A real HTTP server for the feed, a real worker with its clock, a real SMTP server, and a real
browser for what the editor, the members and the reader press.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import feedparser
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.newsroom.instance import Instance, wait_until
from tests.servers import FeedServer, Mailbox, Received

pytestmark = [pytest.mark.processes, pytest.mark.browser]

PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1280, "height": 900}


@dataclass(frozen=True)
class Post:
    """A feed of one post, and what a reader must be able to tell about it."""

    feed: Path
    title: str
    blog: str
    original_author: str
    original_url: str
    first_words: str
    search: str  # with accents; without them it must be found too


POSTS = [
    Post(
        feed=Path(__file__).with_name("samples") / "repost.xml",
        # As WordPress serves a repost: its source on top, a footer at the end, a picture, classes.
        title="Modelli aperti: perché l’intelligenza artificiale di domani si scrive "
        "in open source",
        blog="Lavoratrici e Lavoratori Officine Aurora",
        original_author="Marta Rinaldi",
        original_url="https://fonte.example/marta-rinaldi-modelli-aperti",
        first_words="Chi lavora con gli algoritmi",
        search="città maternità",
    )
]
# A post of yours as well: a JSON file with the values above, `feed` being a file beside it.
if described := os.environ.get("WHOLE_WAY_POST"):
    values = json.loads(Path(described).read_text())
    POSTS.append(Post(**values | {"feed": Path(described).parent / values["feed"]}))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield browser
        browser.close()


SET_UP = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone
from wagtail.models import Page, Site
from newsletter.archive.models import ArchivePage
from newsletter.digests.models import Newsletter
from newsletter.themes.starter import load_starter_themes
load_starter_themes()
user = get_user_model().objects.create_user("redazione", "redazione@union.example", "una-password")
user.groups.add(Group.objects.get(name="Moderators"))
archive = ArchivePage(title="Bollettino", slug="bollettino")
Site.objects.update(root_page=Page.get_first_root_node().add_child(instance=archive))
Newsletter.objects.create(
    name="Ogni settimana", slug="ogni-settimana", sender_name="Il Bollettino",
    sender_email="bollettino@union.example", frequency="manual",
    postal_address="Via del Lavoro 1, Roma",
)
"""

# The next whole minute that leaves the editor time to approve.
OPEN_SCHEDULE = """
from datetime import timedelta
from django.utils import timezone
from newsletter.digests.models import Newsletter
slot = (timezone.localtime() + timedelta(seconds={seconds} + 59)).replace(second=0, microsecond=0)
Newsletter.objects.update(
    frequency="daily", weekdays=[0, 1, 2, 3, 4, 5, 6], send_at=slot.time(), lead_hours=20
)
"""


def log_in(page: Page, instance: Instance) -> None:
    page.goto(f"{instance.url}/admin/")
    page.fill("input[name=username]", "redazione")
    page.fill("input[name=password]", "una-password")
    page.click("button[type=submit]")
    page.wait_for_url(f"{instance.url}/admin/")


def add_the_feed(page: Page, instance: Instance, address: str) -> None:
    page.goto(f"{instance.url}/admin/bollettino/feeds/new/")
    page.fill("input[name=url]", address)
    page.locator("form[method=post] button.button").last.click()
    page.locator("form[method=post] button.button").last.click()
    page.wait_for_url(f"{instance.url}/admin/bollettino/feeds/**")


def accept_the_article(page: Page, instance: Instance, post: Post) -> None:
    inbox = f"{instance.url}/admin/bollettino/articles/?state=new"

    row = page.locator("tr", has_text=post.title)
    chips = row.locator(".desk-chip")

    def in_the_inbox_with_themes() -> bool:
        page.goto(inbox)
        return chips.filter(has_text="Open source").count() > 0

    wait_until(in_the_inbox_with_themes, seconds=120, what="the article is in the inbox, tagged")
    expect(chips.filter(has_text="Intelligenza artificiale")).to_have_count(1)
    row.locator(".title-wrapper a").click()
    page.locator(".desk-read__acts button[name=accepted]").click()
    expect(page.locator("tr", has_text=post.title)).to_have_count(0)


def approve_the_draft(page: Page, instance: Instance, post: Post) -> None:
    def drafted() -> bool:
        page.goto(f"{instance.url}/admin/bollettino/digests/")
        return page.locator("tbody a[href*='/digests/']").count() > 0

    wait_until(drafted, seconds=120, what="the clock has compiled a draft")
    page.locator("tbody a[href*='/digests/edit/']").first.click()
    expect(page.locator("form#w-editor-form, form[data-edit-form]").first).to_be_visible()
    expect(page.get_by_text(post.title).first).to_be_visible()
    page.locator("footer .w-dropdown__toggle, footer [data-w-dropdown-target=toggle]").first.click()
    page.locator("button.action-save[name=action-publish]").click()
    page.wait_for_load_state()


def subscribe(page: Page, instance: Instance, mailbox: Mailbox, email: str, theme: str) -> None:
    page.goto(f"{instance.url}/newsletter/subscribe/")
    page.fill("input[type=email]", email)
    page.locator("details summary").click()  # the themes
    page.locator("label.choice", has_text=theme).locator("input").check()
    page.locator("form button[type=submit]").click()
    page.wait_for_url("**/subscribe/sent/")
    (mail,) = wait_until(
        lambda: mailbox.of(email), seconds=30, what="the mail with the button has come"
    )
    link = re.findall(r"http\S+/confirm/\S+", mail.text)[0]
    # A scanner that opens the link subscribes nobody …
    assert page.request.get(link).ok
    page.goto(link)
    button = page.locator("form[method=post] button")
    expect(button).to_be_visible()
    # … the press of the button does.
    button.click()
    page.get_by_role("link").first.wait_for()
    expect(page.locator("form[method=post] button")).to_have_count(0)


def digests_of(mailbox: Mailbox, email: str) -> list[Received]:
    return [mail for mail in mailbox.of(email) if mail.message["List-Id"]]


def read_the_archive(page: Page, instance: Instance, post: Post) -> None:
    page.goto(f"{instance.url}/tema/open-source/")
    page.get_by_role("link", name=post.title).first.click()
    article = page.locator("main")
    expect(article).to_contain_text(post.first_words)
    expect(article).to_contain_text(post.original_author)
    expect(article).to_contain_text(post.blog)
    expect(article).not_to_contain_text("appeared first")
    expect(article).not_to_contain_text("first appeared on")
    expect(article).not_to_contain_text("[…]")
    assert page.locator(f"main a[href='{post.original_url}']").count() > 0

    unaccented = post.search.replace("à", "a").replace("é", "e")
    for words in (post.search, unaccented):
        page.goto(f"{instance.url}/cerca/")
        page.fill("main input[type=search]", words)
        page.locator("main form button").first.click()
        expect(page.get_by_role("link", name=post.title).first).to_be_visible()

    feed = feedparser.parse(page.request.get(f"{instance.url}/feed/rss/").body())
    assert [entry.title for entry in feed.entries] == [post.title]


def follow_the_mail(page: Page, instance: Instance, mail: Received, post: Post) -> None:
    """The web view shows the same; the unsubscribe link takes one press."""
    web_view = re.findall(rf"{instance.url}/newsletter/d/\S+?/(?=[\s\"])", mail.text)[0]
    page.goto(web_view)
    expect(page.get_by_role("link", name=post.title).first).to_be_visible()

    unsubscribe = re.findall(r"<(http[^>]+)>", str(mail.message["List-Unsubscribe"]))[0]
    page.goto(unsubscribe)
    buttons = page.locator("form[method=post] button")
    buttons.first.click()
    # There is nothing left to leave.
    expect(buttons).to_have_count(0)
    expect(page.locator("main h1")).to_be_visible()


@pytest.mark.parametrize("post", POSTS, ids=lambda post: post.feed.stem)
def test_a_post_goes_from_its_feed_to_a_mailbox_and_to_the_archive(
    chromium: Browser, feed_server: FeedServer, mailbox: Mailbox, tmp_path: Path, post: Post
) -> None:
    address = feed_server.serve("/feed/", post.feed.read_bytes())
    interested, other = "marta@posta.example", "pensionato@posta.example"
    with Instance(tmp_path, smtp_url=mailbox.url) as instance:
        instance.shell(SET_UP)
        context = chromium.new_context(viewport=LAPTOP, locale="it-IT")
        desk = context.new_page()
        phone = chromium.new_context(viewport=PHONE, locale="it-IT")
        reader = phone.new_page()

        log_in(desk, instance)
        add_the_feed(desk, instance, address)
        accept_the_article(desk, instance, post)
        subscribe(reader, instance, mailbox, interested, "Open source")
        subscribe(reader, instance, mailbox, other, "Pensioni")

        instance.shell(OPEN_SCHEDULE.format(seconds=30))
        approve_the_draft(desk, instance, post)

        (mail,) = wait_until(
            lambda: digests_of(mailbox, interested), seconds=180, what="the digest has arrived"
        )
        assert post.title in " ".join(mail.text.split())
        assert post.original_author in mail.text
        assert "List-Unsubscribe=One-Click" in mail.message["List-Unsubscribe-Post"]

        read_the_archive(reader, instance, post)
        follow_the_mail(reader, instance, mail, post)
        assert not phone.cookies()

        # One got it once; the other had nothing in their themes.
        assert digests_of(mailbox, other) == []
        assert len(digests_of(mailbox, interested)) == 1
        context.close()
        phone.close()
