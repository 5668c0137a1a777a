"""The address that every mail carries: it holds wherever the archive is moved."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from newsletter.archive.issue import issue_of
from newsletter.archive.links import find_links
from newsletter.archive.published import reachable_issues


def web_view(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The issue as a page; in the archive, unless its newsletter is not offered to everybody."""
    digest = get_object_or_404(reachable_issues().select_related("newsletter"), uid=uid)
    links = find_links()
    if links and digest.newsletter.is_public:
        return HttpResponseRedirect(links.issue(digest))
    context = {"issue": issue_of(digest), "links": links, "unlisted": True}
    return render(request, "newsletter/archive/issue.html", context)
