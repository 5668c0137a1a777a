"""A test to a saved list, and the links followed from the issue's page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter import tasks
from newsletter.delivery.proof_lists import ProofList
from newsletter.digests.models import Digest
from tests.admin.test_digests import url
from tests.builders import make_article, make_digest, make_newsletter
from tests.servers import FeedServer, Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest(feed_server: FeedServer) -> Digest:
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    article = make_article("Il contratto", url=f"{feed_server.url}/sparito/")
    return make_digest(make_newsletter(), articles=[article], slot=slot)


def test_an_editor_saves_a_list_and_sends_it_a_test(
    editor: Client, digest: Digest, mailbox: Mailbox, settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    written = "anna@union.example, bruno@union.example\nanna@union.example"
    typed = {"name": "Redazione", "addresses": written}
    editor.post(reverse("newsletter_proof_lists:add"), typed)
    saved = ProofList.objects.get()
    assert saved.addresses == "anna@union.example\nbruno@union.example"
    assert "Redazione" in editor.get(url("overview", digest)).content.decode()
    data = {"addresses": "io@union.example", "saved": saved.pk, "language": "it"}
    page = editor.post(url("overview", digest), data, follow=True).content.decode()
    assert "3 tests sent." in page
    assert len(mailbox.of("bruno@union.example")) == 1
    page = editor.post(url("overview", digest), data | {"addresses": ""}, follow=True)
    assert "2 tests sent." in page.content.decode()


def test_a_list_takes_ten_addresses_that_are_some(editor: Client) -> None:
    many = ", ".join(f"n{number}@union.example" for number in range(11))
    for wrong in (many, "anna"):
        address = reverse("newsletter_proof_lists:add")
        assert editor.post(address, {"name": "Redazione", "addresses": wrong}).status_code == 200
    assert not ProofList.objects.exists()


def test_a_test_to_nobody_is_asked_whom_to(editor: Client, digest: Digest) -> None:
    answer = editor.post(url("overview", digest), {"addresses": "", "language": "it"})
    assert answer.status_code == 422
    assert "To whom?" in answer.content.decode()


def followed(client: Client, digest: Digest) -> str:
    """The page when a worker has followed the links that somebody asked for."""
    client.post(url("follow_links", digest))
    tasks.follow_digest_links(digest.pk)
    return client.get(url("overview", digest)).content.decode()


def test_a_dead_link_is_named_by_its_article(editor: Client, digest: Digest) -> None:
    page = editor.get(url("overview", digest)).content.decode()
    assert "1 link has not been followed yet." in page
    page = followed(editor, digest)
    assert "The links were followed just now" in page
    assert "not there: “Il contratto” (404): http://127.0.0.1" in page


def test_a_link_that_was_mended_is_asked_again_at_once(
    editor: Client, digest: Digest, feed_server: FeedServer
) -> None:
    followed(editor, digest)
    feed_server.serve("/sparito/", "<p>Di nuovo qui</p>")
    page = followed(editor, digest)
    assert "Its links were followed, and lead somewhere." in page
    assert "not been followed" not in page
