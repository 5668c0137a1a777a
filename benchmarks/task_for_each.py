"""What send.py is measured against: the simplest design, a Celery task for each recipient.

The task reads its member, builds the message, opens a connection, sends, and notes that it did.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings.test")
sys.path[:0] = [str(ROOT), str(ROOT / "site"), str(ROOT / "benchmarks")]

import django  # noqa: E402

django.setup()

from celery import Celery  # noqa: E402
from django.core.mail import EmailMultiAlternatives, get_connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from send import texts  # noqa: E402

from newsletter.delivery.models import Delivery  # noqa: E402
from newsletter.digests.slots import TOKEN_SLOT  # noqa: E402
from newsletter.members.tokens import make_token  # noqa: E402

app = Celery("task_for_each", broker=os.environ["BROKER_URL"])
HTML, TEXT = texts()


@app.task(ignore_result=True)
def send_one(delivery_id: int, port: int) -> None:
    delivery = Delivery.objects.select_related("member").get(pk=delivery_id)
    assert delivery.member
    token = make_token(delivery.member.uid)
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port
    )
    mail = EmailMultiAlternatives(
        "Le notizie",
        TEXT.replace(TOKEN_SLOT, token),
        "bollettino@union.example",
        [delivery.member.address],
        connection=connection,
    )
    mail.attach_alternative(HTML.replace(TOKEN_SLOT, token), "text/html")
    mail.send()
    delivery.state = Delivery.State.SENT
    delivery.changed_at = timezone.now()
    delivery.save(update_fields=["state", "changed_at"])
