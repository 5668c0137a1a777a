"""The tick: rung every minute, it carries each stage one step further."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from newsletter import errands, tasks
from newsletter.articles.backfill import begin
from newsletter.articles.models import Article, ArticleAddress
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.following import FollowedLink
from newsletter.digests.link_requests import LinkRequest
from newsletter.digests.models import Digest, Newsletter
from newsletter.exceptions import StepsFailed
from newsletter.feeds import websub
from newsletter.feeds.hub import HubSubscription
from newsletter.feeds.models import Backfill, Feed, FetchRecord
from newsletter.themes.models import ThemeAssignment
from tests.admin.conftest import client_for
from tests.builders import (
    make_article,
    make_digest,
    make_feed,
    make_member,
    make_newsletter,
    make_theme,
)
from tests.servers import FeedServer, Mailbox

pytestmark = pytest.mark.django_db(transaction=True)

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Blog</title><link>https://blog.example/</link>
<description>d</description><language>it-IT</language>
<item><title>La pensione anticipata cambia</title><link>https://blog.example/1/</link>
<guid isPermaLink="false">https://blog.example/?p=1</guid>
<description>La pensione e la previdenza: le nuove regole sulla pensione.</description></item>
</channel></rss>"""


@pytest.fixture
def mailing(mailbox: Mailbox, settings) -> Mailbox:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    return mailbox


def test_a_due_feed_is_polled_and_its_articles_get_themes(
    bells_answered_at_once: None, feed_server: FeedServer
) -> None:
    make_theme("Pensioni", keywords=["pensione", "previdenza"])
    make_feed(feed_server.serve("/feed/", RSS), auto_accept=True)
    tasks.tick()
    article = Article.objects.get()
    assert article.state == Article.State.ACCEPTED
    assert [a.theme.name for a in ThemeAssignment.objects.all()] == ["Pensioni"]


def test_the_same_news_in_two_feeds_becomes_one_story(
    bells_answered_at_once: None, feed_server: FeedServer
) -> None:
    text = " ".join(f"La parola numero {number} del testo di prova." for number in range(20))
    for blog in ("uno", "due"):
        post = RSS.replace("blog.example", f"{blog}.example")
        post = post.replace("</description>", f"{text}</description>")
        make_feed(feed_server.serve(f"/{blog}/", post))
    tasks.tick()
    first, second = Article.objects.all()
    assert first.story is not None
    assert first.story == second.story


def test_a_feed_that_fails_does_not_stop_the_others(
    bells_answered_at_once: None, feed_server: FeedServer
) -> None:
    broken = make_feed(feed_server.serve("/broken/", "not a feed"))
    make_feed(feed_server.serve("/feed/", RSS))
    tasks.tick()
    assert Article.objects.count() == 1
    assert Feed.objects.get(pk=broken.pk).error


def test_older_posts_that_were_asked_for_come_without_a_person(
    bells_answered_at_once: None, feed_server: FeedServer, monkeypatch
) -> None:
    monkeypatch.setattr(errands, "_pause", lambda: None)
    feed = make_feed(feed_server.serve("/feed/", RSS), state=Feed.State.PAUSED)
    feed_server.serve("/feed/?paged=2", RSS.replace("/1/", "/2/").replace("p=1", "p=2"))
    feed_server.serve("/feed/?paged=3", status=404)
    begin(feed, now=datetime.now(UTC))
    tasks.tick()
    assert Article.objects.count() == 2
    assert Backfill.objects.get().state == Backfill.State.DONE


def test_a_post_that_vanished_leaves_the_draft_before_its_time(
    bells_answered_at_once: None, feed_server: FeedServer, mailing: Mailbox, monkeypatch
) -> None:
    monkeypatch.setattr(errands, "_pause", lambda: None)
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member("anna@posta.example", newsletter=newsletter)
    feed_server.serve("/", "<p>Il blog</p>")
    stays = make_article("Resta", url=feed_server.serve("/resta/", "<p>Qui</p>"))
    goes = make_article("Sparita", url=feed_server.serve("/via/", status=404))
    now = datetime.now(UTC)
    digest = make_digest(newsletter, articles=[goes, stays], slot=now + timedelta(hours=2))
    tasks.errands()
    ArticleAddress.objects.update(next_at=now)  # twenty minutes later
    tasks.errands()
    Digest.objects.update(slot=now)
    revision = Digest.objects.get(pk=digest.pk).latest_revision
    revision.content["slot"] = now.isoformat()
    revision.save()
    tasks.tick()
    (mail,) = mailing.of("anna@posta.example")
    assert "Resta" in mail.text
    assert "Sparita" not in mail.text


@pytest.mark.parametrize("key", ["", "wrong"], ids=["signed", "not signed as agreed"])
def test_a_hub_that_rings_has_the_feed_polled_without_a_tick_if_it_signs(
    bells: Callable[[], list[str]], client, key: str
) -> None:
    now = datetime.now(UTC)
    feed = make_feed(next_poll_at=now + timedelta(hours=9))
    subscription = HubSubscription.objects.create(feed=feed, state="active", next_at=now)
    secret = key or websub._secrets(subscription.token)[0]
    signed = hmac.new(secret.encode(), b"<rss/>", "sha256").hexdigest()
    client.post(
        f"/newsletter/websub/{subscription.token}/",
        b"<rss/>",
        content_type="application/rss+xml",
        headers={"X-Hub-Signature": f"sha256={signed}"},
    )
    assert bells() == ([] if key else ["newsletter.poll_due"])


def test_poll_now_rings_for_that_feed(bells: Callable[[], list[str]]) -> None:
    client_for("superuser").post(reverse("newsletter_feeds:poll", args=[make_feed().pk]))
    assert bells() == ["newsletter.poll_feed"]


def test_a_poll_of_a_paused_feed_survives_a_lost_doorbell(
    bells: Callable[[], list[str]], feed_server: FeedServer, request
) -> None:
    feed = make_feed(feed_server.serve("/feed/", RSS), state=Feed.State.PAUSED)
    client_for("superuser").post(reverse("newsletter_feeds:poll", args=[feed.pk]))
    assert bells() == ["newsletter.poll_feed"]  # and nobody hears it

    request.getfixturevalue("bells_answered_at_once")
    tasks.tick()
    assert Article.objects.count() == 1
    feed.refresh_from_db()
    assert feed.state == Feed.State.PAUSED
    tasks.tick()
    assert feed.fetches.count() == 1


def test_links_that_somebody_waits_for_survive_a_lost_doorbell(
    bells: Callable[[], list[str]], feed_server: FeedServer, request
) -> None:
    article = make_article(url=feed_server.serve("/qui/", "<p>Qui</p>"))
    slot = datetime.now(UTC) + timedelta(days=9)
    digest = make_digest(make_newsletter(), articles=[article], slot=slot)
    url = reverse("newsletter_digests:follow_links", args=[digest.pk])
    client_for("superuser").post(url)
    assert bells() == ["newsletter.follow_digest_links"]  # and nobody hears it

    request.getfixturevalue("bells_answered_at_once")
    tasks.tick()
    assert FollowedLink.objects.get().verdict == "alive"
    assert LinkRequest.objects.get().answered_at


def test_stored_articles_follow_a_themes_changed_words(bells_answered_at_once: None) -> None:
    theme = make_theme("Pensioni", keywords=["previdenza"])
    article = make_article("Addio a quota cento", changed_at=datetime.now(UTC))
    tasks.tick()
    assert not article.assignments.exists()
    theme.keywords = "quota cento"
    theme.save()
    tasks.tick()
    assert article.assignments.get().theme == theme


def test_an_errand_that_fails_does_not_stop_the_others(
    bells_answered_at_once: None, monkeypatch, caplog
) -> None:
    done = []

    def broken(now: datetime) -> bool:
        raise ValueError("the disk is on fire")

    def after(now: datetime) -> bool:
        done.append(now)
        return False

    monkeypatch.setattr(errands, "ERRANDS", [broken, after])
    tasks.errands()
    assert len(done) == 1
    assert "the disk is on fire" in caplog.text


def test_an_approved_digest_goes_out_once_its_slot_has_come(
    bells_answered_at_once: None, mailing: Mailbox
) -> None:
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member("anna@posta.example", newsletter=newsletter)
    now = datetime.now(UTC)
    early = make_digest(newsletter, articles=[make_article("Domani")], slot=now + timedelta(days=1))
    due = make_digest(newsletter, articles=[make_article("Adesso")], slot=now)
    tasks.tick()
    assert Digest.objects.get(pk=due.pk).status == Digest.Status.SENT
    assert Digest.objects.get(pk=early.pk).status == Digest.Status.DRAFT
    (mail,) = mailing.of("anna@posta.example")
    assert "Adesso" in mail.text


def test_ticks_that_come_twice_send_once(bells_answered_at_once: None, mailing: Mailbox) -> None:
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member("anna@posta.example", newsletter=newsletter)
    make_digest(newsletter, articles=[make_article()], slot=datetime.now(UTC))
    tasks.tick()
    tasks.tick()
    assert len(mailing.received) == 1


def test_what_cannot_be_approved_is_held_with_its_reason_and_the_rest_goes_on(
    bells_answered_at_once: None, mailing: Mailbox
) -> None:
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member("anna@posta.example", newsletter=newsletter)
    now = datetime.now(UTC)
    empty = make_digest(newsletter, articles=[], slot=now - timedelta(minutes=1))
    good = make_digest(newsletter, articles=[make_article()], slot=now)
    tasks.tick()
    empty.refresh_from_db()
    assert empty.status == Digest.Status.HELD
    assert empty.status_reason
    assert Digest.objects.get(pk=good.pk).status == Digest.Status.SENT


def test_a_proposal_that_cannot_be_rendered_does_not_hold_up_its_neighbours(
    bells_answered_at_once: None, mailing: Mailbox, caplog
) -> None:
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member("anna@posta.example", newsletter=newsletter)
    now = datetime.now(UTC)
    bad = make_digest(newsletter, articles=[make_article()], slot=now - timedelta(minutes=1))
    good = make_digest(newsletter, articles=[make_article()], slot=now)
    revision = bad.latest_revision
    revision.content["items"] = "not a list"
    revision.save()
    tasks.tick()
    assert Digest.objects.get(pk=bad.pk).status == Digest.Status.DRAFT
    assert Digest.objects.get(pk=good.pk).status == Digest.Status.SENT


def test_what_is_old_is_forgotten_once_a_day(
    bells_answered_at_once: None, mailing: Mailbox, monkeypatch
) -> None:
    monkeypatch.setattr(tasks, "_forgot_on", None)
    feed = make_feed()
    now = datetime.now(UTC)
    for days in (1, 100):
        FetchRecord.objects.create(
            feed=feed, at=now - timedelta(days=days), outcome=FetchRecord.Outcome.NEW
        )
    tasks.forget_what_is_old(now)
    assert [record.at.date() for record in FetchRecord.objects.all()] == [
        (now - timedelta(days=1)).date()
    ]


def test_what_the_broker_loses_is_rung_again_by_the_next_tick(
    bells: Callable[[], list[str]], mailing: Mailbox, feed_server: FeedServer, request
) -> None:
    make_feed(feed_server.serve("/feed/", RSS))
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member("anna@posta.example", newsletter=newsletter)
    digest = make_digest(newsletter, articles=[make_article()], slot=datetime.now(UTC))
    tasks.tick()
    assert {"newsletter.poll_due", "newsletter.send_digest"} <= set(bells())
    assert Delivery.objects.get().state == Delivery.State.PENDING

    request.getfixturevalue("bells_answered_at_once")
    tasks.tick()
    assert Article.objects.filter(feed__isnull=False).count() == 1
    assert Digest.objects.get(pk=digest.pk).status == Digest.Status.SENT
    assert len(mailing.received) == 1


def test_a_step_that_fails_is_reported_and_the_steps_after_it_are_done(
    bells_answered_at_once: None, monkeypatch, caplog
) -> None:
    done = []

    def broken(now: datetime) -> None:
        raise ValueError("the disk is on fire")

    def after(now: datetime) -> None:
        done.append(now)

    monkeypatch.setattr(tasks, "STEPS", [broken, after])
    with caplog.at_level(logging.ERROR), pytest.raises(StepsFailed, match="broken"):
        tasks.tick()
    assert done
    assert "the disk is on fire" in caplog.text


def test_compiling_the_same_slot_twice_gives_one_digest(bells_answered_at_once: None) -> None:
    newsletter = make_newsletter()
    make_article(arrived_at=datetime.now(UTC))
    slot = datetime.now(UTC).isoformat()
    tasks.compile_digest(newsletter.pk, slot)
    tasks.compile_digest(newsletter.pk, slot)
    assert newsletter.digests.count() == 1


def test_no_more_senders_are_rung_than_there_should_be_at_work(
    bells: Callable[[], list[str]], mailing: Mailbox
) -> None:
    newsletter = make_newsletter(when_unapproved=Newsletter.WhenUnapproved.SEND)
    make_member(newsletter=newsletter)
    make_digest(newsletter, articles=[make_article()], slot=datetime.now(UTC))
    tasks.tick()
    assert bells().count("newsletter.send_digest") == 1
    Batch.objects.update(
        state=Batch.State.CLAIMED, lease_until=datetime.now(UTC) + timedelta(minutes=1)
    )
    tasks.sweep()
    assert bells().count("newsletter.send_digest") == 1
