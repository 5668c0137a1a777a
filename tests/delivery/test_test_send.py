from __future__ import annotations

import time

import pytest

from newsletter.delivery.models import Delivery
from newsletter.delivery.test_send import send_test
from newsletter.exceptions import TransportError
from tests.builders import NOW, make_article, make_digest, make_member, make_newsletter
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db


def test_a_draft_arrives_marked_and_outside_the_ledger(smtp: ScriptedServer) -> None:
    newsletter = make_newsletter()
    make_member("anna@posta.example", newsletter=newsletter)
    digest = make_digest(newsletter, articles=[make_article("Il fondo pensione")])
    said = send_test(digest, ["redazione@union.example"], language="en", now=NOW)
    assert said == {"redazione@union.example": ""}
    (mail,) = smtp.received
    assert mail.recipients == ("redazione@union.example",)
    assert mail.subject == "[Test] Le notizie della settimana"
    assert "Il fondo pensione" in mail.html
    assert "Il fondo pensione" in mail.text
    assert mail.message["List-Unsubscribe"] is None
    assert "TOKENSLOT" not in mail.html + mail.text
    assert not Delivery.objects.exists()


def test_the_latest_draft_goes_not_the_saved_row(smtp: ScriptedServer) -> None:
    digest = make_digest(make_newsletter(), articles=[make_article()])
    draft = digest.get_latest_revision_as_object()
    draft.subject = "Titolo nuovo"
    draft.save_revision()
    send_test(digest, ["redazione@union.example"], language="it", now=NOW)
    assert smtp.received[0].subject.endswith("Titolo nuovo")


def test_each_address_gets_its_own_answer(smtp: ScriptedServer) -> None:
    smtp.answer("rcpt", "550 5.1.1 nobody", match="ghost")
    digest = make_digest(make_newsletter(), articles=[make_article()])
    wanted = [
        "no address",
        "ghost@posta.example",
        "a@b.example\nBcc: b@c.example",
        "c@d.example",
    ]
    said = send_test(digest, wanted, language="it", now=NOW)
    assert said["ghost@posta.example"] == "550 5.1.1 nobody"
    assert said["c@d.example"] == ""
    assert said["no address"]
    assert said[wanted[2]]
    assert [mail.recipients for mail in smtp.received] == [("c@d.example",)]


def test_no_mail_server_is_one_clear_error() -> None:
    digest = make_digest(make_newsletter(), articles=[make_article()])
    with pytest.raises(TransportError, match="cannot be reached"):
        send_test(digest, ["redazione@union.example"], language="it", now=NOW)


def test_a_slow_server_is_not_waited_for_ten_times(smtp: ScriptedServer) -> None:
    smtp.wait("rcpt", 1.0, "250 OK")
    digest = make_digest(make_newsletter(), articles=[make_article()])
    wanted = [f"{number}@posta.example" for number in range(3)]
    said = send_test(digest, wanted, language="it", now=NOW, seconds=1.8)
    assert said[wanted[0]] == ""
    assert "no answer in time" in said[wanted[1]]
    assert "takes too long" in said[wanted[2]]
    assert len(smtp.received) == 1


def test_an_answer_that_does_not_come_is_not_waited_for_as_long_as_a_digest_would(
    smtp: ScriptedServer,
) -> None:
    smtp.wait("reply", 5, "250 2.0.0 Ok")
    digest = make_digest(make_newsletter(), articles=[make_article()])
    began = time.monotonic()
    said = send_test(digest, ["a@b.example", "c@d.example"], language="it", now=NOW, seconds=0.5)
    assert time.monotonic() - began < 4
    assert "no answer in time" in said["a@b.example"]
    assert "takes too long" in said["c@d.example"]
