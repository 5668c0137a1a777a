"""Addresses in a mail. All of one variant are the same but for the member's token."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from newsletter import conf


@dataclass(frozen=True)
class PersonalLinks:
    preferences: str
    unsubscribe: str
    pause: str


def personal_links(token: str, newsletter_slug: str) -> PersonalLinks:
    """The pages of one member (see members.urls); with TOKEN_SLOT, of whoever gets the mail."""
    return PersonalLinks(
        preferences=_address("preferences", token),
        unsubscribe=_address("unsubscribe", token, newsletter_slug),
        pause=_address("pause", token, newsletter_slug),
    )


def web_view_url(digest_uid: str) -> str:
    """Leads to the issue in the archive, wherever the archive stands."""
    return _address("web-view", digest_uid)


def picture_url(digest_uid: str, sha256: str) -> str:
    return _address("picture", digest_uid, sha256)


def event_url(digest_uid: str, block_id: str) -> str:
    """The event as a file for a reader's calendar."""
    return _address("event", digest_uid, block_id)


def _address(name: str, *parts: str) -> str:
    return conf.site_url(reverse(f"newsletter:{name}", args=parts))
