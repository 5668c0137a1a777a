"""DKIM signatures (RFC 6376; Ed25519: RFC 8463), at the cost of the key's own arithmetic.

The header is signed in the relaxed form, the body as it is: our bodies are quoted-printable with
CRLF line ends, which no server on the way has a reason to touch.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from django.core.exceptions import ImproperlyConfigured

from newsletter import conf

# What a reader sees and what a mail program acts on. The one-click header must be signed for it
# to count (RFC 8058, 4).
_SIGNED = (
    "from", "to", "subject", "date", "message-id", "reply-to", "list-unsubscribe",
    "list-unsubscribe-post", "list-id", "feedback-id", "auto-submitted", "mime-version",
    "content-type", "content-language",
)  # fmt: skip
# Named once more than they are there: a second one, added on the way, breaks the signature
# (RFC 6376, 8.15).
_NEVER_TWICE = ("from", "to", "subject", "date", "reply-to")
_BLANK = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SMALLEST_RSA = 1024  # bits that a verifier takes (RFC 8301)
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)
_WIDTH = 72


@dataclass(frozen=True)
class Key:
    """A private key and the name under which the DNS has its public half."""

    selector: str
    algorithm: str  # "rsa-sha256" or "ed25519-sha256"
    sign: Callable[[bytes], bytes]
    public: bytes  # as it stands in the DNS, not yet in base64

    @property
    def record(self) -> str:
        """The value of the TXT record at `<selector>._domainkey.<domain>` (RFC 6376, 3.6.1)."""
        kind = self.algorithm.partition("-")[0]
        return f"v=DKIM1; k={kind}; p={base64.b64encode(self.public).decode('ascii')}"


class Signer:
    """Signs for one domain with each of its keys."""

    def __init__(self, domain: str, keys: Sequence[Key]) -> None:
        self.domain = domain
        self.keys = tuple(keys)

    def sign(self, message: bytes, *, now: datetime) -> bytes:
        """The message with a signature of each key before it; without keys, the message."""
        if not self.keys:
            return message
        head, _, body = message.partition(b"\r\n\r\n")
        names, signed = _header(head)
        digest = base64.b64encode(hashlib.sha256(_whole_lines(body)).digest())
        return b"".join(
            [*(self._signature(key, names, signed, digest, now) for key in self.keys), message]
        )

    def _signature(
        self, key: Key, names: bytes, signed: bytes, digest: bytes, now: datetime
    ) -> bytes:
        fields = (
            b"v=1; a=%s; c=relaxed/simple; d=%s; s=%s; t=%d;"
            % (
                key.algorithm.encode("ascii"),
                self.domain.encode("ascii"),
                key.selector.encode("ascii"),
                now.timestamp(),
            ),
            b"h=" + names + b";",
            b"bh=" + digest + b";",
            b"b=",
        )
        # Its own header belongs to what is signed, with nothing after the b= (RFC 6376, 3.7).
        value = key.sign(signed + b"dkim-signature:" + b" ".join(fields))
        shown = base64.b64encode(value)
        lines = [shown[at : at + _WIDTH] for at in range(0, len(shown), _WIDTH)]
        return b"DKIM-Signature: " + b"\r\n\t".join(fields) + b"\r\n\t".join(lines) + b"\r\n"


def configured_signer(sender_domain: str) -> Signer:
    """For mails from this domain, with the keys of DKIM_KEYS: without any, it signs nothing.

    Raises ImproperlyConfigured for a key that cannot be read: a mail that should be signed never
    goes without.
    """
    return Signer(sender_domain, [read_key(entry) for entry in conf.get("DKIM_KEYS")])


def read_key(entry: str) -> Key:
    """The key of an entry of DKIM_KEYS, `selector:/path/to/key.pem`. See configured_signer."""
    selector, _, path = str(entry).partition(":")
    if not _SELECTOR.fullmatch(selector) or not path:
        raise ImproperlyConfigured(
            f"An entry of DKIM_KEYS looks like b2026:/etc/bollettino/b2026.pem, not {entry!r}."
        )
    try:
        pem = Path(path).read_bytes()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The DKIM key {path} cannot be read: {error.strerror}. "
            "Make one with `manage.py dkim_key`, readable by the senders alone."
        ) from error
    return _key_of(selector, path, pem)


@lru_cache(maxsize=16)
def _key_of(selector: str, path: str, pem: bytes) -> Key:
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ImproperlyConfigured(
            f"{path} is not a private key in PEM without a password: {error}"
        ) from error
    if isinstance(private, ed25519.Ed25519PrivateKey):
        edwards = private
        return Key(
            selector,
            "ed25519-sha256",
            lambda data: edwards.sign(hashlib.sha256(data).digest()),
            edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
        )
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= _SMALLEST_RSA:
        numbers, padded, sha256 = private, padding.PKCS1v15(), SHA256()
        return Key(
            selector,
            "rsa-sha256",
            lambda data: numbers.sign(data, padded, sha256),
            numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )
    raise ImproperlyConfigured(
        f"{path} is no key that DKIM knows: it must be Ed25519, or RSA of 2048 bits."
    )


def _header(head: bytes) -> tuple[bytes, bytes]:
    """The names for h=, and the fields they mean in the relaxed form (RFC 6376, 3.4.2)."""
    found: dict[str, bytes] = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, relaxed = _relaxed(line)
        found[name] = relaxed  # our own header: none of them is there twice
    present = [name for name in _SIGNED if name in found]
    names = ":".join([*present, *_NEVER_TWICE]).encode("ascii")
    return names, b"".join(found[name] for name in present)


@lru_cache(maxsize=256)
def _relaxed(field: bytes) -> tuple[str, bytes]:
    name, _, value = field.partition(b":")
    name = name.strip().lower()
    return name.decode("ascii"), name + b":" + _BLANK.sub(b" ", value).strip(b" ") + b"\r\n"


def _whole_lines(body: bytes) -> bytes:
    """The simple form of a body: no empty lines at the end (RFC 6376, 3.4.3)."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n"):
        return body
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return body + b"\r\n"
