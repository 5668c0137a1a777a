"""A digest's mail itself, as a frame beside the checks shows it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from newsletter.desk.audience import one_reader
from newsletter.desk.checklist import mail_weight
from newsletter.digests.block_view import content_id
from newsletter.digests.content import DigestContent, content_and_pictures
from newsletter.digests.links import picture_url
from newsletter.digests.models import Digest, Variant
from newsletter.digests.render import in_the_dark, render, without_pictures

MAY_SEE_MEMBERS = "newsletter.view_member"
MAY_SEE = ("newsletter.view_digest", "newsletter.change_digest")


def may_see(request: HttpRequest) -> bool:
    return any(request.user.has_perm(permission) for permission in MAY_SEE)


def _asked_positions(request: HttpRequest, content: DigestContent) -> list[int]:
    """The items of one kind of readers ("0,2,3"), or all there are."""
    wanted = {int(one) for one in request.GET.get("items", "").split(",") if one.isdecimal()}
    return [item.position for item in content.items if not wanted or item.position in wanted]


def with_pictures_from_the_web(variant: Variant) -> str:
    """A browser does not know the parts of a mail: its pictures come from their address."""
    html = variant.html
    for sha256 in variant.digest.pictures.values_list("sha256", flat=True):
        address = picture_url(str(variant.digest.uid), sha256)
        html = html.replace(f"cid:{content_id(sha256)}", address)
    return html


def _asked_language(request: HttpRequest, content: DigestContent) -> str:
    language = request.GET.get("language", "")
    return language if language in ("it", "en") else content.newsletter.language


@require_GET
@xframe_options_sameorigin
def mail_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail itself, for a frame: a variant of an approved digest, or all there is so far."""
    if not may_see(request):
        raise PermissionDenied
    digest = get_object_or_404(Digest, pk=pk)
    variant_pk = request.GET.get("variant", "")
    if variant_pk.isdecimal():
        variant = get_object_or_404(Variant, pk=int(variant_pk), digest=digest)
        html, text = with_pictures_from_the_web(variant), variant.text
    else:
        content, pictures = content_and_pictures(digest)
        rendered = render(
            content,
            positions=_asked_positions(request, content),
            language=_asked_language(request, content),
            mode="preview",
            pictures=pictures,
        )
        html, text = rendered.html, rendered.text
    if request.GET.get("as") == "weight":
        return JsonResponse({"kilobytes": round(mail_weight(digest) / 1000)})
    if request.GET.get("as") == "no-pictures":
        html = without_pictures(html)
    if request.GET.get("as") == "dark":
        html = in_the_dark(html)
    if request.GET.get("as") == "text":
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    return _framed(html)


@require_POST
@xframe_options_sameorigin
def as_reader_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail as a certain reader would get it. Posted: an address in a URL ends in logs.

    Only for who may see members: the answer tells whether somebody is one.
    """
    if not (may_see(request) and request.user.has_perm(MAY_SEE_MEMBERS)):
        raise PermissionDenied
    digest = get_object_or_404(Digest, pk=pk)
    content, pictures = content_and_pictures(digest)
    written = request.POST.get("address", "")
    reader = one_reader(digest.newsletter, content, written, now=timezone.now())
    if reader.why_not:
        return _framed(render_to_string("newsletter/admin/digest/no_mail.html", vars(reader)))
    rendered = render(
        content,
        positions=reader.positions,
        language=reader.language,
        mode="preview",
        pictures=pictures,
    )
    return _framed(rendered.html)


def _framed(html: str) -> HttpResponse:
    response = HttpResponse(html)
    # A mail has no script; should a publisher's text ever hold one, it must not run in the admin.
    response["Content-Security-Policy"] = "sandbox allow-popups; script-src 'none'"
    return response
