"""Each recipient's mail, ready for the wire: a variant is compiled once, a copy is a join."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from newsletter.delivery.dkim import configured_signer
from newsletter.delivery.message import CompiledMessage, ascii_address, compile_message
from newsletter.delivery.outcome import Row
from newsletter.delivery.return_path import ReturnPaths, bounce_domain
from newsletter.delivery.smtp import Envelope
from newsletter.digests.content import DigestContent
from newsletter.digests.models import Digest, Variant
from newsletter.digests.pictures import kept_pictures

# Variants kept ready. One takes about 60 KB, and pictures, which are kept once for all of them, and
# some milliseconds to compile; members with different choices come in any sequence.
_MOST_COMPILED = 512
_MOST_MADE = 5  # the mail in hand, and those whose envelopes go out ahead of them


class Copy(NamedTuple):
    row: Row
    envelope: Envelope
    message: bytes


class Copies:
    """One sender's copies of one digest.

    Raises ImproperlyConfigured for a key that cannot sign.
    """

    def __init__(self, digest: Digest, *, now: datetime) -> None:
        self._digest_id = digest.pk
        self._content = DigestContent.from_json(digest.content or {})
        self._sender = ascii_address(self._content.newsletter.sender_email)
        self._signer = configured_signer(self._sender.rpartition("@")[2])
        domain = bounce_domain()
        self._return_paths = ReturnPaths(domain, digest.uid, day=now.date()) if domain else None
        self._compiled: dict[int, CompiledMessage] = {}
        self._made: dict[int, Copy] = {}  # by delivery
        self._shared: dict[bytes, bytes] = {}  # pictures as they stand in a mail

    def of(self, row: Row, *, now: datetime) -> Copy:
        made = self._made.get(row.delivery_id)
        if made is not None and made.row == row:  # else the member changed since it was made
            return made
        return self._make(row, self._variant(row.variant_id, now), now)

    def make_ahead(self, row: Row, *, now: datetime) -> None:
        """While there is nothing to do but wait; never a reason to fail, so no look anywhere."""
        compiled = self._compiled.get(row.variant_id)
        made = self._made.get(row.delivery_id)
        if compiled is not None and (made is None or made.row != row):
            self._make(row, compiled, now)

    def _make(self, row: Row, compiled: CompiledMessage, now: datetime) -> Copy:
        plain = compiled.for_member(row.address, row.member_uid, row.delivery_id)
        message = self._signer.sign(plain, now=now)
        sender = self._sender
        if self._return_paths is not None:
            sender = self._return_paths.address(row.delivery_id, row.address)
        copy = Copy(row, Envelope(sender, row.address, len(message)), message)
        while len(self._made) >= _MOST_MADE:
            del self._made[next(iter(self._made))]
        self._made[row.delivery_id] = copy
        return copy

    def _variant(self, variant_id: int, now: datetime) -> CompiledMessage:
        compiled = self._compiled.pop(variant_id, None)
        if compiled is None:
            variant = Variant.objects.get(pk=variant_id)
            compiled = compile_message(
                self._content,
                subject=variant.subject,
                html=variant.html,
                text=variant.text,
                language=variant.language,
                now=now,
                pictures=self._pictures(),
            )
            same = self._shared.setdefault(compiled.pictures, compiled.pictures)
            compiled = replace(compiled, pictures=same)
            if len(self._compiled) >= _MOST_COMPILED:
                del self._compiled[next(iter(self._compiled))]  # the one least lately used
        self._compiled[variant_id] = compiled
        return compiled

    def _pictures(self) -> dict[str, bytes]:
        wanted = {block.picture for block in self._content.blocks if block.picture}
        return kept_pictures(self._digest_id, wanted) if wanted else {}
