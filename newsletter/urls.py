"""The plugin's own addresses: `path("newsletter/", include("newsletter.urls"))`."""

from django.urls import URLPattern, URLResolver, include, path

from newsletter.delivery.metrics import metrics_view

app_name = "newsletter"

urlpatterns: list[URLPattern | URLResolver] = [
    path("metrics/", metrics_view, name="metrics"),
    path("", include("newsletter.archive.urls")),
    path("", include("newsletter.feeds.urls")),
    path("", include("newsletter.members.urls")),
]
