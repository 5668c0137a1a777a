"""Addresses that are polled, and the history of each exchange."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

# So long a poll that somebody asked for is tried; afterwards they are told that nothing came.
WANTED = timedelta(minutes=10)


def host_of(url: str) -> str:
    """The host's name as one counts hosts: lower case, without "www."."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")[:255]
    except ValueError:
        return ""


class FeedQuerySet(models.QuerySet["Feed"]):
    def polled(self) -> FeedQuerySet:
        """Feeds that are neither paused nor gone."""
        return self.filter(state=Feed.State.ACTIVE)

    def due(self, now: datetime) -> FeedQuerySet:
        """Feeds whose next poll has come and that no worker is polling now, longest due first."""
        unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
        return self.polled().filter(unclaimed, next_poll_at__lte=now).order_by("next_poll_at")

    def wanted(self, now: datetime) -> FeedQuerySet:
        """Feeds that somebody waits for, in any state: asked for lately, and nothing came yet."""
        return self.filter(poll_wanted_at__gt=now - WANTED)


class Feed(models.Model):
    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        GONE = "gone", _("Gone (the publisher removed it)")
        FAILING = "failing", _("Stopped after too many failures")

    class Rights(models.TextChoices):
        EXCERPT = "excerpt", _("Excerpt, with a link to the source")
        FULL = "full", _("Full text")

    class PageText(models.TextChoices):
        OFF = "off", _("Not fetched")
        EXCERPTS = "excerpts", _("Fetched when the feed gives only an excerpt")

    url = models.URLField(_("address"), max_length=1000, unique=True)
    title = models.CharField(_("title"), max_length=255, blank=True)
    site_url = models.URLField(_("site"), max_length=1000, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    auto_accept = models.BooleanField(
        _("accept automatically"),
        default=False,
        help_text=_("For a blog of your own: its posts skip the inbox."),
    )
    rights = models.CharField(
        _("what may be shown"),
        max_length=10,
        choices=Rights,
        default=Rights.EXCERPT,
        help_text=_("Full text only where you wrote it or may reproduce it."),
    )

    page_text = models.CharField(
        _("text of the posts' own pages"),
        max_length=10,
        choices=PageText,
        default=PageText.OFF,
        help_text=_("For a feed that gives excerpts only. It counts for new posts."),
    )
    # Nearly all entries of the latest version were cut by the publisher.
    gives_excerpts = models.BooleanField(default=False, editable=False)

    # Polled one at a time (a blog's feeds share one small server): the host that answered last,
    # which is another than the address's when that one redirects.
    host = models.CharField(max_length=255, blank=True, editable=False)
    # Where permanent redirects point; believed after several sightings (see feeds.polling).
    moved_to = models.URLField(max_length=1000, blank=True, editable=False)
    moved_seen = models.PositiveSmallIntegerField(default=0, editable=False)

    # ttl or sy:updatePeriod: kept, because an unchanged feed is not parsed.
    update_minutes = models.PositiveIntegerField(null=True, blank=True, editable=False)

    # What it announces: a hub that tells of its news, and its name there (see feeds.websub).
    hub_url = models.URLField(max_length=1000, blank=True, editable=False)
    topic_url = models.URLField(max_length=1000, blank=True, editable=False)

    # What the publisher told us, byte for byte, to ask "has it changed?" (RFC 9110, 13.1).
    etag = models.TextField(blank=True, editable=False)
    last_modified = models.TextField(blank=True, editable=False)
    body_hash = models.CharField(max_length=64, blank=True, editable=False)

    next_poll_at = models.DateTimeField(_("next poll"), null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    # When somebody asked for a poll that has not been made yet.
    poll_wanted_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_polled_at = models.DateTimeField(_("last poll"), null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    error_code = models.CharField(max_length=40, blank=True, editable=False)
    error = models.TextField(_("last error"), blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FeedQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")
        ordering: ClassVar = ["title", "url"]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_poll_at"], name="feed_due"),
            models.Index(fields=["host", "claimed_until"], name="feed_host"),
            models.Index(fields=["poll_wanted_at"], name="feed_wanted"),
        ]

    def __str__(self) -> str:
        return self.title or self.url

    def save(self, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is None or "url" in fields:
            self.host = host_of(self.url)
            if fields is not None:
                kwargs["update_fields"] = {*fields, "host"}
        super().save(**kwargs)


class FetchRecord(models.Model):
    """One exchange with a feed: what was asked, what came, what it brought."""

    class Outcome(models.TextChoices):
        NEW = "new", _("New articles")
        UNCHANGED = "unchanged", _("Nothing new")
        FAILED = "failed", _("Failed")

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="fetches")
    at = models.DateTimeField(_("at"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), default=0)
    size = models.PositiveIntegerField(_("bytes"), default=0)
    entries = models.PositiveIntegerField(_("entries"), default=0)
    articles_new = models.PositiveIntegerField(_("new articles"), default=0)
    articles_changed = models.PositiveIntegerField(_("changed articles"), default=0)
    entries_skipped = models.PositiveIntegerField(_("skipped entries"), default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(_("error"), blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("fetch")
        verbose_name_plural = _("fetches")
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [models.Index(fields=["feed", "-at"], name="fetch_history")]

    def __str__(self) -> str:
        return f"{self.feed_id} {self.at:%Y-%m-%d %H:%M} {self.outcome}"


class Turn(models.Model):
    """Who may ask a server now, or do what only one process should: a lease with a name."""

    name = models.CharField(max_length=300, unique=True)
    until = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%Y-%m-%d %H:%M:%S}"


class Backfill(models.Model):
    """How far the fetching of a feed's older posts has come: it goes on from here."""

    class State(models.TextChoices):
        RUNNING = "running", _("Under way")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, related_name="backfill")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    # Ways that were not tried yet, each [way, address] (see feeds.older); the first is in use.
    ways = models.JSONField(default=list, editable=False)
    next_url = models.TextField(blank=True, editable=False)  # the page to read next
    seen = models.JSONField(default=list, editable=False)  # addresses read, hashed: no circles
    barren = models.PositiveSmallIntegerField(default=0, editable=False)  # pages without news
    last_page = models.CharField(max_length=64, blank=True, editable=False)  # what was on it
    pages = models.PositiveIntegerField(_("pages"), default=0)
    pages_in_all = models.PositiveIntegerField(null=True, blank=True)  # where the server says it
    articles_new = models.PositiveIntegerField(_("new articles"), default=0)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.TextField(_("error"), blank=True)
    began_at = models.DateTimeField(_("began"))
    changed_at = models.DateTimeField(_("changed"))
    next_at = models.DateTimeField(editable=False)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("fetching of older posts")
        verbose_name_plural = _("fetchings of older posts")
        indexes: ClassVar = [models.Index(fields=["state", "next_at"], name="backfill_due")]

    def __str__(self) -> str:
        return f"older posts of {self.feed_id}: {self.state}"
