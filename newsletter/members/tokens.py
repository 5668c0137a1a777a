"""Personal links: signed, without an address in them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.exceptions import InvalidToken

_MEMBER = "newsletter.member-link"
_SIGNATURE = 8  # bytes: an online guess has one chance in 2^64
_CONFIRMATION_SIGNATURE = 12

# What a confirmation link confirms. One purpose's link never serves another.
SUBSCRIPTION = "subscription"
ADDRESS = "address"


def make_token(member_uid: UUID) -> str:
    """Always 32 signs: mails are compiled once with a slot of that length."""
    return _encode(member_uid.bytes + _sign(_MEMBER, member_uid.bytes, settings.SECRET_KEY, 8))


def read_token(token: str) -> UUID:
    """Whose link it is; InvalidToken when we did not make it. It does not expire: an old mail's
    unsubscribe link must work."""
    return UUID(bytes=_verified(_MEMBER, token, 16, _SIGNATURE))


def make_confirmation(uid: UUID, purpose: str, *, now: datetime) -> str:
    payload = uid.bytes + struct.pack(">I", int(now.timestamp()) // 60)
    return _encode(payload + _sign(_salt(purpose), payload, settings.SECRET_KEY, 12))


def read_confirmation(token: str, purpose: str, *, now: datetime) -> UUID:
    """InvalidToken also when it is older than CONFIRMATION_DAYS."""
    payload = _verified(_salt(purpose), token, 20, _CONFIRMATION_SIGNATURE)
    made = datetime.fromtimestamp(struct.unpack(">I", payload[16:])[0] * 60, tz=UTC)
    if now - made > timedelta(days=int(conf.get("CONFIRMATION_DAYS"))):
        raise InvalidToken(_("This link is too old. Sign up again to get a new one."))
    return UUID(bytes=payload[:16])


def _salt(purpose: str) -> str:
    return f"newsletter.confirmation.{purpose}"


def _sign(salt: str, payload: bytes, secret: str | bytes, length: int) -> bytes:
    return hmac.digest(_key(salt, secret), payload, "sha256")[:length]


@lru_cache(maxsize=16)  # made for each mail of a digest
def _key(salt: str, secret: str | bytes) -> bytes:
    """As django.utils.crypto.salted_hmac derives it."""
    return hashlib.sha256(
        salt.encode() + (secret.encode() if isinstance(secret, str) else secret)
    ).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _verified(salt: str, token: str, payload_length: int, signature_length: int) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        raw = b""
    payload, signature = raw[:payload_length], raw[payload_length:]
    if len(signature) == signature_length and _encode(raw) == token:
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            expected = _sign(salt, payload, secret, signature_length)
            if hmac.compare_digest(signature, expected):
                return payload
    raise InvalidToken(_("This link is not complete. Open it from the mail, or copy all of it."))
