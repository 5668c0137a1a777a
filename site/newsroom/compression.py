"""Stylesheets and scripts sent compressed, where no collectstatic has done it beforehand."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXT = ("text/", "application/javascript", "application/json", "image/svg+xml")


class GzipStaticMiddleware(GZipMiddleware):
    """Static files alone: pages with a token in them are left to their own views (BREACH)."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        path, kind = request.path_info, response.headers.get("Content-Type", "")
        # Fonts and pictures are compressed already.
        if path.startswith(settings.STATIC_URL) and kind.startswith(TEXT):
            return super().process_response(request, response)
        return response
