"""A variant as the bytes of a mail, made once; a member's copy is a join of pieces.

Building a message with the standard library costs milliseconds for every recipient; everything
but the address, the Message-ID and the member's link is the same for a whole variant.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, quote
from uuid import UUID

from newsletter.delivery.message_id import local_part, message_domain
from newsletter.delivery.quoted_printable import encode
from newsletter.digests.block_view import content_id
from newsletter.digests.content import DigestContent
from newsletter.digests.links import personal_links
from newsletter.digests.slots import TOKEN_SLOT
from newsletter.members.tokens import make_token

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# Contains "=_", which quoted-printable never writes: it cannot occur in a part.
_BOUNDARY = "=_bollettino_alternative_="
_RELATED = "=_bollettino_related_="
_FIRST_PICTURE = f"--{_RELATED}\r\nContent-Type: image/".encode("ascii")

Pictures = Mapping[str, bytes]  # JPEGs by their SHA-256
NONE: Pictures = {}


@dataclass(frozen=True)
class CompiledMessage:
    """The pieces between the slots.

    What stands in the header is there once: see delivery.dkim, which signs the copy.
    """

    digest_uid: UUID
    before_address: bytes
    before_message_id: bytes
    between_tokens: tuple[bytes, ...]
    pictures: bytes  # to the end of the mail: the same bytes for each variant of a digest

    def for_member(self, address: str, member_uid: UUID, delivery_id: int) -> bytes:
        """One member's copy as it goes over the wire: CRLF line ends, no line starts with a dot."""
        body = [make_token(member_uid).encode("ascii")] * (2 * len(self.between_tokens) - 1)
        body[::2] = self.between_tokens
        # One join: each more would copy all of it once more.
        return b"".join(
            (
                self.before_address,
                address.encode("utf-8"),
                self.before_message_id,
                local_part(self.digest_uid, delivery_id).encode("ascii"),
                *body,
                self.pictures,
            )
        )


def compile_message(
    content: DigestContent,
    *,
    subject: str,
    html: str,
    text: str,
    language: str,
    now: datetime,
    pictures: Pictures = NONE,
) -> CompiledMessage:
    """A digest's mail with its slots, for everybody who gets this html and text."""
    sender = content.newsletter
    domain = message_domain(sender.sender_email)
    link = personal_links(TOKEN_SLOT, sender.slug).unsubscribe
    uid = UUID(str(content.digest_uid))
    after = [
        *_common_headers(content, subject=subject, language=language, now=now),
        # One click means one POST, without a page (RFC 8058).
        f"List-Unsubscribe: <{link}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"List-Id: {_phrase('List-Id', sender.name)} <{sender.slug}.{domain}>",
        # Gmail's complaint statistics go by the last of these four.
        f"Feedback-ID: {uid.hex}:{sender.slug}:digest:{domain}",
        "Precedence: bulk",
        "Auto-Submitted: auto-generated",
    ]
    head = "\r\n".join(after).encode("ascii")
    whole = b"@%s>\r\n%s\r\n%s" % (
        domain.encode("ascii"),
        head,
        _body(html, text, TOKEN_SLOT, pictures),
    )
    before_pictures, first_picture, others = whole.partition(_FIRST_PICTURE)
    return CompiledMessage(
        digest_uid=uid,
        before_address=f"{_from(content)}\r\nTo: ".encode("ascii"),
        before_message_id=b"\r\nMessage-ID: <",
        between_tokens=tuple(before_pictures.split(TOKEN_SLOT.encode("ascii"))),
        pictures=first_picture + others,
    )


def compile_test(
    content: DigestContent,
    *,
    subject: str,
    html: str,
    text: str,
    language: str,
    now: datetime,
    pictures: Pictures = NONE,
) -> Callable[[str, str], bytes]:
    """A mail outside the ledger: it belongs to no member, so it carries no personal links.

    The answer makes the copy for an address and the first part of a Message-ID.
    """
    domain = message_domain(content.newsletter.sender_email)
    headers = _common_headers(content, subject=subject, language=language, now=now)
    rest = "\r\n".join([*headers, "Auto-Submitted: auto-generated"]).encode("ascii")
    body = _body(html, text, "", pictures)

    def for_address(address: str, unique: str) -> bytes:
        return b"%s\r\nTo: %s\r\nMessage-ID: <%s@%s>\r\n%s\r\n%s" % (
            _from(content).encode("ascii"),
            address.encode("utf-8"),
            unique.encode("ascii"),
            domain.encode("ascii"),
            rest,
            body,
        )

    return for_address


def _from(content: DigestContent) -> str:
    sender = content.newsletter
    return f"From: {_phrase('From', sender.sender_name)} <{ascii_address(sender.sender_email)}>"


def _common_headers(
    content: DigestContent, *, subject: str, language: str, now: datetime
) -> list[str]:
    reply_to = content.newsletter.reply_to
    return [
        *([f"Reply-To: {ascii_address(reply_to)}"] if reply_to else []),
        f"Subject: {_encoded('Subject', subject)}",
        f"Date: {format_datetime(now)}",
        f"Content-Language: {language}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"',
    ]


def _body(html: str, text: str, slot: str, pictures: Pictures) -> bytes:
    """From the empty line after the header to the end."""
    page = _text_part("html", html, slot)
    shown = {name: data for name, data in pictures.items() if f"cid:{content_id(name)}" in html}
    if shown:
        related = f'Content-Type: multipart/related; type="text/html"; boundary="{_RELATED}"'
        parts = [page, *(_picture_part(name, data) for name, data in shown.items())]
        page = b"%s\r\n\r\n%s" % (related.encode("ascii"), _multipart(_RELATED, parts))
    return b"\r\n" + _multipart(_BOUNDARY, [_text_part("plain", text, slot), page])


def _multipart(boundary: str, parts: list[bytes]) -> bytes:
    line = b"--" + boundary.encode("ascii")
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _text_part(kind: str, text: str, slot: str) -> bytes:
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode("ascii") + encode(text, slot=slot)


def _picture_part(sha256: str, data: bytes) -> bytes:
    """Within the mail (RFC 2387): opening it asks nobody for anything."""
    head = (
        "Content-Type: image/jpeg\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{content_id(sha256)}>\r\n"
        f'Content-Disposition: inline; filename="{sha256[:12]}.jpg"\r\n\r\n'
    )
    # base64's alphabet has no dot: no line of it needs dot-stuffing.
    return head.encode("ascii") + encodebytes(data).rstrip(b"\n").replace(b"\n", b"\r\n")


def one_line(text: str) -> str:
    """Without the line ends and control characters that would start a header of their own."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _encoded(name: str, text: str) -> str:
    text = one_line(text)
    charset = "us-ascii" if _goes_as_it_is(text) else "utf-8"
    header = Header(text, charset=charset, header_name=name, maxlinelen=76)
    return header.encode(linesep="\r\n")


def _goes_as_it_is(text: str) -> bool:
    """ASCII that no reader takes for an encoded word (RFC 2047), and that can be folded."""
    return text.isascii() and "=?" not in text and all(len(word) < 60 for word in text.split())


def _phrase(name: str, text: str) -> str:
    """A display name: quoted, or encoded words."""
    text = one_line(text)
    if _goes_as_it_is(text):
        return f'"{quote(text)}"'
    return _encoded(name, text)


def ascii_address(address: str) -> str:
    """With the domain in IDNA, as every server understands it."""
    local, _, domain = one_line(address).rpartition("@")
    return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
