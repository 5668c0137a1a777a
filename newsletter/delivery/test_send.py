"""A look at a digest in a real mailbox, before it is approved. Nothing of it enters the ledger."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.delivery.dkim import configured_signer
from newsletter.delivery.message import ascii_address, compile_test
from newsletter.delivery.provider import ProviderConnection, connection_to
from newsletter.delivery.server import Server
from newsletter.delivery.smtp import Connection, Envelope
from newsletter.digests.content import content_and_pictures
from newsletter.digests.models import Digest
from newsletter.digests.render import render
from newsletter.exceptions import InvalidMember, TransportError
from newsletter.members.address import canonical_address

MOST_ADDRESSES = 10
# Somebody waits, and a web server gives up on a request after 30 s.
SECONDS = 20.0


def send_test(
    digest: Digest,
    addresses: Sequence[str],
    *,
    language: str,
    now: datetime,
    server: Server | None = None,
    seconds: float = SECONDS,
) -> dict[str, str]:
    """Send the digest as it stands, marked as a test; for each address "" or why it was refused.

    A draft goes with its latest revision, an approved digest with what was frozen. Raises
    TransportError when the mail server cannot be used at all, ImproperlyConfigured when a DKIM key
    cannot be read. After `seconds` a server's answer is waited for no longer, and the other
    addresses are not tried.
    """
    until = time.monotonic() + seconds
    results: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for written in list(dict.fromkeys(addresses))[:MOST_ADDRESSES]:
        try:
            wanted[written] = canonical_address(written)
        except InvalidMember as error:
            results[written] = str(error)
    row = Digest.objects.get(pk=digest.pk)  # the caller's copy may know an older revision
    content, pictures = content_and_pictures(row)
    positions = tuple(item.position for item in content.items)
    rendered = render(content, positions=positions, language=language, mode="test")
    with translation.override(language):
        subject = _("[Test] %(subject)s") % {"subject": rendered.subject}
    copy_for = compile_test(
        content,
        subject=subject,
        html=rendered.html,
        text=rendered.text,
        language=language,
        now=now,
        pictures=pictures,
    )
    sender = ascii_address(content.newsletter.sender_email)
    connection = connection_to(server, until=until)
    signer = configured_signer(sender.rpartition("@")[2])
    try:
        for written, address in wanted.items():
            if time.monotonic() > until:
                results[written] = _("not tried, because the mail server takes too long")
                continue
            if not connection.is_open:
                connection.open()
            copy = copy_for(address, f"test.{secrets.token_hex(16)}")
            message = signer.sign(copy, now=now)
            try:
                results[written] = _refusal(connection, sender, address, message)
            except TransportError as error:
                results[written] = str(error)
    finally:
        connection.quit()
    return results


def _refusal(
    connection: Connection | ProviderConnection, sender: str, address: str, message: bytes
) -> str:
    opening = connection.open_envelope(Envelope(sender, address, len(message)))
    reply = opening.last
    if opening.is_open:
        connection.finish(message)
        reply = connection.read_answer()
    return "" if reply.ok else str(reply)
