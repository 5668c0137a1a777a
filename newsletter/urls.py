"""The plugin's own addresses: `path("newsletter/", include("newsletter.urls"))`."""

from django.urls import URLPattern, URLResolver

app_name = "newsletter"

urlpatterns: list[URLPattern | URLResolver] = []
