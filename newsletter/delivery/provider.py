"""Sending by a mail provider's interface instead of SMTP, by way of a backend of django-anymail.

It looks like a connection to a mail server: opening an envelope asks nobody, handing over the
message is one request for one recipient. What a provider's answer leaves open is "uncertain", as
with SMTP.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from newsletter import conf
from newsletter.delivery.server import Server, configured_server
from newsletter.delivery.smtp import Connection, Envelope, Opening, Silence
from newsletter.delivery.wire import Reply, without_addresses
from newsletter.exceptions import TransportError

logger = logging.getLogger(__name__)

# Parts of the message, or the provider's own to write; it signs what it wrote.
_NOT_PASSED_ON = {
    "from", "to", "subject", "reply-to", "date", "mime-version", "content-type",
    "content-transfer-encoding", "dkim-signature",
}  # fmt: skip
_OK = Reply(250, "")
# The name under which each mail carries its Message-ID for the provider to give back.
METADATA = "newsletter_mail"
# Worth having, and no reason not to send.
_WISHES = ("metadata", "track_opens", "track_clicks")
_NAMESPACE = uuid.UUID("b24cd1a6-8b1c-4ba7-9d5c-7c3c3f8f2c11")


def connection_to(
    server: Server | None, *, until: float = math.inf
) -> Connection | ProviderConnection:
    """To that server; None: by PROVIDER, else to the configured server. Not open yet.

    A mail server is waited for no longer than `until`, of the monotonic clock.
    """
    path = str(conf.get("PROVIDER"))
    if server is None and path:
        return ProviderConnection(path)
    return Connection(server or configured_server(), until=until)


class ProviderConnection:
    """See newsletter.delivery.smtp.Connection, whose place it takes."""

    is_idle = True  # nothing is announced to it

    def __init__(self, path: str) -> None:
        self.path = path
        self.handed_over = 0
        self._backend: Any = None
        self._envelope: Envelope | None = None
        self._answer = _OK
        self._unknown: list[str] = []  # of our wishes, to this provider

    @property
    def is_open(self) -> bool:
        return self._backend is not None

    def open(self) -> ProviderConnection:
        """Raises TransportError when the provider's settings are wrong."""
        try:
            self._backend = import_string(self.path)()
            self._backend.open()
        except (ImportError, ImproperlyConfigured) as error:
            self.close()
            raise TransportError(
                f"PROVIDER cannot be used: {error}", phase="connect", permanent=True
            ) from error
        return self

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    quit = close

    def open_envelope(self, envelope: Envelope) -> Opening:
        """Nobody is asked before the message itself."""
        self._envelope = envelope
        if not envelope.recipient.isascii():
            return Opening(_OK, Reply(553, "5.6.7 addresses outside ASCII are not passed on"))
        return Opening(_OK, _OK, Reply(354, ""))

    def start(self, message: bytes) -> None:
        """A request is made whole or not at all."""

    def finish(self, message: bytes, _following: Envelope | None = None) -> None:
        """One request. A Silence: the provider may have the message."""
        if self._backend is None or self._envelope is None:
            raise TransportError("No envelope is open.", phase="body")
        mail = mail_from(message, self._envelope.recipient)
        local = mail.extra_headers["Message-ID"].strip("<>").partition("@")[0]
        _offer_once(self._backend, mail, local)
        try:
            self._send(mail)
            self._answer = _answer_from(mail)
        except Exception as error:
            reply = _answer_to(error)
            if reply is None:
                self.close()
                raise Silence(_words(error), phase="reply") from error
            self._answer = reply

    def read_answer(self) -> Reply:
        self.handed_over += 1
        return self._answer

    def _send(self, mail: EmailMultiAlternatives) -> None:
        """Without what this provider does not know: it is refused before any request is made."""
        for name in self._unknown:
            delattr(mail, name)
        while True:
            try:
                self._backend.send_messages([mail])
                return
            except Exception as error:
                if type(error).__name__ != "AnymailUnsupportedFeature":
                    raise
                unknown = [name for name in _WISHES if hasattr(mail, name) and name in str(error)]
                if not unknown:
                    raise
                self._unknown += unknown
                for name in unknown:
                    delattr(mail, name)


def mail_from(message: bytes, recipient: str) -> EmailMultiAlternatives:
    """Our bytes as Django's message for one recipient; the provider builds its own from it."""
    parsed = message_from_bytes(message, policy=SMTP)
    if not isinstance(parsed, EmailMessage):
        raise TypeError("The message has no modern policy.")
    plain, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    mail = EmailMultiAlternatives(
        subject=str(parsed["Subject"] or ""),
        body=plain.get_content() if plain else "",
        from_email=str(parsed["From"]),
        to=[recipient],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers={
            name: str(value) for name, value in parsed.items() if name.lower() not in _NOT_PASSED_ON
        },
    )
    if html:
        mail.attach_alternative(html.get_content(), "text/html")
    # Comes back with every event about it.
    mail.metadata = {METADATA: mail.extra_headers["Message-ID"]}  # type: ignore[attr-defined]
    # Never a pixel, never a link of theirs, whatever their own settings say.
    mail.track_opens = mail.track_clicks = False  # type: ignore[attr-defined]
    return mail


# --- the same request twice is one mail, where the provider offers it


def _by_header(backend: Any, mail: EmailMultiAlternatives, key: str) -> None:
    """Resend keeps a key for a day: https://resend.com/docs/dashboard/emails/idempotency-keys"""
    backend.session.headers["Idempotency-Key"] = key


def _by_message_header(backend: Any, mail: EmailMultiAlternatives, key: str) -> None:
    """Brevo keeps a UUID for half an hour, and refuses its second use."""
    mail.extra_headers["idempotencyKey"] = str(uuid.uuid5(_NAMESPACE, key))


_ONCE: dict[str, Callable[[Any, EmailMultiAlternatives, str], None]] = {
    "Resend": _by_header,
    "Brevo": _by_message_header,
}


def _offer_once(backend: Any, mail: EmailMultiAlternatives, key: str) -> None:
    offer = _ONCE.get(getattr(backend, "esp_name", ""))
    if offer is not None:
        offer(backend, mail, key)


# --- what the answer means


def _answer_from(mail: EmailMultiAlternatives) -> Reply:
    status = getattr(mail, "anymail_status", None)
    said = set(getattr(status, "status", None) or ())
    if said & {"rejected", "invalid", "failed"}:
        return Reply(550, f"the provider says: {', '.join(sorted(said))}")
    return Reply(250, f"queued as {getattr(status, 'message_id', None) or 'unknown'}")


def _answer_to(error: Exception) -> Reply | None:
    """The reply that an error amounts to; None: the provider may have the message.

    Raises TransportError when it surely has not, and the trouble is ours rather than this mail's.
    """
    code = getattr(error, "status_code", None)
    words = _words(error)
    if code is None:
        if _never_connected(error):
            raise TransportError(words, phase="connect") from error
        # Refused before any request was made: a header or an address that it cannot take.
        is_ours = isinstance(error, ValueError | TypeError) and not isinstance(error, OSError)
        is_refused = type(error).__name__ == "AnymailRecipientsRefused"
        return Reply(554, words) if is_ours or is_refused else None
    if "duplicate_parameter" in words:
        return Reply(250, "taken before")  # Brevo, of a key that it has seen
    if code in (401, 402, 403, 404):
        raise TransportError(words, phase="auth", code=code) from error
    if code in (408, 409, 425, 429, 503):
        return Reply(451, words)
    return None if code >= 500 or code < 400 else Reply(554, words)


def _never_connected(error: BaseException) -> bool:
    """Whether the connection failed before a byte of the request went out."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        names = {kind.__name__ for kind in type(one).__mro__}
        if names & {"NewConnectionError", "ConnectTimeout", "ConnectTimeoutError"}:
            return True
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [other for other in inner if isinstance(other, BaseException)]
    return False


def _words(error: Exception) -> str:
    return without_addresses(" ".join(str(error).split())[:1000])[:400]
