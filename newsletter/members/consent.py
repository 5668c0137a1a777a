"""The proof that somebody asked: appended, never changed."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from django.utils import translation
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.digests.models import Newsletter
from newsletter.members.models import Consent, Member
from newsletter.themes.models import Theme


def consent_text(language: str) -> str:
    """The words beside the form's button, as the proof keeps them."""
    with translation.override(language):
        return _(
            "I ask to receive the newsletters chosen here at this address, about the themes chosen "
            "here. My address is used for nothing else. Every mail has a link to change my choices "
            "or to unsubscribe."
        )


def text_version(text: str) -> str:
    """Made from the words themselves, so that it can't be out of date."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def ip_prefix(ip: str) -> str:
    """The network only: /24 or /48. Empty when it is no address."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    length = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, length), strict=False))


def record(
    member: Member,
    event: Consent.Event,
    newsletters: Iterable[Newsletter],
    theme_ids: Iterable[int],
    *,
    now: datetime,
    source: str,
    text: str = "",
    form_url: str = "",
    ip: str = "",
) -> Consent:
    themes = Theme.objects.filter(pk__in=list(theme_ids)).order_by("slug")
    return Consent.objects.create(
        member=member,
        address_hash=member.address_hash,
        event=event,
        at=now,
        newsletter_slugs=sorted(one.slug for one in newsletters),
        theme_slugs=list(themes.values_list("slug", flat=True)),
        text=text,
        text_version=text_version(text) if text else "",
        policy_version=str(conf.get("PRIVACY_POLICY_VERSION"))[:20],
        # Without its query, where a page may hold anything.
        form_url=urlunsplit((*urlsplit(form_url)[:3], "", ""))[:500],
        source=source,
        ip_prefix=ip_prefix(ip),
    )
