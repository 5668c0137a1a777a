"""A hub that promised to tell us of a feed's news (W3C WebSub)."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.feeds.models import Feed


def new_token() -> str:
    return secrets.token_urlsafe(24)


class HubSubscription(models.Model):
    class State(models.TextChoices):
        ASKED = "asked", _("Asked, not confirmed yet")
        ACTIVE = "active", _("Active")
        REFUSED = "refused", _("Refused by the hub")
        LEAVING = "leaving", _("Being ended")

    # Without one it was deleted: the hub is still told.
    feed = models.ForeignKey(
        Feed,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="hub_subscriptions",
    )
    hub_url = models.URLField(max_length=1000)
    topic_url = models.URLField(max_length=1000)
    # The end of the address that the hub calls. It names us there; the secret is another
    # (see feeds.websub).
    token = models.CharField(max_length=64, unique=True, default=new_token)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_push_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    error = models.TextField(blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("subscription at a hub")
        verbose_name_plural = _("subscriptions at hubs")
        indexes: ClassVar = [models.Index(fields=["state", "next_at"], name="hub_due")]

    def __str__(self) -> str:
        return f"{self.topic_url}: {self.state}"
