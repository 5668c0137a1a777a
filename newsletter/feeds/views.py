"""Where a hub calls (W3C WebSub): it asks whether we meant it, and rings when there is news."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter.feeds import websub
from newsletter.signals import feed_rang


@csrf_exempt  # hubs carry no cookie; what they send is signed
@never_cache
@require_http_methods(["GET", "POST"])
def hub_callback(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "GET":
        answer = websub.verify(token, request.GET.dict(), now=timezone.now())
        if answer is None:
            return HttpResponse("Not asked for.", status=404, content_type="text/plain")
        response = HttpResponse(answer, content_type="text/plain; charset=utf-8")
        response["X-Content-Type-Options"] = "nosniff"
        return response
    signature = request.headers.get("X-Hub-Signature", "")
    heard = websub.hear(token, signature, _pieces(request), now=timezone.now())
    if heard is None:
        return HttpResponse(status=410)  # the hub may forget us (WebSub, 7.1)
    if heard:
        feed_rang.send_robust(sender=HttpRequest)
    # A wrong signature gets the same answer: nobody learns whether a guess was near (WebSub, 8).
    return HttpResponse(status=202)


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes: it is signed, not kept."""
    while piece := request.read(65_536):
        yield piece
