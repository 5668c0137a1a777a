"""The same report through two doors at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from newsletter.delivery.bounces.models import Bounce, ReportCount
from newsletter.delivery.bounces.receiving import receive
from newsletter.delivery.send import send_batches
from newsletter.digests.models import Digest
from newsletter.members.models import Suppression
from tests.delivery.bounces.conftest import ANNA, DOMAIN, return_path
from tests.delivery.bounces.test_reading import sample
from tests.delivery.conftest import Clock
from tests.delivery.scripted_server import ScriptedServer


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["complaint", "postfix-no-such-user"])
def test_a_report_that_comes_in_eight_times_at_once_counts_once(
    name: str,
    ready_digest: Callable[..., Digest],
    smtp: ScriptedServer,
    clock: Clock,
    configure: Callable[..., None],
) -> None:
    configure(BOUNCE_DOMAIN=DOMAIN)
    digest = ready_digest([ANNA])
    send_batches(digest.pk, clock=clock)
    raw = sample(name, return_path(digest, ANNA, clock.now))
    worths: list[str] = []
    together = threading.Barrier(8)

    def take_in() -> None:
        try:
            together.wait()
            worths.append(receive(raw, now=clock.now).value)
        finally:
            connection.close()

    threads = [threading.Thread(target=take_in) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = "suppressed" if name == "complaint" else "counted"
    assert sorted(worths) == sorted([first] + ["replayed"] * 7)
    assert Bounce.objects.count() == 1
    assert Suppression.objects.count() == (1 if name == "complaint" else 0)
    counts = dict(ReportCount.objects.values_list("worth", "number"))
    assert counts == {first: 1, "replayed": 7}
