"""Somebody wants to know now where a draft's links lead: a worker asks, and the page is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from newsletter.digests.content import content_of
from newsletter.digests.following import all_answered, follow, links_to_follow
from newsletter.digests.models import Digest

# So long it is tried; afterwards whoever asked is told that not all was answered.
PATIENCE = timedelta(minutes=10)


class LinkRequest(models.Model):
    """The latest for each digest."""

    digest = models.OneToOneField(Digest, on_delete=models.CASCADE, related_name="link_request")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("request to follow links")
        verbose_name_plural = _("requests to follow links")

    def __str__(self) -> str:
        return f"links of {self.digest_id}, asked for at {self.asked_at:%Y-%m-%d %H:%M:%S}"


def ask(digest_id: int, *, now: datetime) -> None:
    LinkRequest.objects.update_or_create(
        digest_id=digest_id, defaults={"asked_at": now, "answered_at": None}
    )


def waiting(now: datetime) -> QuerySet[LinkRequest]:
    return LinkRequest.objects.filter(answered_at__isnull=True, asked_at__gt=now - PATIENCE)


def answer(digest_id: int, *, now: datetime, seconds: float) -> bool:
    """Follow them for at most about so long; whether to go on at once.

    What did not answer well before the request is asked again. A host that is asked something else
    just now is left for another time.
    """
    request = waiting(now).filter(digest=digest_id).select_related("digest__newsletter").first()
    if request is None:
        return False
    urls = links_to_follow(content_of(request.digest))
    since = request.asked_at
    left = follow(urls, now=now, seconds=seconds, doubted=now - since)
    if all_answered(urls, since=since, now=now):
        # Asked for again meanwhile: that is another request.
        LinkRequest.objects.filter(pk=request.pk, asked_at=since).update(answered_at=now)
    return left
