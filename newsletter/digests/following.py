"""Where the links of a mail lead: each is asked, and what came is believed for a day."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from newsletter.digests.content import DigestContent, content_of
from newsletter.digests.mail_links import links_and_words, to_follow
from newsletter.digests.render import render
from newsletter.digests.unapproved import drafts_about_to_go
from newsletter.exceptions import FeedError, FeedRefused, FeedTooLarge
from newsletter.feeds.fetch import PAGE, fetch
from newsletter.feeds.models import host_of
from newsletter.feeds.turns import host_turn

BELIEVED = timedelta(days=1)
# What was not there is asked again sooner: most of it comes back.
DOUBTED = timedelta(hours=1)
_KEPT = timedelta(days=30)
_AT_ONCE = 8  # hosts; each is asked one thing after the other
_SECONDS = 6.0  # for one link, redirects included
_MOST_BYTES = 65_536  # what is longer is there: no need to read on


class FollowedLink(models.Model):
    """The latest answer of an address."""

    class Verdict(models.TextChoices):
        ALIVE = "alive", _("There")
        DEAD = "dead", _("Not there")
        SILENT = "silent", _("No answer")
        UNCLEAR = "unclear", _("Closed to programs")

    # SHA-256 of the address, hexadecimal: an address can be too long for an index.
    key = models.CharField(max_length=64, unique=True)
    url = models.TextField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    status = models.PositiveSmallIntegerField(null=True)  # of HTTP; none came: null
    asked_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("followed link")
        verbose_name_plural = _("followed links")
        indexes: ClassVar = [models.Index(fields=["asked_at"], name="followed_link_asked")]

    def __str__(self) -> str:
        return f"{self.url} {self.verdict}"


Verdict = FollowedLink.Verdict


@dataclass(frozen=True)
class Reply:
    verdict: str
    status: int | None


def meaning(status: int | None) -> str:
    """What an HTTP status says of a page; None: no answer at all."""
    if status is None or status >= 500:
        return Verdict.SILENT
    if status in {404, 410}:
        return Verdict.DEAD
    # 401, 403, 429 and their like are for programs; a reader may well get in.
    return Verdict.ALIVE if 200 <= status < 300 else Verdict.UNCLEAR


def answers_for(urls: Iterable[str]) -> dict[str, FollowedLink]:
    """The latest answer of each address that has one."""
    keys = {_key(url): url for url in urls}
    return {keys[row.key]: row for row in FollowedLink.objects.filter(key__in=keys)}


def follow(
    urls: Iterable[str],
    *,
    now: datetime,
    seconds: float,
    doubted: timedelta = DOUBTED,
    pause: float = 0.0,
) -> bool:
    """Ask what was not asked lately, for at most about so long; whether some are left.

    Several hosts at once, one request at a time to each, and to none that is being polled. With
    `doubted` zero, all that did not answer well is asked again. `pause` is in seconds, between two
    requests to the same host.
    """
    until = time.monotonic() + seconds
    due = _due(list(dict.fromkeys(urls)), now, doubted)
    hosts: dict[str, list[str]] = {}
    for url in due:
        hosts.setdefault(host_of(url), []).append(url)
    with ExitStack() as turns:
        ours = [urls for urls in hosts.values() if turns.enter_context(host_turn(urls[0], now))]
        language = translation.get_language() or "en"
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as threads:
            asked = list(threads.map(lambda urls: _ask(urls, until, language, pause), ours))
    replies = {url: reply for of_host in asked for url, reply in of_host.items()}
    _keep(replies, now)
    return sum(len(urls) for urls in ours) > len(replies)


def all_answered(urls: Iterable[str], *, since: datetime, now: datetime) -> bool:
    """Whether nothing of it is left to ask for somebody who has waited since then."""
    return not _due(list(urls), now, now - since)


def follow_drafts(*, now: datetime, seconds: float) -> bool:
    """The links of the drafts that may go within a day; whether some are left."""
    FollowedLink.objects.filter(asked_at__lt=now - _KEPT).delete()
    urls: dict[str, str] = {}
    for digest in drafts_about_to_go(now=now):
        urls |= links_to_follow(content_of(digest))
    return follow(urls, now=now, seconds=seconds, pause=1.0) if urls else False


def links_to_follow(content: DigestContent) -> dict[str, str]:
    """The addresses in the mail of who gets all of it, each with its words."""
    positions = [item.position for item in content.items]
    html = render(content, positions=positions, language=content.newsletter.language).html
    return to_follow(links_and_words(html)[0], content.digest_uid)


def _due(urls: list[str], now: datetime, doubted: timedelta) -> list[str]:
    fresh = Q(verdict=Verdict.ALIVE, asked_at__gt=now - BELIEVED)
    if doubted:
        fresh |= Q(asked_at__gte=now - doubted)
    keys = {_key(url): url for url in urls}
    known = set(FollowedLink.objects.filter(fresh, key__in=keys).values_list("key", flat=True))
    return [url for key, url in keys.items() if key not in known]


def _ask(urls: list[str], until: float, language: str, pause: float) -> dict[str, Reply]:
    """In a thread of its own: no database here."""
    replies: dict[str, Reply] = {}
    with translation.override(language):
        for number, url in enumerate(urls):
            time.sleep(pause if number else 0)
            left = until - time.monotonic()
            if left <= 0:
                break
            replies[url] = _reply(url, min(left, _SECONDS))
    return replies


def _reply(url: str, seconds: float) -> Reply:
    try:
        status: int | None = fetch(url, accept=PAGE, seconds=seconds, max_bytes=_MOST_BYTES).status
    except FeedTooLarge:
        status = 200
    except FeedRefused:  # an address that we do not ask, for safety: says nothing of it
        return Reply(Verdict.UNCLEAR, None)
    except FeedError as error:
        status = error.http_status
    return Reply(meaning(status), status)


def _keep(replies: dict[str, Reply], now: datetime) -> None:
    FollowedLink.objects.bulk_create(
        [
            FollowedLink(
                key=_key(url), url=url, verdict=reply.verdict, status=reply.status, asked_at=now
            )
            for url, reply in replies.items()
        ],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["verdict", "status", "asked_at"],
    )


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
