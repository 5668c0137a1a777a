"""The mailbox for bounces, by POP3 and IMAP servers on loopback."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from newsletter.delivery.bounces.mailbox import parse_url
from newsletter.delivery.bounces.models import Bounce, MailboxLook
from newsletter.delivery.bounces.polling import EVERY, look, look_if_due
from newsletter.digests.models import Digest
from newsletter.exceptions import MailboxUnreachable
from tests.delivery.bounces.conftest import ANNA, BRUNO, Sent, counts, return_path, suppressions
from tests.delivery.bounces.mail_servers import ImapServer, MailServer, Pop3Server
from tests.delivery.bounces.test_reading import sample
from tests.delivery.conftest import Clock

pytestmark = pytest.mark.django_db
HOST = "posta.blog.example"  # what the certificates are for
CERTIFICATES = Path(__file__).resolve().parents[2] / "certificates"
KINDS = {"pop3": Pop3Server, "imap": ImapServer}


@pytest.fixture(params=["pop3", "imap"])
def kind(request: pytest.FixtureRequest) -> type[MailServer]:
    return KINDS[request.param]


@pytest.fixture
def box(kind: type[MailServer]) -> Iterator[MailServer]:
    with kind() as server:
        yield server


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ssl.SSLContext]:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **kw: real("127.0.0.1" if host == HOST else host, *args, **kw),
    )

    def tls(certificate: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / "server.key")
        return context

    return tls


def fill(box: MailServer, digest: Digest, clock: Clock) -> None:
    box.put(sample("complaint", return_path(digest, ANNA, clock.now)))
    box.put(sample("qmail-no-such-user", return_path(digest, BRUNO, clock.now)))
    box.put(sample("holiday-note", return_path(digest, BRUNO, clock.now)))
    box.put(sample("postfix-no-such-user"))
    box.put(sample("a-person-writes"))


def test_what_lies_in_the_mailbox_is_taken_in(sent: Sent, box: MailServer, clock: Clock) -> None:
    fill(box, sent(), clock)
    look(box.url(), clock=clock)
    assert counts() == {
        "suppressed": 1, "counted": 1, "auto_reply": 1, "not_ours": 1, "no_report": 1
    }  # fmt: skip
    assert suppressions() == {ANNA: "complaint"}
    look(box.url(), clock=clock)
    assert sum(counts().values()) == 5, "nothing is looked at twice"


def test_by_imap_a_persons_mail_stays(sent: Sent, clock: Clock) -> None:
    with ImapServer() as box:
        fill(box, sent(), clock)
        look(box.url(), clock=clock)
        assert [b"vorrei" in one.raw for one in box.stored] == [False, True]
        assert all("\\Seen" in one.flags for one in box.stored)


def test_a_connection_that_breaks_loses_and_doubles_nothing(
    sent: Sent, box: MailServer, clock: Clock
) -> None:
    digest = sent()
    fill(box, digest, clock)
    box.break_after = 2
    with pytest.raises(MailboxUnreachable, match="cannot be read"):
        look(box.url(), clock=clock)
    assert (counts()["suppressed"], counts()["counted"]) == (1, 1)
    box.break_after = None
    look(box.url(), clock=clock)
    assert (counts()["suppressed"], counts()["counted"]) == (1, 1)
    assert (counts()["no_report"], Bounce.objects.count()) == (1, 2)


@pytest.mark.parametrize("how", ["implicit", "starttls"])
def test_the_connection_is_encrypted_and_the_certificate_checked(
    how: str,
    kind: type[MailServer],
    tls: Callable[[str], ssl.SSLContext],
    sent: Sent,
    clock: Clock,
) -> None:
    digest = sent()
    options = "" if how == "implicit" else "?tls=starttls"
    for certificate, is_good in [("good", True), ("wrong-host", False), ("expired", False)]:
        with kind(tls=tls(certificate), implicit=how == "implicit") as box:
            box.put(sample("complaint", return_path(digest, ANNA, clock.now)))
            url = box.url(options).replace("127.0.0.1", HOST)
            if is_good:
                assert sum(look(url, clock=clock).values()) == 1
            else:
                with pytest.raises(MailboxUnreachable, match="certificate"):
                    look(url, clock=clock)
                assert len(box.stored) == 1


def test_a_server_without_tls_is_not_used_in_the_clear(
    box: MailServer, clock: Clock, sent: Sent
) -> None:
    box.put(sample("a-person-writes"))
    with pytest.raises(MailboxUnreachable):
        look(box.url("?tls=starttls"), clock=clock)
    assert len(box.stored) == 1


def test_a_wrong_password_is_told_without_the_password(box: MailServer, clock: Clock) -> None:
    url = box.url().replace("segreta", "sbagliata")
    with pytest.raises(MailboxUnreachable, match="wrong password") as caught:
        look(url, clock=clock)
    assert "sbagliata" not in f"{caught.value} {parse_url(url)!r}"


def test_a_mail_that_cannot_be_carried_stops_nothing(
    sent: Sent, box: MailServer, clock: Clock
) -> None:
    digest = sent()
    box.put(b"Subject: x\r\n\r\n" + b"a" * 100_000)
    box.put(b"Subject: large\r\n\r\n" + b"line\r\n" * 400_000)
    box.put(sample("complaint", return_path(digest, ANNA, clock.now)))
    look(box.url(), clock=clock)
    assert sum(counts().values()) == 3
    assert suppressions() == {ANNA: "complaint"}
    look(box.url(), clock=clock)
    assert sum(counts().values()) == 3


def test_a_full_mailbox_is_emptied_look_by_look(sent: Sent, box: MailServer, clock: Clock) -> None:
    for _number in range(5):
        box.put(sample("holiday-note"))
    assert [sum(look(box.url(), clock=clock, most=2).values()) for _look in range(4)] == [
        2, 2, 1, 0
    ]  # fmt: skip


def test_it_is_looked_into_every_five_minutes(
    sent: Sent, box: MailServer, clock: Clock, configure: Callable[..., None]
) -> None:
    sent()
    assert look_if_due(clock=clock) is None
    configure(BOUNCE_MAILBOX=box.url())
    assert look_if_due(clock=clock) == {}
    assert look_if_due(clock=clock) is None
    clock.now += EVERY
    assert look_if_due(clock=clock) == {}
    assert box.sessions == 2


def test_a_mailbox_that_cannot_be_reached_is_remembered(
    clock: Clock, configure: Callable[..., None]
) -> None:
    configure(BOUNCE_MAILBOX="imap://a:b@127.0.0.1:9/INBOX")
    assert look_if_due(clock=clock) == {}
    kept = MailboxLook.objects.get()
    assert "127.0.0.1:9" in kept.problem
    assert kept.read_at is None


@pytest.mark.parametrize(
    "url",
    ["", "http://a:b@host", "imaps://host", "imap://a:b@host:x", "pop3s://a:b@host?tls=none",
     "imap://a:b@host?ssl=1"],
)  # fmt: skip
def test_an_address_of_no_mailbox_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="imaps://"):
        parse_url(url)


def test_a_mailbox_has_its_usual_port() -> None:
    assert parse_url("imaps://a:b@mail.example").port == 993
    assert parse_url("pop3s://a:b@mail.example").port == 995
    assert parse_url("imap://a:b@mail.example/Rimbalzi?tls=starttls").folder == "Rimbalzi"
