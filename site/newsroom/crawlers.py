"""What search engines are told: which pages to leave alone, and where the list of the others is."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from newsletter.archive.links import find_links

# Personal links, forms and the editors' pages. Issues' addresses in mails (/newsletter/d/) stay
# open: they lead to the archive, or say "noindex" themselves, which has to be read for that.
NOT_FOR_CRAWLERS = (
    "/admin/",
    "/health/",
    "/newsletter/address/",
    "/newsletter/confirm/",
    "/newsletter/m/",
    "/newsletter/metrics/",
    "/newsletter/subscribe/",
    "/newsletter/websub/",
)


@require_safe
def robots_view(request: HttpRequest) -> HttpResponse:
    links = find_links()
    closed = [*NOT_FOR_CRAWLERS, *([links.search()] if links else [])]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
