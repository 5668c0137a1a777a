"""“Follow the links now”: the request does not wait, and the send screen is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter import tasks
from newsletter.digests.link_requests import PATIENCE, LinkRequest
from newsletter.digests.models import Digest
from tests.builders import make_article, make_digest, make_newsletter
from tests.digests.blocks import action, put, text
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
UNDER_WAY = "The links are being followed in the background"


@pytest.fixture
def digest(feed_server: FeedServer) -> Digest:
    article = make_article("Sparito", url=f"{feed_server.url}/sparito/")
    slot = timezone.now() + timedelta(days=9)
    return make_digest(make_newsletter(), articles=[article], slot=slot)


def press(client: Client, digest: Digest) -> str:
    url = reverse("newsletter_digests:follow_links", args=[digest.pk])
    return client.post(url, follow=True).content.decode()


def page(client: Client, digest: Digest, **query: str) -> str:
    url = reverse("newsletter_digests:overview", args=[digest.pk])
    return client.get(url, query).content.decode()


def test_the_links_are_followed_by_a_worker_and_the_page_says_what_was_found(
    editor: Client, digest: Digest, feed_server: FeedServer
) -> None:
    at_once = press(editor, digest)
    assert UNDER_WAY in at_once
    assert "data-desk-live=" in at_once
    assert "Follow the links now" not in at_once
    assert "data-desk-live=" in page(editor, digest, live="1")
    assert feed_server.requests == []

    tasks.follow_digest_links(digest.pk)
    assert "data-desk-live=" not in page(editor, digest, live="1")
    then = page(editor, digest)
    assert "The links were followed just now" in then
    assert "Links to pages that are not there" in then
    assert "Follow the links now" in then
    assert UNDER_WAY not in then


def test_links_that_nobody_follows_are_not_waited_for_for_ever(
    editor: Client, digest: Digest
) -> None:
    press(editor, digest)
    LinkRequest.objects.update(asked_at=timezone.now() - PATIENCE)
    given_up = page(editor, digest)
    assert "Nothing came within 10 minutes" in given_up
    assert "data-desk-live=" not in given_up
    assert "Follow the links now" in given_up
    assert UNDER_WAY in press(editor, digest)


def test_what_was_asked_long_ago_is_not_told_any_more(editor: Client, digest: Digest) -> None:
    press(editor, digest)
    LinkRequest.objects.update(asked_at=timezone.now() - timedelta(days=1))
    assert "Nothing came within" not in page(editor, digest)


def test_following_is_offered_only_where_there_are_links(editor: Client) -> None:
    slot = timezone.now() + timedelta(days=9)
    notice = make_digest(make_newsletter(frequency="manual"), slot=slot)
    put(notice, text("<p>Domani si sciopera.</p>"))
    assert "Follow the links now" not in page(editor, notice)
    put(notice, text("<p>Domani si sciopera.</p>"), action())
    assert "Follow the links now" in page(editor, notice)
