"""When what comes round every minute last came: silence is seen by who looks from outside."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Pulse(models.Model):
    """The tick that beat rings, and the sweep that it rings for in turn."""

    name = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")
        constraints: ClassVar = []

    def __str__(self) -> str:
        return self.name


TICK, SWEEP = "tick", "sweep"


def note_pulse(name: str, *, now: datetime) -> None:
    Pulse.objects.update_or_create(name=name, defaults={"at": now})


def last_pulses() -> dict[str, datetime]:
    """By name; one that never came is not among them."""
    return dict(Pulse.objects.order_by("name").values_list("name", "at"))
