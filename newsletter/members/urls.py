"""Sign-up, and the pages behind personal links. GET and HEAD change nothing on any of them."""

from django.urls import path

from newsletter.members import signup_views, views

urlpatterns = [
    path("subscribe/", signup_views.subscribe, name="subscribe"),
    path("subscribe/sent/", signup_views.subscribe_sent, name="subscribe-sent"),
    path("confirm/<str:token>/", signup_views.confirm_subscription, name="confirm"),
    path("address/<str:token>/", signup_views.confirm_new_address, name="confirm-address"),
    path("m/<str:token>/", views.preferences, name="preferences"),
    path("m/<str:token>/unsubscribe/", views.unsubscribe_everything, name="unsubscribe-all"),
    path("m/<str:token>/unsubscribe/<slug:slug>/", views.unsubscribe_one, name="unsubscribe"),
    path("m/<str:token>/pause/", views.pause_mails, name="pause-all"),
    path("m/<str:token>/pause/<slug:slug>/", views.pause_mails, name="pause"),
    path("m/<str:token>/address/", views.change_address, name="change-address"),
    path("m/<str:token>/export.json", views.export_data, {"form": "json"}, name="export-json"),
    path("m/<str:token>/export.csv", views.export_data, {"form": "csv"}, name="export-csv"),
    path("m/<str:token>/erase/", views.erase_me, name="erase"),
]
