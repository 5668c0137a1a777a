"""What a sender hears of while it sends: changed by others, on a connection of theirs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction

from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch, release_expired
from newsletter.delivery.control import cancel, pause
from newsletter.delivery.ledger import commit_begun
from newsletter.delivery.missed import call_off
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest
from newsletter.members import subscriptions
from newsletter.members.models import Member, Suppression
from newsletter.members.rights import erase
from newsletter.members.suppression import suppress
from tests.builders import NOW, make_article
from tests.delivery.conftest import Clock

ANNA, BRUNO = "anna@posta.example", "bruno@posta.example"
LATER = NOW.replace(year=NOW.year + 1)

pytestmark = [pytest.mark.side_by_side, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def digest(ready_digest: Callable[[list[str]], Digest]) -> Digest:
    return ready_digest([ANNA, BRUNO])


@pytest.fixture
def changes(digest: Digest) -> Iterator[Changes]:
    changes = Changes()
    changes.watch()
    yield changes
    changes.end()


def elsewhere(do: Callable[[], object]) -> None:
    """As another process would: on a connection of its own, and saved when this returns."""

    def run() -> None:
        try:
            do()
        finally:
            connection.close()

    other = threading.Thread(target=run)
    other.start()
    other.join()
    time.sleep(0.006)  # the longest that an announcement may be under way unasked for


def anna() -> Member:
    return Member.objects.get(address=ANNA)


def leave(digest: Digest) -> None:
    subscriptions.unsubscribe(anna(), digest.newsletter, now=NOW, source="test")


def take_a_break(digest: Digest) -> None:
    subscriptions.pause(anna(), digest.newsletter, LATER, now=NOW)


def be_erased(_digest: Digest) -> None:
    erase(anna(), NOW)


def bounce(_digest: Digest) -> None:
    suppress(anna().address_hash, Suppression.Reason.BOUNCE, now=NOW)


def pause_it(digest: Digest) -> None:
    pause(digest.pk, now=NOW, reason="a wrong date")


def cancel_it(digest: Digest) -> None:
    cancel(digest.pk, now=NOW)


def call_its_retry_off(digest: Digest) -> None:
    Digest.objects.filter(pk=digest.pk).update(sent_at=NOW)
    call_off(digest.pk, now=NOW)


def take_its_batch_back(digest: Digest) -> None:
    Batch.objects.filter(digest=digest).update(lease_until=NOW.replace(year=NOW.year - 1))
    release_expired(now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        leave, take_a_break, be_erased, bounce, pause_it, cancel_it, call_its_retry_off,
        take_its_batch_back,
    ],
)  # fmt: skip
def test_what_must_keep_a_mail_back_is_heard_before_the_next_one(
    digest: Digest, changes: Changes, clock: Clock, change: Callable[[Digest], None]
) -> None:
    assert claim_batch(digest.pk, owner="a", now=clock.now)
    changes.watch()
    assert changes.is_quiet()
    elsewhere(lambda: change(digest))
    assert not changes.is_quiet()
    changes.watch()  # and looked at all of them again
    assert changes.is_quiet()


def test_what_the_sender_notes_itself_is_no_news_to_it(
    digest: Digest, changes: Changes, clock: Clock
) -> None:
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    changes.watch()
    for delivery in Delivery.objects.filter(digest=digest):
        assert commit_begun(claim.batch_id, claim.fence, [delivery.pk], now=clock.now)
        changes.made(rows=1)
        assert changes.is_quiet()


def test_a_new_connection_knows_nothing_of_what_was_announced_before(changes: Changes) -> None:
    connection.close()
    elsewhere(lambda: make_article("Sciopero dei trasporti"))
    assert not changes.is_quiet()
    changes.watch()
    assert changes.is_quiet()


def test_a_sender_that_has_ended_leaves_no_connection_listening(changes: Changes) -> None:
    changes.end()
    assert listened_to() == []


def test_in_a_transaction_nothing_is_taken_for_quiet_that_cannot_be_heard(
    digest: Digest, changes: Changes
) -> None:
    with transaction.atomic():
        changes.watch()
        Digest.objects.filter(pk=digest.pk).update(paused_at=NOW)
        assert not changes.is_quiet()


def listened_to() -> list[str]:
    """The channels that this connection hears; SQLite has none."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_listening_channels()")
        return [name for (name,) in cursor.fetchall()]
