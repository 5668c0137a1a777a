"""The address that a mail which cannot be delivered comes back to: one for every mail.

`b+<token>@<BOUNCE_DOMAIN>`. The token is the delivery's number and the day it was sent, sealed and
enciphered in one (a synthetic initialisation vector, as in RFC 5297): without the key nobody reads
a number in it, and nobody makes one. The seal also covers the digest and the recipient's address,
so a token is worth nothing for a delivery of the same number from a restored backup, or once its
member has moved to another mailbox.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings

from newsletter import conf

_PREFIX = "b+"
_SEAL = 12  # bytes
_EPOCH = date(2020, 1, 1)
# In hexadecimal, because some servers write addresses in lower case.
_TOKEN = re.compile(rf"(?<![\w.+-])b\+([0-9a-f]{{{2 * (_SEAL + 8)}}})@", re.IGNORECASE)
_MOST_TOKENS = 10


@dataclass(frozen=True)
class Claimed:
    """What a token says, before it is known whether we made it: `proves` tells."""

    delivery_id: int
    mailed_on: date
    proves: Callable[[UUID, str], bool]  # that it was made for this digest and this address


class ReturnPaths:
    """Makes the envelope senders of one digest, all of one day. A few microseconds each."""

    def __init__(self, domain: str, digest_uid: UUID, day: date) -> None:
        self._end = f"@{domain}"
        self._day = _days(day)
        self._uid = digest_uid.bytes
        self._seal_key, self._mask_key = _keys(settings.SECRET_KEY)

    def address(self, delivery_id: int, recipient: str) -> str:
        payload = delivery_id.to_bytes(6, "big") + self._day
        seal = _seal(self._seal_key, payload, self._uid, recipient)
        return f"{_PREFIX}{(seal + _masked(self._mask_key, seal, payload)).hex()}{self._end}"


def bounce_domain() -> str:
    """BOUNCE_DOMAIN in ASCII; empty: mails carry their newsletter's own sender."""
    domain = str(conf.get("BOUNCE_DOMAIN")).strip().lower()
    return domain if domain.isascii() else domain.encode("idna").decode("ascii")


def tokens_in(text: str) -> list[str]:
    """The tokens of the return paths named in it, each once; ten at most."""
    found = dict.fromkeys(match.group(1).lower() for match in _TOKEN.finditer(text))
    return list(found)[:_MOST_TOKENS]


def read(token: str) -> list[Claimed]:
    """What the token says under each of our keys; of the wrong ones it is nonsense."""
    raw = bytes.fromhex(token)
    seal, hidden = raw[:_SEAL], raw[_SEAL:]
    claims: list[Claimed] = []
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        seal_key, mask_key = _keys(secret)
        payload = _masked(mask_key, seal, hidden)

        def proves(
            uid: UUID, recipient: str, key: bytes = seal_key, payload: bytes = payload
        ) -> bool:
            return hmac.compare_digest(_seal(key, payload, uid.bytes, recipient), seal)

        day = _EPOCH + timedelta(days=int.from_bytes(payload[6:], "big"))
        claims.append(Claimed(int.from_bytes(payload[:6], "big"), day, proves))
    return claims


def _keys(secret: str | bytes) -> tuple[bytes, bytes]:
    key = secret.encode() if isinstance(secret, str) else secret
    return (
        hmac.digest(key, b"newsletter.return-path.seal", "sha256"),
        hmac.digest(key, b"newsletter.return-path.mask", "sha256"),
    )


def _days(day: date) -> bytes:
    return (day - _EPOCH).days.to_bytes(2, "big")


def _seal(key: bytes, payload: bytes, digest_uid: bytes, recipient: str) -> bytes:
    return hmac.digest(key, payload + digest_uid + recipient.encode(), "sha256")[:_SEAL]


def _masked(key: bytes, seal: bytes, payload: bytes) -> bytes:
    mask = int.from_bytes(hmac.digest(key, seal, "sha256")[:8], "big")
    return (int.from_bytes(payload, "big") ^ mask).to_bytes(8, "big")
