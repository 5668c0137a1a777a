"""Free blocks in the digest's editor, and what the page says of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from wagtail.test.utils.form_data import nested_form_data, streamfield

from newsletter.digests.blocks import FreeBlocks
from newsletter.digests.models import Digest
from tests.admin.test_digests import approve, form_data, url
from tests.builders import make_article, make_digest, make_member, make_newsletter
from tests.digests.blocks import event, poll, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Digest:
    newsletter = make_newsletter()
    make_member(newsletter=newsletter)
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    return make_digest(newsletter, articles=[make_article("Il contratto")], slot=slot)


def test_an_editor_adds_an_event_and_sees_it_in_the_mail(editor: Client, digest: Digest) -> None:
    value = {
        "title": "Assemblea", "starts": "2030-07-23 10:00", "ends": "", "place": "Sala grande",
        "text": "", "link": "",
    }  # fmt: skip
    typed = nested_form_data({"opening": streamfield([("event", value)])})
    answer = editor.post(url("edit", digest), form_data(digest, **typed))
    assert answer.status_code == 302
    mail = editor.get(url("mail", digest)).content.decode()
    assert "Assemblea" in mail
    assert "martedì 23 luglio 2030, 10:00" in mail


def test_what_is_over_by_then_is_named_before_approval(editor: Client, digest: Digest) -> None:
    put(digest, event(title="Presidio"), poll(closes="2026-01-31"))
    page = editor.get(url("overview", digest)).content.decode()
    assert "“Presidio” is over when the issue goes out." in page
    assert "“Turni di notte?” is closed when the issue goes out." in page


def test_an_issue_without_articles_is_filled_by_an_editors_own_words(
    editor: Client, moderator: Client
) -> None:
    newsletter = make_newsletter(frequency="manual")
    make_member(newsletter=newsletter, themes=["Pensioni"])
    editor.post(reverse("newsletter_digests:add"), {"newsletter": newsletter.pk, "slot": ""})
    digest = Digest.objects.get()
    assert digest.status == Digest.Status.SKIPPED
    words = nested_form_data({"opening": streamfield([("poll", POLL)])})
    editor.post(url("edit", digest), form_data(digest, subject="Si vota", **words))
    digest.refresh_from_db()
    assert (digest.status, digest.number) == (Digest.Status.DRAFT, 1)
    page = editor.get(url("overview", digest)).content.decode()
    assert "It has no articles: everybody gets what you wrote around them." in page
    assert "Italian · what you wrote</a>" in page
    approve(moderator, digest)
    assert digest.status == Digest.Status.APPROVED
    page = editor.get(url("overview", digest)).content.decode()
    assert "None: what you wrote" in page[page.index('desk-variants">') :]


def test_a_poll_is_called_one_in_italian_too() -> None:
    """To poll a feed is another word there."""
    with override("it"):
        names = [str(block.label) for block in FreeBlocks().child_blocks.values()]
    assert names == ["Testo", "Immagine", "Appuntamento", "Invito ad agire", "Sondaggio"]


POLL = {"question": "Si sciopera?", "text": "", "link": "https://voto.example/1", "closes": ""}
