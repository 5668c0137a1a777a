"""The address that hubs call."""

from django.urls import path

from newsletter.feeds import views

urlpatterns = [path("websub/<str:token>/", views.hub_callback, name="websub")]
