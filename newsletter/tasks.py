"""Every Celery task: the pipeline on one screen.

A task is a doorbell: it carries ids and says "look". What is to be done stands in the database, so
a task that is lost, doubled or late loses, doubles and delays nothing: `tick` rings again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from ctypes import c_bool
from datetime import UTC, date, datetime, timedelta
from multiprocessing.sharedctypes import RawValue
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_shutting_down
from django.db import close_old_connections
from django.dispatch import receiver

from newsletter import conf, signals
from newsletter import errands as background
from newsletter.articles import ingest, poller
from newsletter.articles.stories import folding
from newsletter.articles.stories import sweeping as sweeping_stories
from newsletter.delivery import control, freeze, pulse, retention, send
from newsletter.delivery import sweep as sweeping
from newsletter.delivery.bounces import provider_events, receiving
from newsletter.delivery.models import Batch
from newsletter.delivery.pace import pace
from newsletter.digests import announcing, link_requests, unapproved
from newsletter.digests import compile as compiling
from newsletter.digests.models import Digest, Newsletter
from newsletter.exceptions import DigestNotReady, StepsFailed
from newsletter.feeds import polling
from newsletter.feeds.models import Feed
from newsletter.members import cleanup, confirmation
from newsletter.themes import retraining, tagging

logger = logging.getLogger(__name__)

# A doorbell that nobody heard for so long rings for nothing: the next tick has rung meanwhile.
STALE_SECONDS = 300
CONFIRMATIONS_PER_ROUND = 200
# Somebody waits; what is left then is for the next one in the queue.
LINKS_TIME = 10.0
# A send task ends after this and rings for itself: far below any broker's visibility time-out.
SEND_TIME = timedelta(minutes=5)
# A poller begins nothing after this, so that it has ended when the next tick rings for another.
POLL_TIME = timedelta(seconds=40)

_forgot_on: date | None = None

# Shared by a worker and its pool: a sender ends after the mail in hand when the worker must stop.
_stopping: Any = None


def _now() -> datetime:
    return datetime.now(UTC)


@worker_init.connect
def _share_stopping(**kwargs: Any) -> None:
    global _stopping
    _stopping = RawValue(c_bool, False)  # no lock: it is set inside a signal handler


@worker_shutting_down.connect
def _note_stopping(**kwargs: Any) -> None:
    if _stopping is not None:
        _stopping.value = True


def _must_stop() -> bool:
    return _stopping is not None and bool(_stopping.value)


# --- what beat rings every minute -----------------------------------------------------------------


@shared_task(name="newsletter.tick")
def tick() -> None:
    """Looks at every stage once; a step that fails does not stop the others, and is reported."""
    now = _now()
    failed = [step.__name__ for step in STEPS if not _done(step, now)]
    if failed:
        raise StepsFailed(failed)


def _done(step: Callable[[datetime], None], now: datetime) -> bool:
    try:
        step(now)
    except Exception:
        logger.exception("The step %s failed; the next tick tries again.", step.__name__)
        close_old_connections()  # a broken connection must not fail the steps after it
        return False
    return True


def note_tick(now: datetime) -> None:
    pulse.note_pulse(pulse.TICK, now=now)


def ring_poller(now: datetime) -> None:
    if Feed.objects.due(now).exists():
        poll_due.apply_async(expires=STALE_SECONDS)


def ring_wanted_polls(now: datetime) -> None:
    """What somebody waits for, if its doorbell was lost; what is paused is in no other step."""
    for feed_id in Feed.objects.wanted(now).values_list("pk", flat=True):
        poll_feed.apply_async((feed_id,), expires=STALE_SECONDS)


def ring_wanted_links(now: datetime) -> None:
    for digest_id in link_requests.waiting(now).values_list("digest", flat=True):
        follow_digest_links.apply_async((digest_id,), expires=STALE_SECONDS)


def ring_errands(now: datetime) -> None:
    errands.apply_async(expires=STALE_SECONDS)


def ring_tagging(now: datetime) -> None:
    tag_pending.apply_async(expires=STALE_SECONDS)


def ring_folding(now: datetime) -> None:
    fold_pending.apply_async(expires=STALE_SECONDS)


def ring_learning(now: datetime) -> None:
    for language in retraining.due_languages(tagging.compiled_themes(), now=now):
        learn_themes.apply_async((language,), expires=STALE_SECONDS)


def compile_due_digests(now: datetime) -> None:
    compiling.compile_due(now=now)


def announce_drafts(now: datetime) -> None:
    announcing.announce(now=now)


def approve_proposals(now: datetime) -> None:
    """The newsletter's own choice: what nobody approved in time goes as it was proposed."""
    for digest in unapproved.drafts_to_send_unapproved(now=now):
        try:
            freeze.approve(digest.pk, now=now)
        except DigestNotReady as error:
            logger.warning("Digest %s is held: %s", digest.pk, error)
            Digest.objects.filter(pk=digest.pk, status=Digest.Status.DRAFT).update(
                status=Digest.Status.HELD, status_reason=str(error)[:300]
            )
        except Exception:
            # Its neighbours go out all the same; after the grace period it is held.
            logger.exception(
                "Digest %s could not be approved; the next tick tries again", digest.pk
            )


def hold_unapproved_digests(now: datetime) -> None:
    unapproved.hold_unapproved(now=now)


def remind_editors(now: datetime) -> None:
    unapproved.remind(now=now)


def ring_due_digests(now: datetime) -> None:
    for digest_id in control.start_due(now=now):
        _ring_senders(digest_id, now)


def ring_sweeper(now: datetime) -> None:
    sweep.apply_async(expires=STALE_SECONDS)


def ring_confirmations(now: datetime) -> None:
    send_confirmations.apply_async(expires=STALE_SECONDS)


def delete_unconfirmed_members(now: datetime) -> None:
    cleanup.delete_unconfirmed(now=now)


def forget_what_is_old(now: datetime) -> None:
    """Once a day in each process of a worker: it takes up where another stopped."""
    global _forgot_on
    if _forgot_on == now.date():
        return
    _forgot_on = now.date()
    polling.prune_history(now)
    retention.forget_deliveries(now=now)
    receiving.forget_bounces(now=now)
    provider_events.forget_events(now=now)
    pace.forget_unused(now=now)
    sweeping_stories.sweep()


STEPS: list[Callable[[datetime], None]] = [
    note_tick,
    ring_poller,
    ring_wanted_polls,
    ring_wanted_links,
    ring_errands,
    ring_tagging,
    ring_folding,
    ring_learning,
    compile_due_digests,
    announce_drafts,
    approve_proposals,
    hold_unapproved_digests,
    remind_editors,
    ring_due_digests,
    ring_sweeper,
    ring_confirmations,
    delete_unconfirmed_members,
    forget_what_is_old,
]


def _ring(task: Any, *ids: int) -> None:
    """After the commit: a worker must not look before there is something to see."""
    task.delay_on_commit(*ids)


def _ring_senders(digest_id: int, now: datetime) -> None:
    """As many as there should be beside those at work: they must not fill the whole pool."""
    at_work = Batch.objects.filter(
        digest_id=digest_id, state=Batch.State.CLAIMED, lease_until__gt=now
    ).count()
    for _sender in range(at_work, conf.get("SENDERS")):
        _ring(send_digest, digest_id)


# --- one call each --------------------------------------------------------------------------------


@shared_task(name="newsletter.poll_due")
def poll_due() -> None:
    if poller.poll_due(clock=_now, budget=POLL_TIME, stop=_must_stop).articles:
        _ring(tag_pending)
        _ring(fold_pending)


@shared_task(name="newsletter.poll_feed")
def poll_feed(feed_id: int) -> None:
    """Somebody waits for this one, paused or not, unless it was polled since they asked."""
    ingested = ingest.poll(feed_id, now=_now())
    if ingested and ingested.new:
        _ring(tag_pending)
        _ring(fold_pending)


@shared_task(name="newsletter.follow_digest_links")
def follow_digest_links(digest_id: int) -> None:
    """Somebody waits at its page for where its links lead."""
    if link_requests.answer(digest_id, now=_now(), seconds=LINKS_TIME) and not _must_stop():
        _ring(follow_digest_links, digest_id)


@shared_task(name="newsletter.errands")
def errands() -> None:
    """What may take its time, one after the other: it never fills more than one place of a pool."""
    if background.run(clock=_now, stop=_must_stop):
        _ring(errands)


@receiver(signals.feed_rang)
def _ring_for_news(**kwargs: Any) -> None:
    poll_due.apply_async(expires=STALE_SECONDS, retry=False)


@receiver(signals.poll_wanted)
def _ring_for_one_feed(feed_id: int, **kwargs: Any) -> None:
    poll_feed.apply_async((feed_id,), expires=STALE_SECONDS, retry=False)


@receiver(signals.links_wanted)
def _ring_for_links(digest_id: int, **kwargs: Any) -> None:
    follow_digest_links.apply_async((digest_id,), expires=STALE_SECONDS, retry=False)


@receiver(signals.errands_wanted)
def _ring_for_errands(**kwargs: Any) -> None:
    errands.apply_async(expires=STALE_SECONDS, retry=False)


@shared_task(name="newsletter.tag_pending")
def tag_pending() -> None:
    tagging.tag_pending(now=_now())


@shared_task(name="newsletter.fold_pending")
def fold_pending() -> None:
    folding.fold_pending(now=_now())


@shared_task(name="newsletter.learn_themes")
def learn_themes(language: str) -> None:
    now = _now()
    if retraining.learn_if_due(language, tagging.compiled_themes(), now=now):
        tagging.tag_again(language, now=now)


@shared_task(name="newsletter.compile_digest")
def compile_digest(newsletter_id: int, slot: str) -> None:
    """`slot` (ISO 8601) names the digest: ringing twice compiles it once."""
    newsletter = Newsletter.objects.get(pk=newsletter_id)
    compiling.compile_digest(newsletter, slot=datetime.fromisoformat(slot), now=_now())


@shared_task(name="newsletter.send_digest")
def send_digest(digest_id: int) -> None:
    done = send.send_batches(digest_id, budget=SEND_TIME, stop=_must_stop)
    if done.ended == "budget":
        _ring(send_digest, digest_id)


@shared_task(name="newsletter.start_digest")
def start_digest(digest_id: int) -> None:
    """Somebody has just said that it may go: the tick's look at what is due, without the wait."""
    now = _now()
    wanted = [*control.start_due(now=now), digest_id]
    going = Digest.objects.filter(pk__in=wanted, status=Digest.Status.SENDING)
    for going_id in going.values_list("pk", flat=True):
        _ring_senders(going_id, now)


@receiver(signals.sending_wanted)
def _ring_for_sending(digest_id: int, **kwargs: Any) -> None:
    # A person waits at their desk. Without a broker the next tick looks, and the page answers.
    start_digest.apply_async((digest_id,), expires=STALE_SECONDS, retry=False)


@shared_task(name="newsletter.send_confirmations")
def send_confirmations() -> None:
    confirmation.send_confirmations(now=_now(), limit=CONFIRMATIONS_PER_ROUND)


@receiver(signals.confirmation_wanted)
def _ring_for_confirmation(**kwargs: Any) -> None:
    # Somebody waits at their mailbox. Without a broker the next tick looks, and the form answers.
    send_confirmations.apply_async(expires=STALE_SECONDS, retry=False)


@shared_task(name="newsletter.sweep")
def sweep() -> None:
    now = _now()
    for digest_id in sweeping.sweep(now=now).to_ring:
        _ring_senders(digest_id, now)
    pulse.note_pulse(pulse.SWEEP, now=now)
