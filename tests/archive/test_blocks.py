"""An issue's free blocks on the web: the same words, the approved picture, the event's file."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import feedparser
import pytest
from django.test import Client
from icalendar import Calendar

from newsletter.archive.models import ArchivePage
from newsletter.delivery.freeze import approve
from newsletter.digests.models import Digest
from newsletter.digests.pictures import Picture
from tests.builders import NOW, make_article, make_digest, make_member, make_newsletter
from tests.digests.blocks import EVENT_ID, action, event, make_image, picture, poll, put, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest(archive: ArchivePage) -> Digest:
    newsletter = make_newsletter()
    make_member(newsletter=newsletter)
    digest = make_digest(newsletter, articles=[make_article("Il contratto")])
    put(
        digest, text("<p>Ciao</p>"), picture(make_image()), event(),
        closing=(action(), poll()),
    )  # fmt: skip
    return digest


def address(digest: Digest, tail: str = "") -> str:
    return f"/newsletter/d/{digest.uid}/{tail}"


def test_the_web_issue_shows_what_the_mail_says(client: Client, digest: Digest) -> None:
    approve(digest.pk, now=NOW)
    page = client.get(address(digest), follow=True).content.decode()
    for said in ("<p>Ciao</p>", "Thursday 23 July 2026, 10:00–12:30", "Firma", "Turni di notte?"):
        assert said in page
    kept = Picture.objects.get()
    assert f'src="http://testserver{address(digest, kept.sha256)}.jpg" alt="Una piazza' in page
    answer = client.get(address(digest, f"{kept.sha256}.jpg"))
    assert (answer.content, answer["Content-Type"]) == (bytes(kept.data), "image/jpeg")
    assert "immutable" in answer["Cache-Control"]


def test_the_event_is_a_file_for_the_readers_calendar(client: Client, digest: Digest) -> None:
    approve(digest.pk, now=NOW)
    answer = client.get(address(digest, f"{EVENT_ID}.ics"))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert 'filename="assemblea-generale.ics"' in answer["Content-Disposition"]
    found: Any = Calendar.from_ical(answer.content)
    assert str(found.walk("VEVENT")[0]["SUMMARY"]) == "Assemblea generale"
    assert client.get(address(digest, f"{uuid4()}.ics")).status_code == 404


def test_nothing_of_a_draft_has_an_address(client: Client, digest: Digest) -> None:
    assert client.get(address(digest, f"{EVENT_ID}.ics")).status_code == 404
    assert client.get(address(digest, f"{'0' * 64}.jpg")).status_code == 404


@pytest.mark.parametrize("kind", ["rss", "atom", "json"])
def test_a_newsletters_feed_carries_its_issues_whole(
    client: Client, digest: Digest, kind: str
) -> None:
    approve(digest.pk, now=NOW)
    answer = client.get(f"/numero/{digest.newsletter.slug}/feed/{kind}/")
    if kind == "json":
        (entry,) = answer.json()["items"]
        said = entry["content_html"]
    else:
        feed = feedparser.parse(answer.content)
        assert not feed.bozo
        (found,) = feed.entries
        assert found.id == f"urn:uuid:{digest.uid}"
        said = found.summary
    for part in ("Ciao", "Assemblea generale", "Il contratto", "Firma", "Turni di notte?"):
        assert part in said


def test_a_feed_tells_nothing_of_a_draft(client: Client, digest: Digest) -> None:
    answer = client.get(f"/numero/{digest.newsletter.slug}/feed/rss/")
    assert "Assemblea" not in answer.content.decode()


def test_a_notice_without_articles_goes_to_everybody_and_stands_in_the_archive(
    client: Client, archive: ArchivePage
) -> None:
    newsletter = make_newsletter()
    make_member(newsletter=newsletter, themes=["Pensioni"])
    digest = make_digest(newsletter, subject="Sciopero venerdì", preheader="")
    put(digest, text("<p>Incrociamo le braccia.</p>"), event(title="Presidio"))
    assert approve(digest.pk, now=NOW).deliveries == 1
    for page in (client.get("/"), client.get(address(digest), follow=True)):
        assert "Sciopero venerdì" in page.content.decode()
    feed = client.get(f"/numero/{newsletter.slug}/feed/rss/").content.decode()
    assert "Incrociamo le braccia." in feed
