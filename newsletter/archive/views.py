"""The addresses that a mail carries: they hold wherever the archive is moved."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from newsletter.archive.issue import issue_of
from newsletter.archive.links import find_links
from newsletter.archive.published import reachable_issues
from newsletter.digests.calendar import CONTENT_TYPE, calendar_file
from newsletter.digests.content import DigestContent
from newsletter.digests.pictures import Picture

# What was approved never changes under its address.
FOR_GOOD = "public, max-age=31536000, immutable"


@require_safe
def picture(request: HttpRequest, uid: UUID, sha256: str) -> HttpResponse:
    """A picture of an issue, as it was approved."""
    digest = get_object_or_404(reachable_issues().only("pk"), uid=uid)
    found = get_object_or_404(Picture, digest=digest, sha256=sha256)
    headers = {"Cache-Control": FOR_GOOD, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(bytes(found.data), content_type="image/jpeg", headers=headers)


@require_safe
def event(request: HttpRequest, uid: UUID, block: UUID) -> HttpResponse:
    """An issue's event, for a reader's calendar."""
    digest = get_object_or_404(reachable_issues(), uid=uid)
    content = DigestContent.from_json(digest.content or {})
    events = (one for one in content.blocks if one.kind == "event" and one.id == str(block))
    if (found := next(events, None)) is None:
        raise Http404
    stamped = digest.approved_at or digest.slot
    file = calendar_file(found, time_zone=content.newsletter.time_zone, stamped=stamped)
    name = slugify(found.heading)[:60] or "evento"
    return HttpResponse(
        file,
        content_type=CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.ics"'},
    )


def web_view(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The issue as a page; in the archive, unless its newsletter is not offered to everybody."""
    digest = get_object_or_404(reachable_issues().select_related("newsletter"), uid=uid)
    links = find_links()
    if links and digest.newsletter.is_public:
        return HttpResponseRedirect(links.issue(digest))
    context = {"issue": issue_of(digest), "links": links, "unlisted": True}
    return render(request, "newsletter/archive/issue.html", context)
