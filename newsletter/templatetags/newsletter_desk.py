"""What the admin's templates ask for: how far away a moment is."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from newsletter.desk.moments import ago, until

register = template.Library()


@register.filter
def when(moment: datetime) -> str:
    """ "3 hours ago", or "in 2 days and 7 hours"."""
    now = timezone.now()
    return ago(moment, now=now) if moment <= now else until(moment, now=now)
