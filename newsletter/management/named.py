"""Finds what an operator names; a wrong name is answered with the names there are."""

from __future__ import annotations

from django.core.management.base import CommandError

from newsletter.digests.models import Digest, Newsletter
from newsletter.exceptions import UnknownNewsletter
from newsletter.themes.models import Theme


def named_newsletter(slug: str) -> Newsletter:
    """Raises UnknownNewsletter."""
    try:
        return Newsletter.objects.get(slug=slug)
    except Newsletter.DoesNotExist:
        known = ", ".join(Newsletter.objects.values_list("slug", flat=True)) or "none yet"
        raise UnknownNewsletter(
            f"There is no newsletter “{slug}”. Those there are: {known}."
        ) from None


def named_theme(slug: str) -> Theme:
    try:
        return Theme.objects.get(slug=slug)
    except Theme.DoesNotExist:
        known = ", ".join(Theme.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no theme “{slug}”. Those there are: {known}.") from None


def numbered_digest(digest_id: int) -> Digest:
    digest = Digest.objects.select_related("newsletter").filter(pk=digest_id).first()
    if digest is None:
        raise CommandError(f"There is no digest {digest_id}. The admin lists them with their ids.")
    return digest
