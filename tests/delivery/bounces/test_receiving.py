"""Reports, refusals and complaints: who is mailed no more, and what has no effect at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.delivery.bounces.models import Bounce, ReportCount
from newsletter.delivery.bounces.receiving import forget_bounces, receive
from newsletter.delivery.control import start_due
from newsletter.delivery.freeze import approve
from newsletter.delivery.return_path import ReturnPaths, read, tokens_in
from newsletter.delivery.send import send_batches
from newsletter.delivery.sweep import sweep
from newsletter.digests.models import Digest
from newsletter.members.address import address_hash
from newsletter.members.models import Member, Suppression
from newsletter.members.rights import erase, export
from tests.builders import make_article, make_digest
from tests.delivery.bounces.conftest import (
    ANNA,
    BRUNO,
    DOMAIN,
    Returns,
    Sent,
    counts,
    return_path,
    suppressions,
)  # fmt: skip
from tests.delivery.bounces.test_reading import sample
from tests.delivery.conftest import Clock, delivery_to, states
from tests.delivery.scripted_server import ScriptedServer

pytestmark = pytest.mark.django_db


# --- the return path


def test_every_mail_has_a_return_path_of_its_own_that_names_nobody(
    sent: Sent, smtp: ScriptedServer
) -> None:
    digest = sent()
    senders = [mail.sender for mail in smtp.received]
    assert len(set(senders)) == 2
    for mail in smtp.received:
        local, _, domain = mail.sender.partition("@")
        assert domain == DOMAIN
        assert len(local) <= 64
        row = delivery_to(digest, mail.recipients[0])
        assert str(row.pk) != local[2:]
        assert mail.sender == return_path(digest, mail.recipients[0], digest.sending_at)


def test_without_a_bounce_domain_the_sender_stays(
    ready_digest: Callable[..., Digest], smtp: ScriptedServer, clock: Clock
) -> None:
    send_batches(ready_digest([ANNA]).pk, clock=clock)
    assert smtp.received[0].sender == "bollettino@union.example"


def test_a_token_is_good_for_its_own_mail_and_address_alone(sent: Sent, clock: Clock) -> None:
    digest = sent()
    [token] = tokens_in(return_path(digest, ANNA, clock.now))
    [claimed] = read(token)
    assert claimed.delivery_id == delivery_to(digest, ANNA).pk
    assert claimed.mailed_on == clock.now.date()
    assert claimed.proves(digest.uid, ANNA)
    assert not claimed.proves(digest.uid, BRUNO)
    for place in range(len(token)):
        other = token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1 :]
        assert not any(one.proves(digest.uid, ANNA) for one in read(other))


def test_a_token_outlives_a_change_of_key(sent: Sent, clock: Clock, settings: object) -> None:
    digest = sent()
    path = return_path(digest, ANNA, clock.now)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert receive(sample("postfix-no-such-user", path), now=clock.now) == "counted"


# --- who is suppressed


def test_a_mailbox_that_is_gone_on_two_days_is_suppressed(
    sent: Sent, comes_back: Returns, clock: Clock, smtp: ScriptedServer
) -> None:
    first = sent()
    clock.forward(hours=3)
    assert comes_back("postfix-no-such-user", first) == "counted"
    assert suppressions() == {}
    clock.forward(days=7)
    second = sent()
    assert comes_back("gmail-no-such-user", second) == "suppressed"
    assert suppressions() == {ANNA: "bounce"}
    clock.forward(days=7)
    third = sent()
    assert states(third) == {BRUNO: "sent"}
    assert third.exclusions.get().reason == "suppressed"


def test_two_mails_of_one_day_are_one_day(sent: Sent, comes_back: Returns, clock: Clock) -> None:
    first = sent()
    clock.forward(hours=5)
    second = sent()
    assert comes_back("postfix-no-such-user", first) == "counted"
    clock.forward(days=2)
    assert comes_back("postfix-no-such-user", second) == "counted"
    assert suppressions() == {}


def test_a_full_mailbox_is_given_up_after_ten_days_of_it(
    sent: Sent, comes_back: Returns, clock: Clock
) -> None:
    for _day in range(9):
        assert comes_back("gmail-full", sent()) == "counted"
        clock.forward(days=1)
    assert comes_back("postfix-given-up", sent()) == "suppressed"
    assert suppressions() == {ANNA: "returned"}


def test_a_score_that_rests_for_a_month_begins_again(
    sent: Sent, comes_back: Returns, clock: Clock
) -> None:
    for _day in range(9):
        comes_back("gmail-full", sent())
        clock.forward(days=1)
    clock.forward(days=31)
    assert comes_back("gmail-full", sent()) == "counted"
    assert suppressions() == {}


def test_a_complaint_suppresses_at_once(sent: Sent, comes_back: Returns, clock: Clock) -> None:
    digest = sent()
    assert comes_back("complaint-quoted-headers", digest) == "suppressed"
    assert suppressions() == {ANNA: "complaint"}


def test_what_speaks_against_our_server_never_harms_a_member(
    sent: Sent, comes_back: Returns, clock: Clock
) -> None:
    for name in ("gmail-unauthenticated", "exchange-restricted", "policy-filed-as-no-such-user",
                 "qmail-policy"):  # fmt: skip
        for _day in range(3):
            assert comes_back(name, sent()) == "about_us"
            clock.forward(days=1)
    assert suppressions() == {}
    assert {bounce.kind for bounce in Bounce.objects.all()} == {"about_us"}


def test_a_refusal_while_sending_counts_like_a_report(
    sent: Sent, smtp: ScriptedServer, clock: Clock
) -> None:
    smtp.answer("rcpt", "550 5.1.1 <anna@posta.example> no such user", match=ANNA)
    sent()
    for _look in range(2):
        sweep(now=clock.forward(minutes=1))
    assert counts() == {"counted": 1}
    assert "@" not in Bounce.objects.get().detail
    clock.forward(days=1)
    sent()
    sweep(now=clock.forward(minutes=1))
    assert suppressions() == {ANNA: "bounce"}


def test_a_refusal_without_a_code_says_little(
    sent: Sent, smtp: ScriptedServer, clock: Clock
) -> None:
    smtp.answer("rcpt", "550 go away", match=ANNA)
    sent()
    sweep(now=clock.now)
    assert Bounce.objects.get().kind == "passing"


def test_who_has_moved_since_is_not_meant(
    sent: Sent, smtp: ScriptedServer, clock: Clock, comes_back: Returns
) -> None:
    digest = sent()
    path = return_path(digest, ANNA, clock.now)
    Member.objects.filter(address=ANNA).update(
        email="anna@nuova.example", address="anna@nuova.example",
        address_hash=address_hash("anna@nuova.example"),
    )  # fmt: skip
    assert receive(sample("postfix-no-such-user", path), now=clock.now) == "not_ours"


def test_suppressed_between_freeze_and_sending_is_not_mailed(
    sent: Sent, comes_back: Returns, clock: Clock, smtp: ScriptedServer
) -> None:
    first = sent()
    waiting = started_like(first, clock)
    comes_back("complaint", first)
    send_batches(waiting.pk, clock=clock)
    row = delivery_to(waiting, ANNA)
    assert (row.state, row.reason) == ("skipped", "suppressed")
    assert len(smtp.of(ANNA)) == 1


def started_like(first: Digest, clock: Clock) -> Digest:
    clock.forward(hours=1)
    digest = make_digest(first.newsletter, articles=[make_article()], slot=clock.now)
    approve(digest.pk, now=clock.now)
    start_due(now=clock.now)
    return digest


# --- what has no effect


def test_a_report_without_a_good_token_has_no_effect(sent: Sent, clock: Clock) -> None:
    digest = sent()
    path = return_path(digest, ANNA, clock.now)
    forged = path[:-30] + ("0" if path[-30] != "0" else "1") + path[-29:]
    other_key = ReturnPaths(DOMAIN, digest.uid, clock.now.date())
    other_key._seal_key = b"x" * 32
    foreign = other_key.address(delivery_to(digest, ANNA).pk, ANNA)
    for name in ("postfix-no-such-user", "complaint", "qmail-no-such-user"):
        for sender in (forged, foreign, "bollettino@union.example", ""):
            assert receive(sample(name, sender), now=clock.now) == "not_ours"
    assert not Bounce.objects.exists()
    assert counts() == {"not_ours": 12}


def test_a_replay_has_no_effect(sent: Sent, comes_back: Returns, clock: Clock) -> None:
    digest = sent()
    comes_back("postfix-no-such-user", digest)
    for days in range(1, 5):
        clock.forward(days=days)
        assert comes_back("postfix-no-such-user", digest) == "replayed"
        assert comes_back("gmail-full", digest) == "replayed"  # one mail comes back once
    assert suppressions() == {}
    assert counts()["counted"] == 1


def test_a_report_that_comes_too_late_has_no_effect(
    sent: Sent, comes_back: Returns, clock: Clock
) -> None:
    digest = sent()
    clock.forward(days=31)
    assert comes_back("complaint", digest) == "expired"
    assert suppressions() == {}


@pytest.mark.parametrize(
    ("name", "worth"),
    [
        ("holiday-note", "auto_reply"),
        ("read-receipt", "auto_reply"),
        ("a-person-writes", "no_report"),
        ("complaint-not-spam", "no_report"),
        ("postfix-delayed", "not_final"),
        ("postfix-delivered", "not_final"),
        ("several-recipients", "not_final"),
    ],
)
def test_what_is_no_failure_has_no_effect(
    name: str, worth: str, sent: Sent, comes_back: Returns
) -> None:
    assert comes_back(name, sent()) == worth
    assert not Bounce.objects.exists()
    assert counts() == {worth: 1}


def test_what_cannot_be_read_is_counted(sent: Sent, clock: Clock) -> None:
    sent()
    assert receive(b"\0" * 100, now=clock.now) in ("no_report", "unreadable")
    assert sum(counts().values()) == 1


# --- what else it is good for, and what is kept


def test_who_reports_on_an_uncertain_mail_has_had_it(
    ready_digest: Callable[..., Digest],
    smtp: ScriptedServer,
    clock: Clock,
    configure: Callable[..., None],
) -> None:
    configure(BOUNCE_DOMAIN=DOMAIN)
    digest = ready_digest([ANNA])
    smtp.keep_and_hang_up()
    send_batches(digest.pk, clock=clock)
    assert states(digest) == {ANNA: "uncertain"}
    receive(sample("gmail-full", return_path(digest, ANNA, clock.now)), now=clock.now)
    row = delivery_to(digest, ANNA)
    assert (row.state, row.reason) == ("sent", "evidence")


def test_bounces_are_in_the_export_and_go_with_the_member(
    sent: Sent, comes_back: Returns, clock: Clock
) -> None:
    digest = sent()
    comes_back("postfix-no-such-user", digest)
    anna = Member.objects.get(address=ANNA)
    [row] = export(anna)["records"]["bounce"]
    assert row["kind"] == "gone"
    erase(anna, clock.now)
    assert not Bounce.objects.exists()


def test_a_suppression_outlives_its_member(sent: Sent, comes_back: Returns, clock: Clock) -> None:
    comes_back("complaint", sent())
    Member.objects.get(address=ANNA).delete()
    kept = Suppression.objects.get()
    assert (kept.reason, kept.address_hash) == ("complaint", address_hash(ANNA))


def test_bounces_are_forgotten_in_time(sent: Sent, comes_back: Returns, clock: Clock) -> None:
    comes_back("complaint", sent())
    assert forget_bounces(now=clock.forward(days=180)) == 0
    assert forget_bounces(now=clock.forward(days=2)) == 1
    assert not ReportCount.objects.filter(day__lt=clock.now - timedelta(days=180)).exists()
    assert suppressions() == {ANNA: "complaint"}
