"""Addresses outside the archive's page tree."""

from django.urls import path

from newsletter.archive import views

urlpatterns = [
    path("d/<uuid:uid>/", views.web_view, name="web-view"),
    path("d/<uuid:uid>/<uuid:block>.ics", views.event, name="event"),
    path("d/<uuid:uid>/<slug:sha256>.jpg", views.picture, name="picture"),
]
