"""What a vanished sender's journal says about its batch, and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.delivery import journal as journals
from newsletter.delivery.changes import Changes
from newsletter.delivery.claim import claim_batch, release_expired
from newsletter.delivery.control import cancel, expire
from newsletter.delivery.handover import HandOver
from newsletter.delivery.models import Batch, Delivery
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.reconcile import resolve
from newsletter.digests.models import Digest
from tests.builders import NOW
from tests.delivery.conftest import Clock, states

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ANNA, BRUNO, CARLA = "anna@posta.example", "bruno@posta.example", "carla@posta.example"


@pytest.fixture
def folder(tmp_path: Path, configure: Callable[..., None]) -> Path:
    configure(JOURNAL_DIR=str(tmp_path / "journal"))
    return tmp_path / "journal"


def begin_two(digest: Digest, clock: Clock) -> HandOver:
    """A sender that has sent Anna's mail and begun Bruno's; nothing is folded yet."""
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    batch = HandOver(claim, Changes(), now=clock.now)
    anna, bruno, _ = batch.next_rows(after=0, limit=3, now=clock.now)
    assert batch.begin([anna], now=clock.now)
    batch.note(Outcome(anna.delivery_id, Delivery.State.SENT, "", 250, "2.0.0 Ok: queued as A1"))
    assert batch.begin([bruno], now=clock.now)
    return batch


def die(batch: HandOver) -> None:
    """All that the kernel does about the journal of a killed process."""
    assert batch.claim.journal is not None
    batch.claim.journal.close()


def test_a_dead_senders_batch_is_taken_back_at_once_by_its_journal(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    die(begin_two(digest, clock))
    assert release_expired(now=clock.now) == (1, 1)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "pending"}
    assert Delivery.objects.get(member__address=ANNA).detail.endswith("queued as A1")
    assert list(folder.iterdir()) == []


def test_a_slow_sender_is_not_taken_over_on_its_own_machine(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    batch = begin_two(digest, clock)
    assert release_expired(now=clock.forward(hours=1)) == (0, 0)
    batch.end(now=clock.now)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "pending"}


def test_after_a_power_cut_what_the_journal_does_not_name_is_uncertain(
    ready_digest: Ready, clock: Clock, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    die(begin_two(digest, clock))
    other_boot = tmp_path / "boot_id"
    other_boot.write_text("another-boot\n")
    monkeypatch.setattr(journals, "_BOOT_ID", other_boot)
    assert release_expired(now=clock.now) == (1, 2)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "uncertain"}


def test_a_lost_journal_is_waited_for_and_then_leaves_its_batch_uncertain(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    die(begin_two(digest, clock))
    for journal in folder.iterdir():
        journal.unlink()
    assert release_expired(now=clock.forward(seconds=121)) == (0, 0)
    assert release_expired(now=clock.forward(seconds=901)) == (1, 3)
    assert set(states(digest).values()) == {"uncertain"}


def test_a_line_that_was_not_written_to_its_end_counts_for_nothing(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    batch = begin_two(digest, clock)
    die(batch)
    [path] = folder.iterdir()
    with path.open("a") as file:
        file.write('["outcome", 17, "se')
    assert release_expired(now=clock.now) == (1, 1)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "pending"}


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(7, Delivery.State.SENT, "", 250, '2.0.0 Ok: "queued" \\ as più\u2028A1'),
        Outcome(7, Delivery.State.UNCERTAIN, Delivery.Reason.SILENCE, None, ""),
        Outcome(
            7, Delivery.State.DEFERRED, Delivery.Reason.PACE, attempted=False, next_attempt_at=NOW
        ),
    ],
)
def test_what_became_of_a_mail_is_read_back_as_it_was_noted(folder: Path, outcome: Outcome) -> None:
    journal = journals.Journal.create()
    assert journal is not None
    journal.write([7], now=NOW)
    journal.write([8], [outcome], now=NOW)
    replay = journal.replay()
    assert replay.outcomes == (outcome,)
    assert replay.begun == {8}
    journal.close()


def test_without_a_journal_the_batch_says_how_far_its_sender_was(
    ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    begin_two(digest, clock)
    assert release_expired(now=clock.forward(seconds=121)) == (1, 1)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "pending"}


def test_what_a_cancelled_digests_dead_sender_had_is_not_sent(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    die(begin_two(digest, clock))
    Digest.objects.update(status=Digest.Status.CANCELLED)
    release_expired(now=clock.now)
    assert states(digest) == {ANNA: "sent", BRUNO: "uncertain", CARLA: "skipped"}


def test_a_cancellation_leaves_what_a_sender_has_in_hand_to_that_sender(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    batch = begin_two(digest, clock)
    assert cancel(digest.pk, now=clock.now) == 0
    expire(now=clock.now)
    bruno = Delivery.objects.get(member__address=BRUNO)
    batch.note(Outcome(bruno.pk, Delivery.State.SENT, "", 250, "2.0.0 Ok: queued as B2"))
    batch.end(now=clock.now)
    assert states(digest) == {ANNA: "sent", BRUNO: "sent", CARLA: "skipped"}


def test_a_mail_to_be_sent_again_is_not_taken_for_one_that_the_batchs_dead_sender_sent(
    ready_digest: Ready, clock: Clock
) -> None:
    digest = ready_digest([ANNA, BRUNO, CARLA])
    anna = Delivery.objects.get(member__address=ANNA)
    Delivery.objects.filter(pk=anna.pk).update(state=Delivery.State.UNCERTAIN)
    claim = claim_batch(digest.pk, owner="a", now=clock.now)
    assert claim is not None
    batch = HandOver(claim, Changes(), now=clock.now)
    bruno, _ = batch.next_rows(after=0, limit=3, now=clock.now)
    assert resolve(anna.pk, "resend", now=clock.now)
    assert batch.begin([bruno], now=clock.now)
    assert release_expired(now=clock.forward(seconds=121)) == (1, 1)
    assert states(digest) == {ANNA: "deferred", BRUNO: "uncertain", CARLA: "pending"}
    assert claim_batch(digest.pk, owner="b", now=clock.now) is not None
    assert states(digest) == {ANNA: "pending", BRUNO: "uncertain", CARLA: "pending"}


def test_a_folder_that_cannot_be_written_claims_nothing(
    ready_digest: Ready, clock: Clock, tmp_path: Path, configure: Callable[..., None]
) -> None:
    digest = ready_digest([ANNA])
    (tmp_path / "file").write_text("")
    configure(JOURNAL_DIR=str(tmp_path / "file" / "journal"))
    with pytest.raises(NotADirectoryError):
        claim_batch(digest.pk, owner="a", now=clock.now)
    assert Batch.objects.get().state == Batch.State.OPEN


def test_a_journal_that_vanishes_while_the_folder_is_read_stops_no_sweep(
    ready_digest: Ready, clock: Clock, folder: Path
) -> None:
    begin_two(ready_digest([ANNA, BRUNO, CARLA]), clock)
    (folder / "vanished").symlink_to(folder / "nowhere")  # its name is listed, its file is gone
    assert release_expired(now=clock.now) == (0, 0)
