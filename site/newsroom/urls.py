"""The site's addresses: the admin, the plugin, and Wagtail's pages for the rest."""

from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.contrib.sitemaps.views import sitemap
from wagtail.documents import urls as wagtaildocs_urls

from newsroom.crawlers import robots_view
from newsroom.health import health_view

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("newsletter/", include("newsletter.urls")),
    path("health/", health_view),
    path("robots.txt", robots_view),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("", include(wagtail_urls)),
]
if apps.is_installed("anymail"):
    # Before Wagtail's pages, which answer for everything else.
    urlpatterns.insert(0, path("anymail/", include("anymail.urls")))
if settings.SERVE_MEDIA:
    # One small server without a proxy in front: uploads come from here.
    media = rf"^{settings.MEDIA_URL.lstrip('/')}(?P<path>.*)$"
    urlpatterns.insert(0, re_path(media, serve, {"document_root": settings.MEDIA_ROOT}))
