"""Addresses in a mail. All of one variant are the same but for the member's token."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter import conf


@dataclass(frozen=True)
class PersonalLinks:
    preferences: str
    unsubscribe: str
    pause: str


def personal_links(token: str, newsletter_slug: str) -> PersonalLinks:
    """The pages of one member (see members.urls); with TOKEN_SLOT, of whoever gets the mail."""
    preferences = conf.site_url(f"/newsletter/m/{token}/")
    return PersonalLinks(
        preferences=preferences,
        unsubscribe=f"{preferences}unsubscribe/{newsletter_slug}/",
        pause=f"{preferences}pause/{newsletter_slug}/",
    )


def web_view_url(digest_uid: str) -> str:
    """Leads to the issue in the archive, wherever the archive stands."""
    return conf.site_url(f"/newsletter/d/{digest_uid}/")
