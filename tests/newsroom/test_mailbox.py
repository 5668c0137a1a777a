"""The demo's mailbox keeps what it receives and shows it."""

from __future__ import annotations

import json
import smtplib
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from demo import mailbox_pages
from demo.mailbox import Mailbox


@pytest.fixture
def demo_mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mailbox") as mailbox:
        yield mailbox


def send(mailbox: Mailbox, *, to: str = "anna@iscritti.example", html: str = "") -> None:
    mail = EmailMessage()
    mail["From"] = "Redazione <redazione@bollettino.example>"
    mail["To"] = to
    mail["Subject"] = "N. 1: l’accordo è <firmato>"
    mail.set_content("Perché conta: più tempo per tutti.\n")
    if html:
        mail.add_alternative(html, subtype="html")
    host, _, port = mailbox.smtp_url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port)) as smtp:
        smtp.send_message(mail)


def get(url: str, **headers: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.read().decode(), dict(answer.headers)


def test_a_mail_lies_in_the_folder_as_a_file_a_mail_program_can_open(
    demo_mailbox: Mailbox, tmp_path: Path
) -> None:
    send(demo_mailbox)
    (file,) = (tmp_path / "mailbox").glob("*.eml")
    assert b"To: anna@iscritti.example" in file.read_bytes()


def test_the_list_shows_recipient_and_subject_with_markup_escaped(demo_mailbox: Mailbox) -> None:
    send(demo_mailbox)
    page, _ = get(demo_mailbox.url)
    assert "anna@iscritti.example" in page
    assert "l’accordo è &lt;firmato&gt;" in page
    assert "1 mail<" in page


def test_the_list_can_be_narrowed_to_one_recipient(demo_mailbox: Mailbox) -> None:
    send(demo_mailbox, to="anna@iscritti.example")
    send(demo_mailbox, to="bruno@iscritti.example")
    page, _ = get(f"{demo_mailbox.url}/?to=bruno@iscritti.example")
    assert "from Redazione" in page
    assert "anna@iscritti.example" not in page


def test_its_pages_speak_the_browsers_language(demo_mailbox: Mailbox) -> None:
    send(demo_mailbox, html="<p>Ciao</p>")
    (row,) = json.loads(get(f"{demo_mailbox.url}/mails.json")[0])
    italian = {"Accept-Language": "it-IT,it;q=0.9,en;q=0.8"}
    listed, _ = get(demo_mailbox.url, **italian)
    assert '<html lang="it">' in listed
    assert "1 messaggio<" in listed
    assert "da Redazione" in listed
    assert "Sorgente" in get(f"{demo_mailbox.url}/mail/{row['name']}", **italian)[0]
    # German is not among them; of those it may be instead, Italian comes first.
    second, _ = get(demo_mailbox.url, **{"Accept-Language": "de, it;q=0.5, en;q=0.3"})
    assert "Tutti i messaggi" not in second
    assert "Casella di posta" in second
    assert "Mailbox" in get(demo_mailbox.url)[0]


def test_the_languages_say_the_same_things() -> None:
    assert mailbox_pages.WORDS["it"].keys() == mailbox_pages.WORDS["en"].keys()


def test_a_mail_is_shown_as_text_and_as_html_that_can_run_no_script(demo_mailbox: Mailbox) -> None:
    send(demo_mailbox, html="<html><head></head><body><p>Ciao <b>a tutti</b></p></body></html>")
    (row,) = json.loads(get(f"{demo_mailbox.url}/mails.json")[0])
    address = f"{demo_mailbox.url}/mail/{row['name']}"
    page, _ = get(address)
    assert "Perché conta: più tempo per tutti." in page
    assert f'<iframe src="/mail/{row["name"]}/html"' in page
    frame, headers = get(f"{address}/html")
    assert "Ciao <b>a tutti</b>" in frame
    assert '<base target="_blank">' in frame
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "allow-scripts" not in headers["Content-Security-Policy"]
    raw, headers = get(f"{address}/raw")
    assert "Subject:" in raw
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/mail/nothing", "/mail/../../etc/passwd/raw", "/elsewhere"])
def test_an_unknown_address_is_not_found(demo_mailbox: Mailbox, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(demo_mailbox.url + path)
    assert refused.value.code == 404
    refused.value.close()


def test_a_page_under_another_host_name_reads_nothing(demo_mailbox: Mailbox) -> None:
    send(demo_mailbox)
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{demo_mailbox.url}/mails.json", Host="rebound.example")
    refused.value.close()
    assert refused.value.code == 404


def test_a_mailbox_that_cannot_store_a_mail_leaves_it_to_the_sender(
    demo_mailbox: Mailbox, tmp_path: Path
) -> None:
    (tmp_path / "mailbox").rmdir()
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(demo_mailbox)
    assert refused.value.smtp_code == 452


def test_what_was_received_is_there_after_a_restart(tmp_path: Path) -> None:
    for _start in range(2):
        with Mailbox(tmp_path / "mailbox") as mailbox:
            send(mailbox)
    assert len(mailbox.post.names()) == 2


def test_both_ports_are_free_again_after_it(tmp_path: Path) -> None:
    with Mailbox(tmp_path / "mailbox") as mailbox:
        ports = [int(url.rpartition(":")[2]) for url in (mailbox.url, mailbox.smtp_url)]
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
