"""What search engines are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser
from uuid import uuid4

from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import etree
from wagtail.models import PageViewRestriction

from newsletter import conf
from newsletter.archive.models import ArchivePage
from newsletter.digests.models import Digest
from newsletter.themes.models import ThemeAssignment
from tests.builders import make_article, make_newsletter, make_theme


def listed(client: Client) -> list[str]:
    response = client.get("/sitemap.xml")
    assert response.status_code == 200
    root = etree.fromstring(response.content)
    return [one.text or "" for one in root.iter("{*}loc")]


def test_sitemap_lists_what_is_public_and_every_address_in_it_answers(
    client: Client, archive: ArchivePage, make_issue: Callable[..., Digest]
) -> None:
    theme, empty = make_theme("pensioni"), make_theme("vuoto")
    article = make_article("Una notizia", state="accepted")
    ThemeAssignment.objects.create(article=article, theme=theme, decision="confirmed")
    out = make_issue(article)
    hidden = make_issue(
        make_article("Altra"), newsletter=make_newsletter("Interna", is_public=False)
    )
    later = make_issue(
        make_article("Domani"),
        newsletter=out.newsletter,
        status=Digest.Status.APPROVED,
        slot=timezone.now() + timedelta(days=1),
    )
    addresses = listed(client)
    assert all(one.startswith(conf.site_url("/")) for one in addresses)
    paths = [urlsplit(one).path for one in addresses]
    links = archive.links
    assert {"/", "/temi/", "/articoli/", "/archivio/"} <= set(paths)
    assert links.theme(theme) in paths
    assert links.issue(out) in paths
    assert links.theme(empty) not in paths
    assert links.issue(hidden) not in paths
    assert links.issue(later) not in paths
    # An article's page names its source as the original.
    assert links.article(article) not in paths
    assert len(paths) == len(set(paths))
    for path in paths:
        page = client.get(path)
        assert page.status_code == 200, path
        assert b"noindex" not in page.content, path


def test_sitemap_of_an_archive_that_is_not_public_lists_nothing(
    client: Client, archive: ArchivePage
) -> None:
    PageViewRestriction.objects.create(
        page=archive.page_ptr, restriction_type=PageViewRestriction.LOGIN
    )
    assert listed(client) == []


def test_robots_are_kept_from_personal_pages_forms_and_the_search(
    client: Client, archive: ArchivePage
) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    robots = RobotFileParser()
    robots.parse(answer.content.decode().splitlines())
    token = "x" * 32
    closed = [
        reverse("wagtailadmin_home"),
        reverse("newsletter:subscribe"),
        reverse("newsletter:subscribe-sent"),
        reverse("newsletter:confirm", args=[token]),
        reverse("newsletter:confirm-address", args=[token]),
        reverse("newsletter:preferences", args=[token]),
        reverse("newsletter:export-json", args=[token]),
        archive.links.search() + "?q=pensioni",
    ]
    for path in closed:
        assert not robots.can_fetch("AnyBot", path), path
    assert robots.site_maps() == [settings.SITE_URL + "/sitemap.xml"]
    opened = ["/", "/temi/", "/articoli/", reverse("newsletter:web-view", args=[uuid4()])]
    for path in opened:
        assert robots.can_fetch("AnyBot", path), path
