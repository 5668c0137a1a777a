"""Feeds from another reader: looked at first, added by choice."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from newsletter.desk.opml import AT_ONCE
from newsletter.feeds.models import Feed
from newsletter.feeds.opml import LARGEST_FILE, read_opml
from tests.builders import make_feed

pytestmark = pytest.mark.django_db
IMPORT = reverse("newsletter_feeds:import")


def upload(client: Client, body: bytes) -> str:
    file = SimpleUploadedFile("feeds.opml", body, content_type="text/x-opml")
    return client.post(IMPORT, {"file": file}).content.decode()


def listing(*urls: str) -> bytes:
    outlines = "".join(f'<outline text="Feed &lt;{n}>" xmlUrl="{u}"/>' for n, u in enumerate(urls))
    return f'<opml version="2.0"><body>{outlines}</body></opml>'.encode()


def hidden_list(page: str) -> str:
    found = re.search(r'name="list" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_file_is_shown_first_and_what_is_ticked_is_added(moderator: Client) -> None:
    make_feed("https://known.example/feed/")
    page = upload(
        moderator,
        listing(
            "https://a.example/feed/",
            "https://b.example/feed/",
            "https://known.example/feed/",
            "http://192.168.1.1/feed/",
        ),
    )
    assert "2 feeds can be added" in page
    assert "1 is there already" in page
    assert "1 cannot be added" in page
    assert "a private address" in page
    assert "Feed &lt;0&gt;" in page
    assert Feed.objects.count() == 1
    moderator.post(IMPORT, {"list": hidden_list(page), "feed": ["1"]})
    assert {feed.url for feed in Feed.objects.all()} == {
        "https://known.example/feed/",
        "https://b.example/feed/",
    }


def test_a_list_that_was_tampered_with_adds_nothing(moderator: Client) -> None:
    page = upload(moderator, listing("https://a.example/feed/"))
    moderator.post(IMPORT, {"list": hidden_list(page) + "x", "feed": ["0"]})
    assert not Feed.objects.exists()


def test_nothing_ticked_adds_nothing_and_says_so(moderator: Client) -> None:
    page = upload(moderator, listing("https://a.example/feed/"))
    said = moderator.post(IMPORT, {"list": hidden_list(page)}, follow=True).content.decode()
    assert "No feed is ticked" in said
    assert not Feed.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>no</html>", "not an OPML file"),
        (b"\x00\x01\x02", "not an OPML file"),
        (b"<opml><body/></opml>", "There is no feed in this file"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml><body>&a;</body></opml>', "defines entities"),
        (b"<opml>" + b" " * LARGEST_FILE, "larger than 5 MB"),
        (listing(*(f"https://b{n}.example/" for n in range(10_000))), "lists 10000 feeds"),
    ],
    ids=["html", "bytes", "empty", "entities", "huge", "many"],
)
def test_a_hostile_file_is_answered_in_plain_words(
    body: bytes, said: str, moderator: Client
) -> None:
    assert said in upload(moderator, body)


def test_a_long_list_is_offered_in_parts(moderator: Client) -> None:
    body = listing(*(f"https://b{n}.example/feed/" for n in range(AT_ONCE + 20)))
    page = upload(moderator, body)
    assert f"Here are the first {AT_ONCE}" in page
    every = [str(n) for n in range(AT_ONCE)]
    moderator.post(IMPORT, {"list": hidden_list(page), "feed": every})
    assert Feed.objects.count() == AT_ONCE
    assert "20 feeds can be added" in upload(moderator, body)


def test_what_is_exported_is_what_is_there(editor: Client) -> None:
    make_feed("https://a.example/feed/?a=1&b=2", title="Perché")
    response = editor.get(reverse("newsletter_feeds:export"))
    assert "attachment" in response["Content-Disposition"]
    (outline,) = read_opml(response.content)
    assert (outline.url, outline.title) == ("https://a.example/feed/?a=1&b=2", "Perché")
