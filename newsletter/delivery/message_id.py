"""The Message-ID of a delivery: always the same, and readable back to the delivery.

Nothing is stored: the freeze settles the delivery's number and the digest's uid, and the
Message-ID follows from them, so that every attempt at one delivery carries the same one. The
keyed part keeps others from naming deliveries of ours in forged reports. The uid keeps two
digests apart that got the same delivery numbers, as after a restored backup.
"""

from __future__ import annotations

import hmac
import re
from uuid import UUID

from django.conf import settings

from newsletter import conf
from newsletter.delivery.models import Delivery

_SHAPE = re.compile(r"<?([0-9a-f]{32})\.(\d{1,19})\.([0-9a-f]{20})@[^<>@\s]+>?")


def _seal(digest_uid: UUID, delivery_id: int, secret: str) -> str:
    return _seal_of(f"{digest_uid.hex}.{delivery_id}", secret)


def _seal_of(name: str, secret: str) -> str:
    key = b"newsletter.message-id:" + secret.encode()
    return hmac.digest(key, name.encode(), "sha256").hex()[:20]


def message_domain(sender_email: str) -> str:
    """The domain that our Message-IDs and List-Ids stand under, in ASCII."""
    domain = str(conf.get("MESSAGE_DOMAIN")) or sender_email.rpartition("@")[2]
    return domain.encode("idna").decode("ascii") if not domain.isascii() else domain


def local_part(digest_uid: UUID, delivery_id: int, *, secret: str = "") -> str:
    name = f"{digest_uid.hex}.{delivery_id}"
    return f"{name}.{_seal_of(name, secret or settings.SECRET_KEY)}"


def message_id(delivery: Delivery) -> str:
    """With its angle brackets, as in the header."""
    return message_ids(delivery)[0]


def message_ids(delivery: Delivery) -> list[str]:
    """The Message-ID, and those it would have had under the keys of SECRET_KEY_FALLBACKS."""
    digest = delivery.digest
    frozen = (digest.content or {}).get("newsletter", {}).get("sender_email")
    domain = message_domain(frozen or digest.newsletter.sender_email)
    return [
        f"<{local_part(digest.uid, delivery.pk, secret=secret)}@{domain}>"
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


def local_parts(delivery: Delivery) -> list[str]:
    """What stands before the @, under the key of today and those before it."""
    return [
        local_part(delivery.digest.uid, delivery.pk, secret=secret)
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


def delivery_id_of(message_id: str) -> int | None:
    """The delivery that the Message-ID was made for; None when we did not make it.

    Keys in SECRET_KEY_FALLBACKS are honoured: mails sent before a change of key are still ours.
    """
    found = _SHAPE.fullmatch(message_id.strip())
    if not found:
        return None
    uid, delivery_id = UUID(found.group(1)), int(found.group(2))
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if hmac.compare_digest(_seal(uid, delivery_id, secret), found.group(3)):
            return delivery_id
    return None
