"""The demo's two people: enough to try an urgent notice to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.loading import LOGIN, PASSWORD, SECOND_LOGIN, load_logins
from newsletter.digests.models import Digest
from tests.builders import make_article, make_digest, make_member, make_newsletter

pytestmark = pytest.mark.django_db


def test_the_demos_two_people_are_enough_for_an_urgent_notice() -> None:
    load_logins()
    load_logins()  # at the next start
    newsletter = make_newsletter("Avvisi urgenti", kind="urgent")
    make_member(newsletter=newsletter)
    slot = timezone.now() + timedelta(hours=3)
    digest = make_digest(newsletter, articles=[make_article()], slot=slot)
    approved = []
    for name in (LOGIN, SECOND_LOGIN):
        client = Client()
        assert client.login(username=name, password=PASSWORD)
        client.post(reverse("newsletter_digests:action", args=[digest.pk, "approve"]))
        approved.append(Digest.objects.get(pk=digest.pk).is_frozen)
    assert approved == [False, True]
