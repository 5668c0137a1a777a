"""Tells the main job while the worker does it: rings, then watches the database.

Nothing here polls, tags, compiles or sends: `run` only rings the worker's tasks, as beat does, and
says what it sees.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.db.models import F, Q, Sum
from django.utils.timezone import localtime
from kombu.exceptions import OperationalError as BrokerError

from newsletter import tasks
from newsletter.articles.models import Article
from newsletter.articles.stories import folding
from newsletter.delivery.models import Delivery, Exclusion
from newsletter.digests.models import Digest, Newsletter
from newsletter.feeds.models import Feed, FetchRecord
from newsletter.themes.models import ThemeAssignment

Say = Callable[[str, str], None]
Found = TypeVar("Found")

STEP_SECONDS = 90  # one step of the main job, on a slow machine
RING_SECONDS = 2  # feeds of one host are polled one after the other: several ticks
LOOK_SECONDS = 0.2


class NotDone(Exception):
    """The main job did not come to its end; the message says where it stands."""


class Story:
    """`say(stage, words)` prints a line; `check()` raises when a process has died."""

    def __init__(self, say: Say, check: Callable[[], None]) -> None:
        self.say = say
        self.check = check

    def main_job(self, newsletter: Newsletter, *, since: datetime) -> Digest:
        """The first digest of this newsletter, sent. What an earlier run began is taken up."""
        self._feeds(since)
        self._themes()
        digest = self._compiled(newsletter)
        return self._sent(digest)

    def _feeds(self, since: datetime) -> None:
        feeds = Feed.objects.polled()

        def polled() -> bool:
            return not feeds.exclude(last_polled_at__gte=since).exists()

        def folded() -> bool:
            return not folding.pending(datetime.now(UTC), 1)

        self._wait(polled, "the feeds were not polled")
        self._wait(folded, "the articles were not compared with one another")
        records = FetchRecord.objects.filter(at__gte=since)
        for record in records.filter(outcome=FetchRecord.Outcome.FAILED).select_related("feed"):
            self.say("Feeds", f"{record.feed} failed: {record.error}")
        new = records.aggregate(new=Sum("articles_new"))["new"] or 0
        inbox = Article.objects.to_triage().one_per_story().count()
        good = feeds.filter(failures=0).count()
        self.say(
            "Feeds",
            f"{good} of {feeds.count()} polled, {new} articles new"
            + (f" ({inbox} wait in the inbox)" if inbox else ""),
        )

    def _themes(self) -> None:
        untagged = Article.objects.filter(
            Q(tagging__isnull=True) | Q(tagging__tagged_at__lt=F("changed_at"))
        )
        self._wait(lambda: not untagged.exists(), "the articles were not given themes")
        standing = ThemeAssignment.objects.standing()
        with_themes = standing.values("article").distinct().count()
        self.say(
            "Themes",
            f"{with_themes} of {Article.objects.count()} articles have themes, "
            f"{standing.count()} in all",
        )

    def _compiled(self, newsletter: Newsletter) -> Digest:
        # The first: a later one is somebody's draft, or scheduled for a day to come.
        digests = newsletter.digests.order_by("pk")
        digest = digests.exclude(status=Digest.Status.SKIPPED).first()
        if digest is None:
            slot = datetime.now(UTC).replace(microsecond=0)
            self._ring(lambda: tasks.compile_digest.delay(newsletter.pk, slot.isoformat()))
            digest = self._wait(digests.filter(slot=slot).first, "no digest was compiled")
        if digest.status == Digest.Status.SKIPPED:
            raise NotDone(f"“{newsletter.name}” was skipped: {digest.status_reason}")
        items = digest.get_latest_revision_as_object().items.count()
        name = f"N. {digest.number} of “{newsletter.name}”"
        if digest.sent_at:
            day = localtime(digest.sent_at).strftime("%d/%m/%Y %H:%M")
            self.say("Digest", f"{name} was sent before, on {day}: {items} articles")
        else:
            self.say("Digest", f"{name} compiled: {items} articles")
        return digest

    def _sent(self, digest: Digest) -> Digest:
        def ended() -> Digest | None:
            digest.refresh_from_db()
            waiting = {Digest.Status.DRAFT, Digest.Status.APPROVED, Digest.Status.SENDING}
            return None if digest.status in waiting else digest

        self._wait(ended, f"“{digest}” was not sent")
        if digest.status != Digest.Status.SENT:
            raise NotDone(
                f"“{digest}” was not sent but {digest.get_status_display()}: {digest.status_reason}"
            )
        self.say("Mail", accounts(digest))
        return digest

    def _wait(self, look: Callable[[], Found | None], problem: str) -> Found:
        """What `look` finds, ringing the tick again now and then: doorbells may be lost."""
        deadline = time.monotonic() + STEP_SECONDS
        ring_at = 0.0
        while True:
            self.check()
            if found := look():
                return found
            if time.monotonic() > deadline:
                raise NotDone(f"After {STEP_SECONDS} s {problem}")
            if time.monotonic() > ring_at:
                self._ring(tasks.tick.delay)
                ring_at = time.monotonic() + RING_SECONDS
            time.sleep(LOOK_SECONDS)

    def _ring(self, bell: Callable[[], object]) -> None:
        try:
            bell()
        except (BrokerError, OSError) as error:
            raise NotDone(f"The broker can't be reached ({error}). Is BROKER_URL right?") from error


def accounts(digest: Digest) -> str:
    deliveries = Delivery.objects.filter(digest=digest)
    total = deliveries.count()
    sent = deliveries.filter(state=Delivery.State.SENT).count()
    left_out = Exclusion.objects.filter(digest=digest).count()
    words = f"{sent} of {total} delivered"
    if left_out:
        words += f" ({left_out} members left out: nothing in their themes, or paused)"
    return words


class News:
    """What happened since the last look, for the terminal of somebody who left it open."""

    def __init__(self, say: Say) -> None:
        self.say = say
        last = FetchRecord.objects.order_by("-pk").values_list("pk", flat=True).first()
        self._fetch = last or 0
        self._digests = dict(Digest.objects.values_list("pk", "status"))

    def look(self) -> None:
        for record in (
            FetchRecord.objects.filter(pk__gt=self._fetch).select_related("feed").order_by("pk")
        ):
            self._fetch = record.pk
            if record.error:
                self.say("Feeds", f"{record.feed} failed: {record.error}")
            elif record.articles_new or record.articles_changed:
                self.say(
                    "Feeds",
                    f"{record.feed}: {record.articles_new} articles new, "
                    f"{record.articles_changed} changed",
                )
        now = dict(Digest.objects.values_list("pk", "status"))
        changed = [pk for pk, status in now.items() if self._digests.get(pk) != status]
        self._digests = now
        for digest in Digest.objects.filter(pk__in=changed).select_related("newsletter"):
            words = f"“{digest}” is {digest.get_status_display().lower()}"
            if digest.status_reason:
                words += f": {digest.status_reason}"
            if digest.status == Digest.Status.SENT:
                words += f", {accounts(digest)}"
            self.say("Digest", words)
