"""The site's Celery application: `celery -A newsroom worker` and the `worker` command use it."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings.embedded")

TRANSPORT_ALIASES["filesystem"] = "newsroom.folder_broker:Transport"

app = Celery("newsroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
