"""One mailbox, one spelling."""

from __future__ import annotations

import re
import unicodedata

import idna
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from newsletter.exceptions import InvalidMember

# RFC 5321, 4.5.3.1, and the 254 of its erratum 1690.
_MAX_ADDRESS = 254
_MAX_LOCAL = 64
# An unquoted local part (RFC 5322, 3.2.3). Quoted ones and those outside ASCII are refused: the
# first are typing errors in practice, the second need SMTPUTF8 at every hop.
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TOP_LEVEL = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{2,59}")


def canonical_address(email: str) -> str:
    """Lower case, the domain in IDNA; InvalidMember says what is wrong with it.

    The message never holds the address: messages end up in logs.
    """
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") for sign in email):
        raise InvalidMember(
            _("The address contains a line break or an invisible sign. Write it on one line.")
        )
    local, at, domain = email.strip().lower().rpartition("@")
    if not at or not local or not domain:
        raise InvalidMember(_("An address has the form name@example.org: a part is missing."))
    if len(local) > _MAX_LOCAL or not _LOCAL.fullmatch(local):
        raise InvalidMember(
            _("Mail can't be sent to what stands before the @: look for blanks and accents.")
        )
    try:
        domain = idna.encode(domain.rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        domain = ""
    labels = domain.split(".")
    if len(labels) < 2 or not _TOP_LEVEL.fullmatch(labels[-1]):
        raise InvalidMember(
            _("Mail can't be sent to what stands after the @: it must be a name like example.org.")
        )
    address = f"{local}@{domain}"
    if len(address) > _MAX_ADDRESS:
        raise InvalidMember(_("The address is longer than mail allows (254 signs)."))
    return address


def address_hash(address: str) -> str:
    """What stays of an address after erasure: nobody can read it back without the secret key."""
    return salted_hmac("newsletter.members.address", address, algorithm="sha256").hexdigest()


def masked(email: str) -> str:
    """Enough for its owner to recognise, nothing for who finds a forwarded link: m…@posta.it."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"
