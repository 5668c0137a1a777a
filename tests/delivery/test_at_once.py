"""What a person and a sender do to one batch at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from newsletter.delivery.claim import claim_batch, give_back
from newsletter.delivery.models import Delivery
from newsletter.delivery.reconcile import resolve
from newsletter.digests.models import Digest
from tests.delivery.conftest import Clock, delivery_to, states

ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
def test_a_mail_is_sent_again_while_its_batch_is_given_back_and_neither_waits_for_ever(
    ready_digest: Callable[[list[str]], Digest], clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO])
    unsure = delivery_to(digest, ANNA).pk
    Delivery.objects.filter(pk=unsure).update(state=Delivery.State.UNCERTAIN)
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    resolved: list[bool] = []

    def send_again() -> None:
        try:
            resolved.append(resolve(unsure, "resend", now=clock.now))
        finally:
            connection.close()

    person = threading.Thread(target=send_again)
    with transaction.atomic():
        give_back(claim, in_doubt=(), now=clock.now)
        person.start()
        time.sleep(0.5)  # until it waits for the batch; the commit looks at the digest then
        assert not resolved
    person.join()
    assert resolved == [True]
    assert states(digest) == {ANNA: "pending", BRUNO: "pending"}
