"""What the nameplate says."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from wagtail.models import Site


def site_name(request: HttpRequest | None) -> str:
    site = Site.find_for_request(request) if request else None
    return str((site and site.site_name) or getattr(settings, "WAGTAIL_SITE_NAME", "Bollettino"))
