"""The archive is no source of its own."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import translation
from wagtail.models import Site

from newsletter.archive.models import ArchivePage
from newsletter.archive.own_feeds import against_own_feeds
from newsletter.feeds.models import Feed
from tests.admin.conftest import client_for
from tests.builders import make_feed
from tests.servers import FeedServer
from tests.tasks.test_tick import RSS

SAID = "This is the archive of this very site"


@pytest.fixture
def at_union(archive: ArchivePage, settings: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SITE_URL": "https://union.example"}


@pytest.mark.usefixtures("at_union")
@pytest.mark.parametrize(
    "address",
    [
        "https://union.example",
        "http://UNION.example:80/",
        "https://union.example/feed/rss/",
        "https://union.example//tema/pensioni/feed/atom?x=1",
        "https://union.example/numero/ogni-settimana/feed/json/",
        "https://union.example/archivio/",
        "http://localhost/feed/rss/",  # as Wagtail's own record of the site has it
    ],
)
def test_an_address_of_the_archive_is_no_source(address: str) -> None:
    assert SAID in against_own_feeds()(address)


@pytest.mark.usefixtures("at_union")
@pytest.mark.parametrize(
    "address",
    [
        "https://union.example/blog/feed/rss/",
        "https://union.example/feedback/",
        "https://union.example:8443/feed/rss/",
        "https://blog.union.example/feed/rss/",
        "https://other.example/numero/uno/feed/rss/",
        "https://[union.example/feed/",
    ],
)
def test_another_blog_is_a_source_on_the_same_host_too(address: str) -> None:
    assert against_own_feeds()(address) == ""


def test_beside_an_archive_in_a_folder_the_root_may_be_a_blog(
    archive: ArchivePage, settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SITE_URL": "https://union.example"}
    root = archive.get_parent()
    Site.objects.update(root_page=root)
    Site.clear_site_root_paths_cache()
    why_not = against_own_feeds()
    assert why_not("https://union.example/archivio/feed/rss/")
    assert why_not("https://union.example/archivio")
    assert not why_not("https://union.example/feed/rss/")


@pytest.mark.usefixtures("at_union")
def test_form_refuses_it_without_asking_the_site() -> None:
    page = client_for("moderator").post(
        reverse("newsletter_feeds:add"), {"url": "https://union.example/feed/rss/"}
    )
    assert SAID in page.content.decode()


def test_form_refuses_it_behind_another_address(
    archive: ArchivePage, settings: Any, feed_server: FeedServer
) -> None:
    own = feed_server.serve("/feed/rss/", RSS)
    settings.NEWSLETTER = settings.NEWSLETTER | {"SITE_URL": own.removesuffix("/feed/rss/")}
    link = '<link rel="alternate" type="application/rss+xml" href="/feed/rss/">'
    door = feed_server.serve(
        "/benvenuti/", f"<html><head>{link}</head></html>", headers={"Content-Type": "text/html"}
    )
    page = client_for("moderator").post(reverse("newsletter_feeds:add"), {"url": door})
    assert SAID in page.content.decode()
    with pytest.raises(CommandError, match=SAID):
        call_command("add_feed", door, stdout=StringIO(), stderr=StringIO())
    assert not Feed.objects.exists()


@pytest.mark.usefixtures("at_union")
def test_command_refuses_it() -> None:
    with pytest.raises(CommandError, match=SAID):
        call_command("add_feed", "https://union.example/", stdout=StringIO(), stderr=StringIO())


@pytest.mark.usefixtures("at_union")
def test_list_of_feeds_is_taken_without_it(tmp_path: Path) -> None:
    urls = ["https://union.example/feed/rss/", "https://blog.example/feed/"]
    outlines = "".join(f'<outline text="Un blog" xmlUrl="{url}"/>' for url in urls)
    body = f'<opml version="2.0"><body>{outlines}</body></opml>'
    upload = SimpleUploadedFile("feeds.opml", body.encode(), content_type="text/x-opml")
    shown = client_for("moderator").post(reverse("newsletter_feeds:import"), {"file": upload})
    assert SAID in shown.content.decode()
    file = tmp_path / "feeds.opml"
    file.write_text(body)
    with translation.override("en"):
        call_command("import_opml", str(file), stdout=(said := StringIO()))
    assert SAID in said.getvalue()
    assert [feed.url for feed in Feed.objects.all()] == ["https://blog.example/feed/"]


@pytest.mark.usefixtures("at_union")
def test_a_feed_is_not_led_to_it_afterwards() -> None:
    feed = make_feed("https://blog.example/feed/")
    page = client_for("moderator").post(
        reverse("newsletter_feeds:edit", args=[feed.pk]), {"url": "https://union.example/"}
    )
    assert SAID in page.content.decode()
