"""What holds for every page reached through a personal link, and for forms without a cookie."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter import conf
from newsletter.exceptions import InvalidToken

View = Callable[..., HttpResponse]


def personal(view: View) -> View:
    """Never cached, indexed or named to another site. An invalid link gets a page that says so.

    No CSRF cookie: the signed token in the address, which no other site knows, is the proof.
    """

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except InvalidToken as error:
            context = {"reason": str(error)}
            response = render(request, "newsletter/members/invalid.html", context, status=404)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response["Cache-Control"] = "no-store, private"
        return response

    return guarded


def same_site_form(view: View) -> View:
    """For the sign-up form: refuses a POST from another site's page, without a cookie."""

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not _from_here(request):
            return HttpResponseForbidden(
                _("This form was sent from another site. Open the sign-up page and try again."),
                content_type="text/plain; charset=utf-8",
            )
        return view(request, *args, **kwargs)

    return guarded


def _from_here(request: HttpRequest) -> bool:
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from:
        return fetched_from in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if not origin:
        return True  # not a browser: nobody's visit is being abused
    ours = {request.get_host(), urlsplit(conf.site_url()).netloc}
    return urlsplit(origin).netloc in ours


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Rendered in the language in force, which may be the member's and not the browser's."""
    response = render(request, f"newsletter/members/{template}.html", context, status=status)
    response["Content-Language"] = translation.get_language() or "it"
    return response


def client_ip(request: HttpRequest) -> str:
    """Who asks; behind proxies of our own what the outermost of them saw."""
    proxies = int(conf.get("TRUSTED_PROXIES"))
    if proxies > 0:
        seen = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(seen) >= proxies and seen[-proxies]:
            return seen[-proxies]
    return str(request.META.get("REMOTE_ADDR", ""))
