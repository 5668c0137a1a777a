"""The plugin's own addresses: `path("newsletter/", include("newsletter.urls"))`."""

from django.urls import URLPattern, URLResolver, include, path

app_name = "newsletter"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("newsletter.archive.urls")),
    path("", include("newsletter.feeds.urls")),
    path("", include("newsletter.members.urls")),
]
