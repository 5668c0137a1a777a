"""The buckets, where all workers find them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.delivery.pace.limits import Bucket


class Throttle(models.Model):
    """A bucket of newsletter.delivery.pace.limits."""

    # "server", "domain gmail.com", "digest 7", "day 2026-12-01", "day 2026-12-01 domain gmail.com",
    # or "slots domain gmail.com".
    name = models.CharField(max_length=280, unique=True)
    tokens = models.FloatField(default=0.0)
    filled_at = models.DateTimeField()
    slow_steps = models.PositiveSmallIntegerField(default=0)
    slow_until = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("throttle")
        verbose_name_plural = _("throttles")
        constraints: ClassVar = []

    def __str__(self) -> str:
        return self.name

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.tokens, self.filled_at, self.slow_steps, self.slow_until)


class Slot(models.Model):
    """A sender's place among those that may serve a domain at once (see slots)."""

    name = models.CharField(max_length=280)  # as a throttle's: "server" or "domain gmail.com"
    owner = models.CharField(max_length=32)
    until = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("sender's place")
        verbose_name_plural = _("senders' places")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "owner"], name="slot_once_per_sender"),
        ]

    def __str__(self) -> str:
        return self.name
