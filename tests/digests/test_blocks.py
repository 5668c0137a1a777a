"""What editors put around the articles: in the mail, in its text, and frozen with the approval."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from lxml import html as lxml_html
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.models import Page

from newsletter.delivery.control import start_due
from newsletter.delivery.freeze import approve
from newsletter.delivery.send import send_batches
from newsletter.delivery.test_send import send_test
from newsletter.digests.blocks import EventBlock, PictureBlock
from newsletter.digests.content import DigestContent, content_of
from newsletter.digests.models import Digest
from newsletter.digests.pictures import Picture
from newsletter.digests.render import Rendered, render
from newsletter.digests.slots import TOKEN_SLOT
from tests.builders import NOW, make_article, make_digest, make_member, make_newsletter
from tests.digests.blocks import action, event, make_image, picture, poll, put, text
from tests.servers import Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Digest:
    newsletter = make_newsletter()
    make_member("lettrice@posta.example", newsletter=newsletter)
    return make_digest(newsletter, articles=[make_article("Il contratto è firmato")])


def mail(digest: Digest, language: str = "it", **how: Any) -> Rendered:
    return render(content_of(digest), positions=[0], language=language, **how)


def words(html: str) -> str:
    return " ".join(lxml_html.document_fromstring(html).body.text_content().split())


def test_blocks_stand_above_and_below_the_articles_in_html_and_text(digest: Digest):
    put(digest, text("<p>Ciao a <b>tutti</b></p>"), closing=(poll(),))
    sent = mail(digest)
    for whole in (words(sent.html), sent.text):
        above = whole.index("Ciao a tutti")
        assert above < whole.index("Il contratto è firmato") < whole.index("Turni di notte?")


def test_a_text_keeps_emphasis_lists_and_links_and_nothing_else(digest: Digest):
    put(
        digest,
        text(
            '<p onclick="x()">Leggi <a href="https://cgil.example/a">qui</a></p>'
            "<ul><li>uno</li></ul><script>alert(1)</script>"
        ),
    )
    sent = mail(digest)
    assert "script" not in sent.html
    assert "onclick" not in sent.html
    assert "Leggi qui\nhttps://cgil.example/a\n- uno" in sent.text


def test_a_link_to_a_page_of_the_site_leads_there_from_a_mailbox(digest: Digest):
    page = Page.objects.filter(depth=2).first() or Page.objects.first()
    put(
        digest,
        text(f'<p><a linktype="page" id="{page.pk}">Sito</a> <a href="/chi-siamo/">noi</a></p>'),
    )
    links = lxml_html.document_fromstring(mail(digest).html).xpath("//div//a/@href")
    assert links[-1] == "http://testserver/chi-siamo/"
    assert all(link.startswith("http") for link in links)


@pytest.mark.parametrize(
    ("language", "when"),
    [
        ("it", "giovedì 23 luglio 2026, 10:00–12:30"),
        ("en", "Thursday 23 July 2026, 10:00–12:30"),
    ],
)
def test_an_event_says_when_and_where_in_the_readers_language(
    digest: Digest, language: str, when: str
):
    put(digest, event())
    sent = mail(digest, language)
    for whole in (words(sent.html), sent.text):
        assert when in whole
        assert "Sala grande, edificio 36" in whole
    assert ".ics" in sent.html
    assert ".ics" in sent.text


def test_a_call_to_action_is_a_button_with_its_own_words(digest: Digest):
    put(digest, action())
    link = lxml_html.document_fromstring(mail(digest).html).xpath("//a[text()='Firma']")[0]
    assert link.get("href") == "https://petizioni.example/1"
    assert "Firma:\nhttps://petizioni.example/1" in mail(digest).text


def test_a_picture_travels_inside_the_mail_and_is_described(
    digest: Digest, mailbox: Mailbox, settings: Any
):
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    put(digest, picture(make_image(), caption="Foto di Anna"))
    approve(digest.pk, now=NOW)
    start_due(now=NOW)
    send_batches(digest.pk, clock=lambda: NOW)
    received = mailbox.of("lettrice@posta.example")[0]
    page = lxml_html.document_fromstring(received.html)
    shown = page.xpath("//img")[0]
    assert shown.get("alt") == "Una piazza piena di bandiere"
    assert (shown.get("width"), shown.get("height")) == ("560", "315")
    assert not [one for one in page.xpath("//@src") if not one.startswith("cid:")]
    related = [part for part in received.message.walk() if part["Content-ID"]]
    assert [part["Content-ID"] for part in related] == [f"<{shown.get('src')[4:]}>"]
    assert isinstance(related[0], EmailMessage)
    assert related[0].get_content() == bytes(Picture.objects.get().data)
    assert "[Immagine: Una piazza piena di bandiere]" in received.text
    assert not received.message.defects


def test_a_test_mail_of_a_draft_has_the_picture_too(
    digest: Digest, mailbox: Mailbox, settings: Any
):
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    put(digest, picture(make_image()))
    send_test(digest, ["io@union.example"], language="it", now=NOW)
    received = mailbox.of("io@union.example")[0]
    assert [part.get_content_type() for part in received.message.walk()][-1] == "image/jpeg"


def test_what_was_approved_stays_when_block_and_picture_change(digest: Digest):
    image = make_image()
    put(digest, picture(image), text("<p>Prima</p>"))
    approve(digest.pk, now=NOW)
    digest.refresh_from_db()
    approved, data = digest.content_hash, bytes(Picture.objects.get().data)
    image.file.storage.delete(image.file.name)
    image.delete()
    draft = digest.get_latest_revision_as_object()
    draft.opening = draft._meta.get_field("opening").to_python([text("<p>Dopo</p>")])
    draft.save_revision()
    digest.refresh_from_db()
    content = DigestContent.from_json(digest.content or {})
    assert content.hash() == approved == digest.content_hash
    assert content.opening[1].html == "<p>Prima</p>"
    assert bytes(Picture.objects.get().data) == data


def test_the_hash_covers_the_blocks_and_the_very_picture(digest: Digest):
    hashes = {content_of(digest).hash()}
    for block in (text("<p>Uno</p>"), event(), picture(make_image()),
                  picture(make_image(size=(900, 900)))):  # fmt: skip
        put(digest, block)
        hashes.add(content_of(digest).hash())
    assert len(hashes) == 5


def test_a_picture_that_left_the_library_is_left_out(digest: Digest):
    image = make_image()
    put(digest, picture(image), text("<p>Resto</p>"))
    image.delete()
    assert [block.kind for block in content_of(digest).opening] == ["text"]
    assert "Resto" in mail(digest).html


def test_a_block_cannot_smuggle_the_slot_in(digest: Digest):
    link = f"https://spy.example/?t={TOKEN_SLOT}"
    put(
        digest,
        text(f'<p><a href="{link}">{TOKEN_SLOT}</a></p>', TOKEN_SLOT),
        action(label=TOKEN_SLOT, link=link, text=TOKEN_SLOT),
        event(title=TOKEN_SLOT, place=TOKEN_SLOT),
        picture(make_image(), alt=TOKEN_SLOT, link=link),
    )
    sent = mail(digest)
    assert sent.html.count(TOKEN_SLOT) == 3
    assert sent.text.count(TOKEN_SLOT) == 3


def test_what_stood_in_an_older_approval_is_still_read(digest: Digest):
    data = content_of(digest).to_json()
    del data["opening"], data["closing"]
    assert DigestContent.from_json(data).blocks == ()


@pytest.mark.parametrize("alt", ["IMG_0042.jpg", "dsc-1234", "piazza.png"])
def test_a_file_name_is_no_description(alt: str):
    block = PictureBlock()
    value = block.to_python({"image": make_image().pk, "alt": alt, "caption": "", "link": ""})
    with pytest.raises(StructBlockValidationError) as refused:
        block.clean(value)
    assert list(refused.value.block_errors) == ["alt"]


def test_a_description_is_required():
    block = PictureBlock()
    value = block.to_python({"image": make_image().pk, "alt": "", "caption": "", "link": ""})
    with pytest.raises(StructBlockValidationError) as refused:
        block.clean(value)
    assert list(refused.value.block_errors) == ["alt"]


def test_an_event_does_not_end_before_it_begins():
    block = EventBlock()
    value = block.to_python(event()["value"] | {"ends": "2026-07-23T09:00:00+02:00"})
    with pytest.raises(StructBlockValidationError) as refused:
        block.clean(value)
    assert list(refused.value.block_errors) == ["ends"]
