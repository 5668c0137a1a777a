"""The previews beside the editor and on the issue's page: for whom, with what, how heavy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.digests.models import Digest
from tests.admin.test_digests import form_data, url
from tests.builders import make_article, make_digest, make_member, make_newsletter
from tests.digests.blocks import make_image, picture, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Digest:
    newsletter = make_newsletter()
    make_member("tutto@posta.example", newsletter=newsletter)
    make_member("pensioni@posta.example", newsletter=newsletter, themes=["Pensioni"], language="en")
    articles = [
        make_article("Il contratto", themes=["Contratti"]),
        make_article("La pensione", themes=["Pensioni"]),
    ]
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    return make_digest(newsletter, articles=articles, slot=slot)


def test_the_editor_offers_a_preview_for_each_kind_of_reader(
    editor: Client, digest: Digest
) -> None:
    page = editor.get(url("edit", digest)).content.decode()
    assert "1 reader: Italian, 2 of the articles" in page
    assert "1 reader: English, 1 of the articles" in page
    article = digest.items.last().article_id
    preview = reverse("newsletter_digests:preview_on_edit", args=[digest.pk])
    assert editor.post(preview, form_data(digest)).json()["is_valid"]
    shown = editor.get(f"{preview}?mode=readers-en-{article}").content.decode()
    assert "La pensione" in shown
    assert "Il contratto" not in shown
    assert "Unsubscribe" in shown


def test_hidden_pictures_leave_their_description(editor: Client, digest: Digest) -> None:
    put(digest, picture(make_image()))
    shown = editor.get(url("mail", digest) + "?as=no-pictures").content.decode()
    assert 'src="data:,"' in shown
    assert "Una piazza piena di bandiere" in shown
    whole = editor.get(url("mail", digest)).content.decode()
    assert "data:image/jpeg;base64," in whole


def test_a_moderator_sees_what_a_certain_reader_gets(moderator: Client, digest: Digest) -> None:
    address = url("as_reader", digest)
    shown = moderator.post(address, {"address": "Pensioni@posta.example"}).content.decode()
    assert "La pensione" in shown
    assert "Il contratto" not in shown
    assert "posta.example" not in shown
    assert (
        "script-src 'none'" in moderator.post(address, {"address": "x"})["Content-Security-Policy"]
    )


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("nessuno@posta.example", "Nobody with that address gets this newsletter."),
        ("assente@posta.example", "Not included: Paused"),
        ("salute@posta.example", "Not included: Nothing in their themes"),
    ],
)
def test_or_why_that_reader_gets_nothing(
    moderator: Client, digest: Digest, written: str, why: str
) -> None:
    paused = make_member("assente@posta.example", newsletter=digest.newsletter)
    paused.subscriptions.update(paused_until=timezone.now() + timedelta(days=9))
    make_member("salute@posta.example", newsletter=digest.newsletter, themes=["Salute"])
    shown = moderator.post(url("as_reader", digest), {"address": written}).content.decode()
    assert why in shown
    assert written not in shown


def test_an_editor_cannot_ask_whether_somebody_is_a_member(editor: Client, digest: Digest) -> None:
    editor.post(url("as_reader", digest), {"address": "tutto@posta.example"})
    page = editor.get(url("overview", digest)).content.decode()
    assert "As a certain reader" not in page


def test_the_weight_is_told_as_it_stands(editor: Client, digest: Digest) -> None:
    assert editor.get(url("mail", digest) + "?as=weight").json()["kilobytes"] > 3
    assert "data-desk-weight" in editor.get(url("edit", digest)).content.decode()


def test_the_editor_says_which_article_leads_and_why(editor: Client, digest: Digest) -> None:
    page = editor.get(url("edit", digest)).content.decode()
    assert "The lead is “Il contratto”: chosen by an editor." in page
    digest.items.filter(is_lead=True).update(lead_reason="picture")
    draft = Digest.objects.get(pk=digest.pk)
    draft.save_revision()
    page = editor.get(url("edit", digest)).content.decode()
    assert "The lead is “Il contratto”: proposed because it has a picture." in page


def test_an_editor_proposes_anew_from_the_page(editor: Client, digest: Digest) -> None:
    now = timezone.now() - timedelta(minutes=1)
    make_article("Appena accettata", arrived_at=now, listed_at=now)
    page = editor.post(url("propose_anew", digest), follow=True).content.decode()
    assert "Proposed anew, with 1 article that was not in it." in page
    assert "Appena accettata" in page
