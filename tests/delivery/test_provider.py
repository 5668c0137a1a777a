"""Sending by a provider's interface: a real HTTP server, django-anymail in between."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import pytest

from newsletter.delivery.message_id import message_id
from newsletter.delivery.send import send_batches
from newsletter.delivery.test_send import send_test
from newsletter.digests.models import Digest
from tests.delivery.conftest import Clock, delivery_to, states

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"


@dataclass
class Provider:
    """Answers like Resend or Brevo; `rules` say what to answer for an address instead."""

    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    rules: dict[str, tuple[int, dict[str, Any]] | None] = field(default_factory=dict)

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.requests.append((dict(self.headers), body))
                rule = next(
                    (rule for name, rule in provider.rules.items() if name in json.dumps(body)),
                    (200, {"id": "ab12", "messageId": "<ab12@provider.example>"}),
                )
                if rule is None:  # taken, and no answer
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                answer = json.dumps(rule[1]).encode()
                self.send_response(rule[0])
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _headers, body in self.requests]


@pytest.fixture
def resend(settings: Any, configure: Callable[..., None]) -> Iterator[Provider]:
    with Provider() as server:
        settings.ANYMAIL = {"RESEND_API_KEY": "key", "RESEND_API_URL": server.url}
        configure(PROVIDER="anymail.backends.resend.EmailBackend")
        yield server


def test_each_request_is_for_one_recipient_and_names_its_mail(
    resend: Provider, ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO])
    assert send_batches(digest.pk, clock=clock).finished
    assert [body["to"] for body in resend.bodies] == [[ANNA], [BRUNO]]
    assert not any("cc" in body or "bcc" in body for body in resend.bodies)
    body = resend.bodies[0]
    own = message_id(delivery_to(digest, ANNA))
    assert body["headers"]["Message-ID"] == own
    assert json.loads(body["headers"]["X-Metadata"]) == {"newsletter_mail": own}
    assert body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert body["headers"]["List-Unsubscribe"].startswith("<http")
    assert body["subject"] == "Le notizie della settimana"
    assert "accordo è firmato" in body["text"]
    assert "accordo è firmato" in body["html"]
    # Each has links of their own.
    assert body["text"] != resend.bodies[1]["text"]


def test_the_same_mail_has_the_same_key_so_that_two_requests_are_one_mail(
    resend: Provider, ready_digest: Ready, clock: Clock
) -> None:
    resend.rules[ANNA] = (429, {"message": "slowly"})
    digest = ready_digest([ANNA])
    send_batches(digest.pk, clock=clock)
    resend.rules.clear()
    clock.forward(hours=1)
    assert send_batches(digest.pk, clock=clock).finished
    keys = [headers["Idempotency-Key"] for headers, _body in resend.requests]
    assert keys == [message_id(delivery_to(digest, ANNA))[1:].partition("@")[0]] * 2
    assert resend.bodies[0] == resend.bodies[1]


def test_brevo_gets_its_key_and_says_when_it_has_seen_it(
    settings: Any, configure: Callable[..., None], ready_digest: Ready, clock: Clock
) -> None:
    with Provider() as brevo:
        settings.ANYMAIL = {"BREVO_API_KEY": "key", "BREVO_API_URL": brevo.url}
        configure(PROVIDER="anymail.backends.brevo.EmailBackend")
        brevo.rules[BRUNO] = (400, {"code": "duplicate_parameter", "message": "seen"})
        digest = ready_digest([ANNA, BRUNO])
        assert send_batches(digest.pk, clock=clock).finished
        keys = {body["headers"]["idempotencyKey"] for body in brevo.bodies}
    assert len(keys) == 2
    assert states(digest) == {ANNA: "sent", BRUNO: "sent"}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((429, {"message": "slowly"}), "deferred"),
        ((503, {}), "deferred"),
        ((422, {"message": f"{ANNA} is no address"}), "failed"),
        ((500, {}), "uncertain"),
        ((504, {}), "uncertain"),
        ((200, {"unexpected": True}), "uncertain"),
        (None, "uncertain"),
    ],
)
def test_what_an_answer_leaves_open_is_uncertain_and_not_sent_again(
    answer: Any, state: str, resend: Provider, ready_digest: Ready, clock: Clock
) -> None:
    resend.rules[ANNA] = answer
    digest = ready_digest([ANNA, BRUNO])
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {ANNA: state, BRUNO: "sent"}
    assert "@" not in delivery_to(digest, ANNA).detail
    if state == "uncertain":
        clock.forward(hours=2)
        send_batches(digest.pk, clock=clock)
        assert len(resend.requests) == 2


def test_a_provider_that_is_not_there_defers_everything(
    settings: Any, configure: Callable[..., None], ready_digest: Ready, clock: Clock
) -> None:
    settings.ANYMAIL = {"RESEND_API_KEY": "key", "RESEND_API_URL": "http://127.0.0.1:9/"}
    configure(PROVIDER="anymail.backends.resend.EmailBackend")
    digest = ready_digest([ANNA])
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {ANNA: "deferred"}


def test_a_wrong_key_stops_the_round_and_is_told(
    resend: Provider, ready_digest: Ready, clock: Clock
) -> None:
    resend.rules["posta.example"] = (401, {"message": "wrong key"})
    digest = ready_digest(20)
    done = send_batches(digest.pk, clock=clock)
    assert done.ended == "server"
    assert len(resend.requests) == 3
    digest.refresh_from_db()
    assert "401" in digest.status_reason
    assert set(states(digest).values()) == {"deferred", "pending"}


def test_missing_settings_are_told_and_nothing_is_lost(
    settings: Any, configure: Callable[..., None], ready_digest: Ready, clock: Clock
) -> None:
    settings.ANYMAIL = {}
    configure(PROVIDER="anymail.backends.resend.EmailBackend")
    digest = ready_digest([ANNA])
    done = send_batches(digest.pk, clock=clock)
    assert done.ended == "server"
    assert "RESEND_API_KEY" in done.detail
    assert states(digest) == {ANNA: "pending"}


def test_a_test_mail_goes_the_same_way(resend: Provider, ready_digest: Ready, clock: Clock) -> None:
    digest = ready_digest([ANNA])
    results = send_test(digest, ["redazione@union.example"], language="it", now=clock.now)
    assert results == {"redazione@union.example": ""}
    assert resend.bodies[0]["subject"].startswith("[Prova]")
