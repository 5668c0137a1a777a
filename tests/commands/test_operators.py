"""Operators' commands: what they do, what they say, and how they fail."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from newsletter.articles.models import Article
from newsletter.digests.models import Digest
from newsletter.feeds.models import Feed
from newsletter.feeds.polling import claim
from newsletter.members.models import Consent, Member, Subscription
from tests.builders import (
    make_article,
    make_digest,
    make_feed,
    make_member,
    make_newsletter,
    make_theme,
)
from tests.conftest import Named
from tests.servers import Answer, FeedServer, Mailbox, Request
from tests.tasks.test_tick import RSS

pytestmark = pytest.mark.django_db(transaction=True)


def told(*command: str) -> dict:
    """What the command answers to --json."""
    out = StringIO()
    call_command(*command, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def refused(*command: str) -> str:
    """The one line with which the command fails; --json says the same."""
    with pytest.raises(CommandError) as error:
        call_command(*command, stdout=StringIO(), stderr=StringIO())
    message = str(error.value)
    assert "\n" not in message
    out = StringIO()
    with pytest.raises(CommandError):
        call_command(*command, "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["ok"] is False
    return message


# --- add_feed


def test_add_feed_reads_the_feed_and_keeps_it(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", RSS)
    answer = told("add_feed", url)
    assert answer["ok"] is True
    assert answer["created"] is True
    assert answer["entries"] == 1
    assert Feed.objects.get(url=url).title == "Blog"


def test_add_feed_twice_adds_once(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed/", RSS)
    told("add_feed", url)
    assert told("add_feed", url)["created"] is False
    assert Feed.objects.count() == 1


def test_add_feed_refuses_what_is_not_a_feed(feed_server: FeedServer) -> None:
    refused("add_feed", feed_server.serve("/page/", "<html><p>Hello</p></html>"))
    assert not Feed.objects.exists()


def test_add_feed_names_the_private_address_it_refuses(feed_server: FeedServer, settings) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"ALLOW_PRIVATE_FEED_HOSTS": []}
    message = refused("add_feed", feed_server.serve("/feed/", RSS))
    assert "127.0.0.1" in message
    assert "ALLOW_PRIVATE_FEED_HOSTS" in message
    assert not feed_server.requests


# --- poll_feeds


def test_poll_feeds_brings_the_articles_with_their_themes(feed_server: FeedServer) -> None:
    make_theme("Pensioni", keywords=["pensione", "previdenza"])
    make_feed(feed_server.serve("/feed/", RSS))
    answer = told("poll_feeds")
    assert (answer["articles_new"], answer["articles_tagged"]) == (1, 1)
    assert Article.objects.get().assignments.count() == 1


def test_poll_feeds_can_poll_one_feed_alone(feed_server: FeedServer) -> None:
    chosen = make_feed(feed_server.serve("/feed/", RSS))
    make_feed(feed_server.serve("/other/", RSS))
    told("poll_feeds", f"--feed={chosen.pk}")
    assert [request.path for request in feed_server.requests] == ["/feed/"]


def test_poll_feeds_fails_when_a_feed_does_but_polls_the_others(feed_server: FeedServer) -> None:
    make_feed(feed_server.serve("/broken/", "nothing"))
    make_feed(feed_server.serve("/feed/", RSS))
    with pytest.raises(CommandError, match=r"1 of 2 feeds failed, the first .*/broken/"):
        call_command("poll_feeds", stdout=StringIO(), stderr=StringIO())
    assert Article.objects.count() == 1


def test_poll_feeds_polls_many_hosts_at_once_due_or_not(
    named: Named, feed_server: FeedServer
) -> None:
    together = Barrier(3, timeout=10)

    def answer(request: Request) -> Answer:
        together.wait()  # nobody is answered before all three have asked
        return Answer(200, RSS.encode())

    feed_server.respond("/feed/", answer)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    made = [make_feed(named(f"b{n}.example/feed/"), next_poll_at=tomorrow) for n in range(3)]
    shown = StringIO()
    out = StringIO()
    call_command("poll_feeds", "--json", stdout=out, stderr=shown)
    rows = json.loads(out.getvalue())["feeds"]
    assert [(row["feed"], row["error"]) for row in rows] == [(feed.pk, "") for feed in made]
    assert "Feeds: 3 of 3" in shown.getvalue()


def test_poll_feeds_says_which_feed_another_worker_has(feed_server: FeedServer) -> None:
    taken = make_feed(feed_server.serve("/feed/", RSS))
    claim(taken.pk, datetime.now(UTC))
    assert "another worker" in refused("poll_feeds")
    assert not feed_server.requests


def test_poll_feeds_names_a_feed_that_is_not_there() -> None:
    assert "no feed 99" in refused("poll_feeds", "--feed=99")


# --- add_member


def test_add_member_subscribes_with_themes_and_keeps_the_proof() -> None:
    newsletter = make_newsletter()
    theme = make_theme("Pensioni")
    answer = told(
        "add_member", "Anna@Posta.example", f"--newsletter={newsletter.slug}", "--theme=pensioni"
    )
    member = Member.objects.get(pk=answer["member"])
    assert member.confirmed_at
    assert Subscription.objects.get().selection.theme_ids == {theme.pk}
    assert Consent.objects.filter(member=member, event=Consent.Event.IMPORTED).exists()


def test_add_member_changes_the_themes_of_who_receives_already() -> None:
    newsletter = make_newsletter()
    make_theme("Pensioni")
    climate = make_theme("Clima")
    command = ["add_member", "anna@posta.example", f"--newsletter={newsletter.slug}"]
    told(*command, "--theme=pensioni")
    out = StringIO()
    call_command(*command, "--theme=clima", stdout=out)
    assert Subscription.objects.get().selection.theme_ids == {climate.pk}
    assert f"{newsletter.name} (only Clima)" in out.getvalue()
    again = StringIO()
    call_command(*command, stdout=again)
    assert Subscription.objects.get().selection.theme_ids == {climate.pk}
    assert "(only Clima)" in again.getvalue(), "what is said is what is so"


def test_add_member_prints_no_address() -> None:
    newsletter = make_newsletter()
    out = StringIO()
    call_command("add_member", "anna@posta.example", newsletter=[newsletter.slug], stdout=out)
    assert "anna" not in out.getvalue()


@pytest.mark.parametrize("address", ["anna@posta.example\nBcc: all@posta.example", "anna", "a@"])
def test_add_member_refuses_what_is_no_address(address: str) -> None:
    newsletter = make_newsletter()
    refused("add_member", address, f"--newsletter={newsletter.slug}")
    assert not Member.objects.exists()


def test_add_member_answers_an_unknown_newsletter_with_those_there_are() -> None:
    make_newsletter("Ogni mese")
    message = refused("add_member", "anna@posta.example", "--newsletter=ogni-anno")
    assert "ogni-anno" in message
    assert "ogni-mese" in message
    assert not Member.objects.exists()


def test_add_member_refuses_an_unknown_theme_and_adds_nobody() -> None:
    newsletter = make_newsletter()
    make_theme("Pensioni")
    command = ["add_member", "anna@posta.example", f"--newsletter={newsletter.slug}"]
    assert "pensioni" in refused(*command, "--theme=pension")
    assert not Member.objects.exists()


# --- compile_digest, approve_digest, send_digest


def test_a_digest_is_compiled_approved_and_sent_by_hand(mailbox: Mailbox, settings) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    newsletter = make_newsletter()
    make_member("anna@posta.example", newsletter=newsletter)
    make_article("L’accordo è firmato", arrived_at=datetime.now(UTC))
    compiled = told("compile_digest", newsletter.slug, "--now")
    assert (compiled["status"], compiled["items"]) == ("draft", 1)
    digest_id = str(compiled["digest"])
    approved = told("approve_digest", digest_id)
    assert (approved["candidates"], approved["deliveries"]) == (1, 1)
    sent = told("send_digest", digest_id)
    assert sent["status"] == "sent"
    assert sent["states"]["sent"] == 1
    (mail,) = mailbox.of("anna@posta.example")
    assert "L’accordo è firmato" in mail.text
    # Repeated, it says the same and mails nobody.
    assert told("send_digest", digest_id)["states"]["sent"] == 1
    assert len(mailbox.received) == 1


def test_compile_digest_takes_the_next_slot_of_the_schedule() -> None:
    newsletter = make_newsletter()
    make_article(arrived_at=datetime.now(UTC))
    first = told("compile_digest", newsletter.slug)
    assert datetime.fromisoformat(first["slot"]) > datetime.now(UTC)
    assert told("compile_digest", newsletter.slug)["digest"] == first["digest"]


def test_compile_digest_says_why_it_skipped() -> None:
    newsletter = make_newsletter()
    answer = told("compile_digest", newsletter.slug, "--now")
    assert answer["status"] == "skipped"
    assert answer["reason"]


def test_compile_digest_answers_an_unknown_newsletter_with_those_there_are() -> None:
    make_newsletter("Ogni mese")
    assert "ogni-mese" in refused("compile_digest", "ogni-anno")


def test_compile_digest_needs_now_where_there_is_no_schedule() -> None:
    newsletter = make_newsletter(frequency="manual")
    assert "--now" in refused("compile_digest", newsletter.slug)


@pytest.mark.parametrize("command", ["approve_digest", "send_digest"])
def test_a_digest_that_is_not_there_is_named(command: str) -> None:
    assert "no digest 99" in refused(command, "99")


def test_approve_digest_refuses_an_empty_one_and_changes_nothing() -> None:
    digest = make_digest(articles=[])
    refused("approve_digest", str(digest.pk))
    digest.refresh_from_db()
    assert digest.status == Digest.Status.DRAFT


def test_send_digest_refuses_what_nobody_approved() -> None:
    digest = make_digest(articles=[make_article()])
    refused("send_digest", str(digest.pk))


def test_send_digest_fails_when_the_mail_server_is_away_and_loses_nothing(settings) -> None:
    newsletter = make_newsletter()
    make_member(newsletter=newsletter)
    digest = make_digest(newsletter, articles=[make_article()])
    told("approve_digest", str(digest.pk))
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": "smtp://127.0.0.1:9"}
    with pytest.raises(CommandError, match="not finished"):
        call_command("send_digest", str(digest.pk), stdout=StringIO(), stderr=StringIO())
    assert digest.deliveries.exclude(state="sent").count() == 1


# --- their words


def test_commands_speak_english_on_an_italian_site(settings) -> None:
    settings.LANGUAGE_CODE = "it"
    with translation.override("it"):
        said = refused("add_feed", "http://10.0.0.1/feed")
    assert said.startswith("10.0.0.1 is a private address.")


def test_what_polling_records_for_editors_stays_in_the_sites_language(settings) -> None:
    settings.LANGUAGE_CODE = "it"
    feed = make_feed(url="http://10.0.0.1/feed")
    with translation.override("it"):
        said = refused("poll_feeds", "--feed", str(feed.pk))
    feed.refresh_from_db()
    assert "indirizzo privato" in feed.error
    # To the operator it is a quotation, after a word that is the same in every language.
    assert said.startswith("1 of 1 feeds failed, the first http://10.0.0.1/feed: failed (private_")
    assert said.endswith(f"The admin says: “{feed.error}”")


def test_a_list_without_feeds_is_refused_and_those_refused_are_counted(tmp_path: Path) -> None:
    cut = tmp_path / "cut.opml"
    cut.write_text("<opml", encoding="utf-8")
    assert "no feed in it" in refused("import_opml", str(cut))
    mixed = tmp_path / "mixed.opml"
    mixed.write_text(
        '<opml><body><outline xmlUrl="https://a.example/feed"/>'
        '<outline xmlUrl="http://10.0.0.1/feed"/></body></opml>',
        encoding="utf-8",
    )
    out = StringIO()
    call_command("import_opml", str(mixed), stdout=out)
    assert "1 added, 0 already there, 1 refused." in out.getvalue()


@pytest.mark.parametrize("option", [("--pages", "0"), ("--pause", "-1"), ("--pause", "nan")])
def test_backfill_feed_turns_away_what_makes_no_sense(option: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=option[0]):
        call_command("backfill_feed", "1", "=".join(option))


def test_compile_digest_tells_the_hour_that_editors_see(settings) -> None:
    settings.TIME_ZONE = "Europe/Rome"
    newsletter = make_newsletter()
    make_article()
    out = StringIO()
    call_command("compile_digest", newsletter.slug, stdout=out)
    slot = Digest.objects.get().slot.astimezone(ZoneInfo("Europe/Rome"))
    assert f"goes out {slot:%Y-%m-%d %H:%M %Z}" in out.getvalue()
