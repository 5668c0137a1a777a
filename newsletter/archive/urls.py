"""Addresses outside the archive's page tree."""

from django.urls import path

from newsletter.archive import views

urlpatterns = [path("d/<uuid:uid>/", views.web_view, name="web-view")]
