"""The client against a scripted server: phases, encryption, log-in, hostile answers."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured

from newsletter.delivery import smtp as client
from newsletter.delivery import wire
from newsletter.delivery.server import Server, configured_server, parse_url
from newsletter.delivery.smtp import Connection, Envelope, Silence
from newsletter.delivery.wire import Reply
from newsletter.exceptions import TransportError
from tests.delivery.scripted_server import ScriptedServer

TO_B = Envelope("a@union.example", "b@posta.example")
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return key, certificate


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    return context


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator would make a certificate of their own known."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))


def hand_over(connection: Connection, message: bytes) -> Reply:
    connection.finish(message)
    return connection.read_answer()


def deliver(server: ScriptedServer, url: str = "") -> None:
    with Connection(parse_url(url or server.url)) as connection:
        assert connection.open_envelope(TO_B).is_open
        assert hand_over(connection, MESSAGE).code == 250


def test_one_envelope_one_recipient_one_message() -> None:
    with ScriptedServer() as server:
        deliver(server)
        assert [(mail.sender, mail.recipients) for mail in server.received] == [
            ("a@union.example", ("b@posta.example",))
        ]
        assert server.received[0].raw == MESSAGE


def test_without_pipelining_it_goes_in_lock_step() -> None:
    with ScriptedServer(extensions=()) as server:
        deliver(server)
        assert [line.split()[0] for line in server.commands] == [
            "EHLO", "MAIL", "RCPT", "DATA", "QUIT",
        ]  # fmt: skip


@pytest.mark.usefixtures("trusted")
def test_starttls_and_log_in(tls: ssl.SSLContext) -> None:
    with ScriptedServer(tls=tls, users={"rosa": "p@ss/wörd"}) as server:
        deliver(server, f"smtp://rosa:p%40ss%2Fw%C3%B6rd@localhost:{server.port}?tls=starttls")
        assert len(server.received) == 1


@pytest.mark.usefixtures("trusted")
def test_implicit_tls(tls: ssl.SSLContext) -> None:
    with ScriptedServer(tls=tls, implicit_tls=True) as server:
        deliver(server, f"smtps://localhost:{server.port}")
        assert len(server.received) == 1


def test_a_server_without_starttls_gets_nothing_in_the_clear() -> None:
    with ScriptedServer(users={"rosa": "secret"}) as server:
        with pytest.raises(TransportError, match="STARTTLS") as caught:
            deliver(server, f"smtp://rosa:secret@127.0.0.1:{server.port}?tls=starttls")
        assert caught.value.phase == "starttls"
        assert [line.split()[0] for line in server.commands] == ["EHLO"]


def test_an_unknown_certificate_gets_nothing(tls: ssl.SSLContext) -> None:
    with ScriptedServer(tls=tls, users={"rosa": "secret"}) as server:
        with pytest.raises(TransportError, match=r"(?i)certificate") as caught:
            deliver(server, f"smtp://rosa:secret@localhost:{server.port}?tls=starttls")
        assert caught.value.phase == "starttls"
        assert "AUTH" not in server.commands


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_gets_nothing(tls: ssl.SSLContext) -> None:
    with ScriptedServer(tls=tls, implicit_tls=True) as server, pytest.raises(TransportError):
        deliver(server, f"smtps://127.0.0.1:{server.port}")
    assert server.received == []


def test_a_wrong_password_is_said_without_the_password() -> None:
    with ScriptedServer(users={"rosa": "right"}) as server:
        url = f"smtp://rosa:quite-wrong@127.0.0.1:{server.port}"
        with pytest.raises(TransportError, match="535") as caught:
            deliver(server, url)
        assert caught.value.phase == "auth"
        assert caught.value.permanent
        assert "quite-wrong" not in str(caught.value) + repr(parse_url(url)) + str(parse_url(url))


@pytest.mark.parametrize("phase", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_an_error_says_in_which_phase_the_connection_broke(phase: str) -> None:
    with ScriptedServer() as server:
        server.hang_up(phase)
        with pytest.raises(TransportError) as caught:
            deliver(server)
        assert caught.value.phase == phase
        assert not isinstance(caught.value, Silence)


def test_nobody_listening_is_an_error_that_names_the_server() -> None:
    with pytest.raises(TransportError, match=r"127\.0\.0\.1:9 cannot be reached") as caught:
        Connection(Server("127.0.0.1", 9)).open()
    assert caught.value.phase == "connect"


def test_a_name_that_does_not_exist_is_an_error_of_the_connection() -> None:
    with pytest.raises(TransportError) as caught:
        Connection(Server("mail.nowhere.invalid", 25)).open()
    assert caught.value.phase == "connect"


def test_a_break_within_a_long_message_is_safe_to_repeat() -> None:
    with ScriptedServer() as server:
        server.hang_up("body")
        with Connection(parse_url(server.url)) as connection:
            connection.open_envelope(TO_B)
            with pytest.raises(TransportError) as caught:
                connection.finish(b"x" * 70 + b"\r\n" + b"y" * 50_000_000)
        assert caught.value.phase == "body"
        assert not isinstance(caught.value, Silence)


def test_silence_after_the_final_dot_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "REPLY_SECONDS", 0.2)
    with ScriptedServer() as server:
        server.wait("reply", 1.0, "250 too late")
        with pytest.raises(Silence):
            deliver(server)


def test_a_tarpit_is_left_after_the_time_for_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "COMMAND_SECONDS", 0.2)
    with ScriptedServer() as server:
        server.wait("rcpt", 1.0, "250 at last")
        with pytest.raises(TransportError, match="no answer in time") as caught:
            deliver(server)
        assert caught.value.phase in ("rcpt", "mail")


@pytest.mark.parametrize("junk", ["HTTP/1.1 400 Bad Request", "999 what", "250-" + "x" * 9000])
def test_an_answer_that_is_not_smtp_ends_the_session(junk: str) -> None:
    with ScriptedServer() as server:
        server.answer("ehlo", junk)
        with pytest.raises(TransportError):
            deliver(server)


def test_a_refusal_leaves_the_connection_ready_for_the_next() -> None:
    with ScriptedServer() as server:
        server.answer("rcpt", "550 5.1.1 nobody", match="ghost")
        with Connection(parse_url(server.url)) as connection:
            refused = connection.open_envelope(Envelope("a@union.example", "ghost@posta.example"))
            assert (refused.is_open, refused.last.code) == (False, 550)
            connection.open_envelope(Envelope("a@union.example", "anna@posta.example"))
            assert hand_over(connection, MESSAGE).ok
        assert [mail.recipients for mail in server.received] == [("anna@posta.example",)]
        assert server.connections == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", Server("mail.example", 25)),
        ("smtp://mail.example:2525/", Server("mail.example", 2525)),
        ("smtp://mail.example?tls=starttls", Server("mail.example", 587, tls="starttls")),
        ("smtps://u:p%3A@mail.example", Server("mail.example", 465, "u", "p:", "implicit")),
        ("smtp://[::1]:1025", Server("::1", 1025)),
    ],
)
def test_a_server_is_named_by_an_address(url: str, expected: Server) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    "url",
    ["http://x", "smtp://", "smtp://x?tls=maybe", "smtp://x?colour=red", "smtps://x?tls=none",
     "smtp://x:99999999", "mail.example"],
)  # fmt: skip
def test_a_wrong_address_says_what_a_right_one_looks_like(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SMTP_URL"):
        parse_url(url)


def test_without_smtp_url_djangos_own_settings_count(
    settings: Any, configure: Callable[..., None]
) -> None:
    configure(SMTP_URL="")
    if django.VERSION < (6, 1):
        settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example", 587
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = True, False
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "u", "p"
        assert configured_server() == Server("mail.example", 587, "u", "p", "starttls")
    settings.MAILERS = {"default": {"OPTIONS": {"host": "other.example", "use_ssl": True}}}
    assert configured_server() == Server("other.example", 25, tls="implicit")
