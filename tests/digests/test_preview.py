"""What an editor sees beside the form is what the send renders."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from newsletter.digests.freeze import freeze_content, make_variant
from newsletter.digests.slots import TOKEN_SLOT
from tests.builders import NOW, make_article, make_digest, make_newsletter

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Any:
    return make_digest(
        make_newsletter(language="en"), articles=[make_article("Una notizia", themes=["Pensioni"])]
    )


def preview(digest: Any, mode: str) -> str:
    response = digest.make_preview_request(RequestFactory().get("/"), preview_mode=mode)
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_preview_is_the_mail_but_for_the_personal_links(digest: Any):
    shown = preview(digest, "mail")
    sent = make_variant(digest, freeze_content(digest, now=NOW), (0,), "en").html
    base = f"http://testserver/newsletter/m/{TOKEN_SLOT}/"
    slug = digest.newsletter.slug
    for path in (f"unsubscribe/{slug}/", f"pause/{slug}/", ""):
        sent = sent.replace(f'href="{base}{path}"', 'href="#"')
    assert shown == sent


def test_every_preview_mode_shows_the_articles(digest: Any):
    for mode, _ in digest.preview_modes:
        assert "Una notizia" in preview(digest, mode)


def test_an_unsaved_edit_is_seen(digest: Any):
    digest.introduction = "Appena scritta"
    assert "Appena scritta" in preview(digest, "mail")


def test_a_phone_and_a_computer_are_offered(digest: Any):
    assert [size["device_width"] for size in digest.preview_sizes] == [360, 1280]
