"""Hearing of news at once (W3C WebSub, https://www.w3.org/TR/websub/).

A push is a doorbell: what it carries is not read, the feed is polled (docs/decisions/0007).
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from newsletter import conf
from newsletter.exceptions import FeedError
from newsletter.feeds.fetch import Fetched, post_form
from newsletter.feeds.hub import HubSubscription
from newsletter.feeds.models import Feed
from newsletter.feeds.parse import ParsedFeed
from newsletter.feeds.turns import BUSY, host_turn

LEASE = timedelta(days=10)  # asked for; the hub decides
_LONGEST_LEASE = timedelta(days=30)
_SHORTEST_LEASE = timedelta(minutes=5)
# So long after we asked, a hub's question whether we did is answered with yes.
_ASKED_LATELY = timedelta(days=1)
_WAITS = [timedelta(hours=hours) for hours in (1, 6, 24, 72)]
_GOODBYES = 3
# A feed rung for again and again is polled once in this time.
_BETWEEN_POLLS = timedelta(minutes=1)
_ALGORITHMS = {"sha1", "sha256", "sha384", "sha512"}  # WebSub, 8
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w*]+\s*=\s*(?:\"[^\"]*\"|[^\s\",;]+))*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s\",;]+))", re.IGNORECASE)

State = HubSubscription.State


# --- what a feed announces ------------------------------------------------------------------------


def announced(fetched: Fetched, parsed: ParsedFeed) -> tuple[str, str]:
    """(hub, topic) of a feed, by its headers first and its own links then; ("", "") without.

    Only a hub that keeps the secret between us: one reached over https.
    """
    headers = list(_header_links(fetched))
    hubs = [url for relation, url in headers if relation == "hub"] or list(parsed.hub_urls)
    topics = [url for relation, url in headers if relation == "self"]
    topic = topics[0] if topics else parsed.self_url or fetched.url
    hub = next((url for url in hubs if _is_safe(url)), "")
    return (hub[:1000], topic[:1000]) if hub else ("", "")


def note_announcement(feed: Feed, fetched: Fetched, parsed: ParsedFeed) -> None:
    """Keep on the feed where its news may be had."""
    said = announced(fetched, parsed)
    if said != (feed.hub_url, feed.topic_url):
        feed.hub_url, feed.topic_url = said
        feed.save(update_fields=["hub_url", "topic_url"])


def is_pushed(feed: Feed, now: datetime) -> bool:
    """Whether a hub tells us of its news, so that polling may be rare."""
    if not conf.get("WEBSUB") or not feed.hub_url:
        return False
    return HubSubscription.objects.filter(
        feed=feed, hub_url=feed.hub_url, state=State.ACTIVE, lease_until__gt=now
    ).exists()


# --- asking and leaving ---------------------------------------------------------------------------


def look_after(*, now: datetime, seconds: float, pause: Callable[[], None]) -> bool:
    """Subscribe, renew and unsubscribe where it is due, for about so long; whether more is."""
    _begin_wanted(now)
    _end_unwanted(now)
    until = time.monotonic() + seconds
    due = HubSubscription.objects.filter(next_at__lte=now).exclude(state=State.REFUSED)
    for subscription in due.order_by("next_at", "pk")[:100]:
        if time.monotonic() > until:
            return True
        with host_turn(subscription.hub_url, now) as ours:
            if not ours:
                own = HubSubscription.objects.filter(pk=subscription.pk)
                own.update(next_at=now + BUSY)
                continue
            if subscription.state == State.LEAVING:
                _say_goodbye(subscription, now)
            else:
                _ask(subscription, now)
        pause()
    return False


def _begin_wanted(now: datetime) -> None:
    if not conf.get("WEBSUB"):
        return
    wanted = Feed.objects.polled().exclude(hub_url="")
    there = wanted.filter(
        hub_subscriptions__hub_url=F("hub_url"), hub_subscriptions__topic_url=F("topic_url")
    ).exclude(hub_subscriptions__state=State.LEAVING)
    HubSubscription.objects.bulk_create(
        HubSubscription(feed=feed, hub_url=feed.hub_url, topic_url=feed.topic_url, next_at=now)
        for feed in wanted.exclude(pk__in=there.values("pk"))
    )


def _end_unwanted(now: datetime) -> None:
    unwanted = HubSubscription.objects.exclude(state=State.LEAVING)
    if conf.get("WEBSUB"):
        changed = ~Q(hub_url=F("feed__hub_url")) | ~Q(topic_url=F("feed__topic_url"))
        unwanted = unwanted.filter(
            Q(feed__isnull=True) | ~Q(feed__state=Feed.State.ACTIVE) | changed
        )
    ids = list(unwanted.values_list("pk", flat=True))
    ended = HubSubscription.objects.filter(pk__in=ids)
    ended.filter(Q(state=State.REFUSED) | Q(asked_at__isnull=True)).delete()
    ended.update(state=State.LEAVING, tries=0, next_at=now)


def _ask(subscription: HubSubscription, now: datetime) -> None:
    # Before the question: the hub may come back while it is asked.
    tries = subscription.tries + 1
    wait = _WAITS[min(tries, len(_WAITS)) - 1]
    own = HubSubscription.objects.filter(pk=subscription.pk)
    own.update(asked_at=now, tries=tries, next_at=now + wait)
    lease = {"hub.lease_seconds": str(int(LEASE.total_seconds()))}
    secret = {"hub.secret": _secrets(subscription.token)[0]}
    if problem := _tell(subscription, "subscribe", secret | lease):
        # A lease that still runs is not lost by a renewal that fails.
        own.exclude(state=State.LEAVING).update(error=problem)


def _say_goodbye(subscription: HubSubscription, now: datetime) -> None:
    if subscription.tries >= _GOODBYES:
        subscription.delete()  # a push is answered with 410 from now on, which ends it as well
        return
    HubSubscription.objects.filter(pk=subscription.pk).update(
        tries=F("tries") + 1, next_at=now + _WAITS[min(subscription.tries, len(_WAITS) - 1)]
    )
    _tell(subscription, "unsubscribe", {})


def _tell(subscription: HubSubscription, mode: str, more: dict[str, str]) -> str:
    """What went wrong, in words; "" when the hub took it."""
    callback = conf.site_url(reverse("newsletter:websub", args=[subscription.token]))
    fields = {"hub.mode": mode, "hub.topic": subscription.topic_url, "hub.callback": callback}
    try:
        status = post_form(subscription.hub_url, fields | more)
    except FeedError as error:
        return str(error)
    if 200 <= status < 300:
        return ""
    return _("The hub %(hub)s answers %(status)d.") % {
        "hub": urlsplit(subscription.hub_url).hostname,
        "status": status,
    }


# --- what the hub says ----------------------------------------------------------------------------


def verify(token: str, said: dict[str, str], *, now: datetime) -> str | None:
    """The answer to a hub that asks whether we meant it (WebSub, 5.3); None: we did not."""
    subscription = HubSubscription.objects.filter(token=token).first()
    if subscription is None or said.get("hub.topic") != subscription.topic_url:
        return None
    own = HubSubscription.objects.filter(pk=subscription.pk)
    mode, challenge = said.get("hub.mode"), said.get("hub.challenge", "")
    if mode == "denied":
        own.exclude(state=State.LEAVING).update(
            state=State.REFUSED, error=said.get("hub.reason", "")[:500]
        )
        return ""
    if not challenge or len(challenge) > 2_000:
        return None
    if mode == "unsubscribe" and subscription.state == State.LEAVING:
        own.delete()
        return challenge
    asked = subscription.asked_at
    lately = asked is not None and asked > now - _ASKED_LATELY
    if mode != "subscribe" or not lately or subscription.state not in (State.ASKED, State.ACTIVE):
        return None
    lease = _lease(said.get("hub.lease_seconds", ""))
    # Renewed in good time, so that a hub that is away for a while does not lose us.
    own.update(
        state=State.ACTIVE, lease_until=now + lease, next_at=now + lease * 0.7, tries=0, error=""
    )
    return challenge


def hear(token: str, signature: str, chunks: Iterable[bytes], *, now: datetime) -> bool | None:
    """A push: the feed is due now. False when it is not signed as agreed, None: not for us."""
    subscription = HubSubscription.objects.filter(token=token, state=State.ACTIVE).first()
    if subscription is None or subscription.feed_id is None:
        return None
    if not _is_signed(token, signature, chunks):
        return False
    HubSubscription.objects.filter(pk=subscription.pk).update(last_push_at=now)
    feed = Feed.objects.polled().filter(pk=subscription.feed_id)
    last = feed.values_list("last_polled_at", flat=True).first()
    soon = max(now, last + _BETWEEN_POLLS) if last else now
    feed.filter(next_poll_at__gt=soon).update(next_poll_at=soon)
    return True


def _is_signed(token: str, signature: str, chunks: Iterable[bytes]) -> bool:
    method, _equals, given = signature.strip().partition("=")
    method = method.lower()
    if method not in _ALGORITHMS:
        return False
    sums = [hmac.new(secret.encode(), digestmod=method) for secret in _secrets(token)]
    size, most = 0, int(conf.get("FETCH_MAX_BYTES"))
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            return False
        for one in sums:
            one.update(chunk)
    wanted = given.strip().lower().encode("ascii", "replace")
    return any(hmac.compare_digest(one.hexdigest().encode(), wanted) for one in sums)


def _secrets(token: str) -> list[str]:
    """What the hub signs with: made from the site's key, so that no table and no log holds it."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [
        salted_hmac("newsletter.websub", token, secret=key, algorithm="sha256").hexdigest()
        for key in keys
    ]


def _lease(seconds: str) -> timedelta:
    if not (seconds.isascii() and seconds.isdecimal()):
        return LEASE
    return min(max(timedelta(seconds=int(seconds[:9])), _SHORTEST_LEASE), _LONGEST_LEASE)


def _header_links(fetched: Fetched) -> Iterator[tuple[str, str]]:
    for url, parameters in _LINK.findall(fetched.headers.get("Link", "")[:10_000]):
        found = _REL.search(parameters)
        for relation in ((found[1] or found[2]) if found else "").lower().split():
            with suppress(ValueError):  # "http://[::1"
                address = urljoin(fetched.url, url.strip())
                if address.startswith(("http://", "https://")):
                    yield relation, address


def _is_safe(hub_url: str) -> bool:
    parts = urlsplit(hub_url)
    return parts.scheme == "https" or parts.hostname in conf.get("ALLOW_PRIVATE_FEED_HOSTS")
