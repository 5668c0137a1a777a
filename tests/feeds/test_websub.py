"""Hearing of news at once, from a real hub that calls a real server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.articles.ingest import poll
from newsletter.articles.models import Article
from newsletter.feeds.hub import HubSubscription
from newsletter.feeds.models import Feed
from newsletter.feeds.websub import is_pushed, look_after
from tests.articles.conftest import post, rss
from tests.builders import make_feed
from tests.feeds.hub import Hub, call
from tests.polled import poll_now
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db(transaction=True)
HUB_LINK = '<link xmlns="http://www.w3.org/2005/Atom" rel="{}" href="{}"/>'


@pytest.fixture
def hub(live_server: Any, settings: Any) -> Iterator[Hub]:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SITE_URL": live_server.url, "WEBSUB": True}
    with Hub() as running:
        yield running


@pytest.fixture
def feed(feed_server: FeedServer, hub: Hub) -> Feed:
    """A blog that announces the hub, polled once."""
    publish(feed_server, hub, post(1))
    feed = make_feed(f"{feed_server.url}/feed/")
    poll_now(feed.pk, now=datetime.now(UTC))
    feed.refresh_from_db()
    return feed


def publish(server: FeedServer, hub: Hub, *items: str) -> bytes:
    links = HUB_LINK.format("hub", hub.url) + HUB_LINK.format("self", f"{server.url}/feed/")
    content = rss(*items, channel=links)
    server.serve("/feed/", content)
    return content.encode()


def go_round(now: datetime | None = None) -> None:
    look_after(now=now or datetime.now(UTC), seconds=30, pause=lambda: None)


def subscribe(hub: Hub) -> HubSubscription:
    go_round()
    assert hub.confirm() == [200]
    return HubSubscription.objects.get()


def due(feed: Feed) -> bool:
    feed.refresh_from_db()
    assert feed.next_poll_at is not None
    return feed.next_poll_at <= datetime.now(UTC) + timedelta(minutes=2)


def test_a_feed_that_announces_a_hub_is_subscribed_when_the_hub_confirms(
    feed: Feed, hub: Hub
) -> None:
    go_round()
    (asked,) = hub.asked
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", feed.url)
    assert HubSubscription.objects.get().state == HubSubscription.State.ASKED
    assert not is_pushed(feed, datetime.now(UTC))
    assert hub.confirm() == [200]
    subscription = HubSubscription.objects.get()
    assert subscription.state == HubSubscription.State.ACTIVE
    assert subscription.lease_until > datetime.now(UTC) + timedelta(days=9)
    assert is_pushed(feed, datetime.now(UTC))


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_news_are_polled_as_soon_as_the_hub_rings(
    feed: Feed, hub: Hub, feed_server: FeedServer, method: str
) -> None:
    subscribe(hub)
    assert not due(feed)
    content = publish(feed_server, hub, post(2), post(1))
    assert hub.publish(content, method=method) == [202]
    assert due(feed)
    poll(feed.pk, now=datetime.now(UTC) + timedelta(minutes=2))
    assert set(Article.objects.values_list("title", flat=True)) == {"Notizia 1", "Notizia 2"}


def test_what_a_push_carries_is_not_read(feed: Feed, hub: Hub) -> None:
    subscribe(hub)
    hub.publish(rss(post(66, "Notizia falsa")).encode())
    poll(feed.pk, now=datetime.now(UTC) + timedelta(minutes=2))
    assert not Article.objects.filter(title="Notizia falsa").exists()


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=" + "0" * 64, "md5=" + "0" * 32, "sha256", "=", "sha256=é"],
)
def test_a_push_that_is_not_signed_as_agreed_is_ignored(
    feed: Feed, hub: Hub, signature: str
) -> None:
    subscription = subscribe(hub)
    callback = next(callback for _topic, callback in hub.readers)
    headers = {"X-Hub-Signature": signature.encode().decode("latin-1")} if signature else {}
    assert call(callback, b"<rss/>", headers)[0] == 202
    assert not due(feed)
    subscription.refresh_from_db()
    assert subscription.last_push_at is None


def test_a_push_signed_with_another_secret_is_ignored(feed: Feed, hub: Hub) -> None:
    subscribe(hub)
    assert hub.publish(b"<rss/>", secret="indovinato") == [202]
    assert not due(feed)


def test_a_push_without_an_end_is_not_read_to_its_end(feed: Feed, hub: Hub, settings: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"FETCH_MAX_BYTES": 100_000}
    subscribe(hub)
    assert hub.publish(b"x" * 200_000) == [202]
    assert not due(feed)


def test_secret_still_counts_after_the_sites_key_was_changed(
    feed: Feed, hub: Hub, settings: Any
) -> None:
    subscribe(hub)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    hub.publish(b"<rss/>")
    assert due(feed)


def test_nobody_is_confirmed_who_was_not_asked(feed: Feed, hub: Hub) -> None:
    subscription = subscribe(hub)
    callback = next(callback for _topic, callback in hub.readers)
    topic = subscription.topic_url
    for said in (
        "hub.mode=subscribe&hub.topic=https://altro.example/&hub.challenge=x",
        f"hub.mode=unsubscribe&hub.topic={topic}&hub.challenge=x",
        f"hub.mode=publish&hub.topic={topic}&hub.challenge=x",
        f"hub.mode=subscribe&hub.topic={topic}",
        "",
    ):
        assert call(f"{callback}?{said}")[0] == 404
    HubSubscription.objects.update(asked_at=datetime.now(UTC) - timedelta(days=2))
    assert call(f"{callback}?hub.mode=subscribe&hub.topic={topic}&hub.challenge=x")[0] == 404
    unknown = callback.replace(subscription.token, "somebody-else")
    assert call(f"{unknown}?hub.mode=subscribe&hub.topic={topic}&hub.challenge=x")[0] == 404
    assert call(unknown, b"<rss/>")[0] == 410


def test_a_challenge_is_answered_as_plain_text(feed: Feed, hub: Hub, client: Any) -> None:
    go_round()
    subscription = HubSubscription.objects.get()
    said = {"hub.mode": "subscribe", "hub.topic": feed.url, "hub.challenge": "<script>x</script>"}
    answer = client.get(f"/newsletter/websub/{subscription.token}/", said)
    assert answer.content == b"<script>x</script>"
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_lease_is_renewed_before_it_ends(feed: Feed, hub: Hub) -> None:
    hub.lease = 100_000
    subscription = subscribe(hub)
    now = datetime.now(UTC)
    go_round(now + timedelta(seconds=60_000))
    assert hub.asked == []
    go_round(now + timedelta(seconds=71_000))
    assert [one["hub.mode"] for one in hub.asked] == ["subscribe"]
    HubSubscription.objects.update(asked_at=now)  # the hub's clock is the real one
    hub.lease = 864_000
    assert hub.confirm() == [200]
    until = subscription.lease_until
    subscription.refresh_from_db()
    assert subscription.lease_until > until


def test_a_lease_that_ended_counts_for_nothing(feed: Feed, hub: Hub) -> None:
    subscribe(hub)
    assert not is_pushed(feed, datetime.now(UTC) + timedelta(days=11))


def test_polls_become_rare_but_do_not_end(feed: Feed, hub: Hub, feed_server: FeedServer) -> None:
    Feed.objects.update(created_at=datetime.now(UTC) - timedelta(days=60))
    for number in range(40):
        feed.fetches.create(
            at=datetime.now(UTC) - timedelta(hours=12 * number), outcome="new", articles_new=20
        )
    now = datetime.now(UTC)
    poll_now(feed.pk, now=now)
    feed.refresh_from_db()
    often = feed.next_poll_at - now
    subscribe(hub)
    poll_now(feed.pk, now=now)
    feed.refresh_from_db()
    assert often < timedelta(hours=2)
    assert timedelta(hours=20) < feed.next_poll_at - now <= timedelta(hours=24)


@pytest.mark.parametrize("how", ["paused", "deleted", "switched off", "another hub"])
def test_what_is_not_wanted_any_more_is_unsubscribed(
    feed: Feed, hub: Hub, settings: Any, how: str
) -> None:
    subscribe(hub)
    if how == "paused":
        Feed.objects.update(state=Feed.State.PAUSED)
    elif how == "deleted":
        Feed.objects.get().delete()
    elif how == "another hub":
        Feed.objects.update(hub_url="")
    else:
        settings.NEWSLETTER = settings.NEWSLETTER | {"WEBSUB": False}
    go_round()
    assert [one["hub.mode"] for one in hub.asked] == ["unsubscribe"]
    assert hub.publish(b"<rss/>") == [410]
    assert hub.confirm() == [200]
    assert hub.readers == {}
    assert not HubSubscription.objects.exists()


def test_a_hub_that_does_not_confirm_the_leaving_is_left_all_the_same(feed: Feed, hub: Hub) -> None:
    subscribe(hub)
    Feed.objects.update(state=Feed.State.PAUSED)
    for days in range(0, 20, 4):
        go_round(datetime.now(UTC) + timedelta(days=days))
    assert not HubSubscription.objects.exists()
    assert len(hub.asked) == 3


def test_a_hub_that_refuses_is_left_alone_with_its_reason(feed: Feed, hub: Hub) -> None:
    go_round()
    hub.deny("Not for you")
    subscription = HubSubscription.objects.get()
    assert (subscription.state, subscription.error) == ("refused", "Not for you")
    go_round(datetime.now(UTC) + timedelta(days=30))
    assert hub.asked == []


def test_a_hub_that_fails_is_asked_again_later(feed: Feed, hub: Hub) -> None:
    hub.status = 500
    go_round()
    assert "500" in HubSubscription.objects.get().error
    go_round()
    assert len(hub.asked) == 1
    hub.status = 202
    go_round(datetime.now(UTC) + timedelta(hours=2))
    assert len(hub.asked) == 2


def test_nothing_is_asked_unless_the_setting_says_so(feed: Feed, hub: Hub, settings: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"WEBSUB": False}
    go_round()
    assert hub.asked == []


def test_a_hub_named_in_the_headers_comes_first(hub: Hub, feed_server: FeedServer) -> None:
    topic = f"{feed_server.url}/topic/"
    link = f'<{hub.url}>; rel="hub", <{topic}>; rel="self", <http://[::1>; rel="hub"'
    url = feed_server.serve("/atom/", rss(post(1)), headers={"Link": link})
    feed = make_feed(url)
    poll_now(feed.pk, now=datetime.now(UTC))
    feed.refresh_from_db()
    assert (feed.hub_url, feed.topic_url) == (hub.url, topic)


@pytest.mark.parametrize("address", ["http://hub.example/", "http://10.0.0.1/", "ftp://hub/"])
def test_a_hub_that_would_hear_the_secret_in_the_clear_is_not_used(
    address: str, feed_server: FeedServer
) -> None:
    feed = make_feed(
        feed_server.serve("/feed/", rss(post(1), channel=HUB_LINK.format("hub", address)))
    )
    poll_now(feed.pk, now=datetime.now(UTC))
    feed.refresh_from_db()
    assert feed.hub_url == ""


def test_a_hub_at_a_private_address_is_not_called(feed: Feed, hub: Hub) -> None:
    Feed.objects.update(hub_url="https://10.0.0.1/")
    go_round()
    assert "private address" in HubSubscription.objects.get().error


def test_no_log_holds_a_secret(feed: Feed, hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        go_round()
        secret = hub.asked[0]["hub.secret"]
        hub.status = 500
        hub.confirm()
        hub.publish(b"<rss/>", secret="wrong")
        go_round(datetime.now(UTC) + timedelta(days=8))
    assert secret not in caplog.text
    assert secret not in str(list(HubSubscription.objects.values()))
