"""How fast mails go out, and when none do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.delivery.control import finish, resume
from newsletter.delivery.models import Batch, Delivery
from newsletter.delivery.pace import limits
from newsletter.delivery.pace.limits import Bucket, Rate
from newsletter.delivery.pace.models import Slot, Throttle
from newsletter.delivery.pace.pace import forget_unused, resting
from newsletter.delivery.pace.slots import Slots
from newsletter.delivery.send import Round, send_batches
from newsletter.delivery.sweep import sweep
from newsletter.desk.alarms import send_alarms
from newsletter.digests.models import Digest, Newsletter
from tests.builders import NOW
from tests.delivery.conftest import Clock, states
from tests.delivery.scripted_server import ScriptedServer

Ready = Callable[..., Digest]
Configure = Callable[..., None]
ROME = ZoneInfo("Europe/Rome")


def send(digest: Digest, clock: Clock, **options: Any) -> Round:
    """A sender whose waiting takes no time of ours."""
    return send_batches(digest.pk, clock=clock, sleep=clock.wait, **options)


def send_with_ticks(digest: Digest, clock: Clock, minutes: int) -> list[int]:
    """A sender is rung every minute; how many mails had arrived after each."""
    sent = []
    for _minute in range(minutes):
        began = clock.now
        send(digest, clock)
        clock.now = max(clock.now, began + timedelta(minutes=1))
        sent.append(Delivery.objects.filter(digest=digest, state="sent").count())
    return sent


# --- pure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "per_hour"), [("20/s", 72000), ("600/m", 36000), ("5000/h", 5000), ("240/d", 10)]
)
def test_a_rate_is_written_as_people_say_it(text: str, per_hour: float) -> None:
    assert limits.parse_rate(text).per_second * 3600 == pytest.approx(per_hour)


@pytest.mark.parametrize("text", ["", "20", "20/w", "-3/s", "0/s", "many/s"])
def test_a_rate_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="20/s"):
        limits.parse_rate(text)


def test_a_bucket_never_gives_more_than_its_rate_however_often_it_is_asked() -> None:
    rate, bucket, given = Rate(3.0), Bucket(0.0, NOW), 0
    for tenth in range(600):
        bucket, granted = limits.take(bucket, rate, 5, NOW + timedelta(seconds=tenth / 10))
        given += granted.number
    assert 175 <= given <= 180


def test_a_pause_ends_in_no_burst() -> None:
    bucket = Bucket(0.0, NOW - timedelta(hours=5))
    _bucket, granted = limits.take(bucket, Rate(2.0), 1000, NOW)
    assert granted.number == 20


def test_an_empty_bucket_says_when_there_is_more() -> None:
    bucket, granted = limits.take(Bucket(0.0, NOW), Rate(0.5), 10, NOW)
    assert granted == limits.Granted(0, NOW + timedelta(seconds=2))
    assert limits.take(bucket, Rate(0.5), 10, granted.until)[1].number == 1


def test_a_server_that_is_overrun_gets_ever_longer_rests_and_half_the_rate() -> None:
    bucket, rests = Bucket(10.0, NOW), []
    now = NOW
    for _ in range(3):
        bucket = limits.slow_down(bucket, now)
        assert bucket.slow_until
        rests.append((bucket.slow_until - now) / timedelta(minutes=1))
        now = bucket.slow_until
    assert rests == [1, 2, 4]
    assert limits.steps_left(bucket, now) == 3
    assert limits.steps_left(bucket, now + timedelta(minutes=21)) == 1
    assert limits.steps_left(bucket, now + timedelta(hours=1)) == 0


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (421, "4.7.0 Try again later", True),
        (450, "4.7.1 Too many messages", True),
        (451, "Resources restricted: rate limit", True),
        (450, "4.2.1 The user is receiving mail too quickly", True),
        (451, "4.7.1 Greylisted, come again in five minutes", False),
        (452, "4.5.3 Too many recipients", False),
        (421, "4.4.2 idle for too long", False),
        (452, "4.2.2 The mailbox is full", False),
        (451, "4.3.0 please operate later", False),
        (550, "5.7.1 rate", False),
    ],
)
def test_what_is_said_of_our_speed_is_told_from_what_is_said_of_a_mailbox(
    code: int, words: str, expected: bool
) -> None:
    assert limits.says_too_fast(code, words) is expected


def test_quiet_hours_over_midnight_end_on_the_right_morning_when_clocks_change() -> None:
    # On the night to 28 March 2027 the hour after 02:00 is left out.
    evening = datetime(2027, 3, 27, 23, 0, tzinfo=ROME).astimezone(UTC)
    until = limits.quiet_until("22:00-07:00", ROME, evening)
    assert until == datetime(2027, 3, 28, 5, 0, tzinfo=UTC)
    assert limits.quiet_until("22:00-07:00", ROME, until) is None
    assert limits.quiet_until("", ROME, evening) is None


def test_quiet_hours_that_end_in_the_repeated_hour_end_after_now() -> None:
    # On the night to 25 October 2026 02:00 to 03:00 comes twice; this is in the second.
    now = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    until = limits.quiet_until("22:00-02:30", ROME, now)
    assert until == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert limits.quiet_until("22:00-02:30", ROME, until) is None


def test_a_warm_up_grows_day_by_day_and_ends() -> None:
    plan = limits.parse_warm_up(
        {"begins": "2026-07-15", "first_day": 100, "growth": 2, "until": 500}
    )
    assert plan
    days = [plan.on(date(2026, 7, day)) for day in (14, 15, 16, 17, 18)]
    assert days == [100, 100, 200, 400, None]


def test_a_warm_up_that_was_forgotten_in_the_settings_for_years_is_over() -> None:
    plan = limits.parse_warm_up({"begins": "2026-07-15", "growth": 3})
    assert plan
    assert plan.on(date(2029, 7, 15)) is None


def test_a_domains_part_of_a_warm_up_grows_with_it_and_ends_with_it() -> None:
    plan = limits.parse_warm_up(
        {"begins": "2026-07-15", "first_day": "100", "growth": "2", "until": "500", "posta.it": "5"}
    )
    assert plan
    days = [plan.to("posta.it", date(2026, 7, day)) for day in (14, 15, 16, 17, 18)]
    assert days == [5, 5, 10, 20, None]
    assert plan.to("altra.it", date(2026, 7, 15)) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("600/m", limits.Limit(Rate(10.0), None)),
        ("2 connections", limits.Limit(None, 2)),
        ("600/m 1 connection", limits.Limit(Rate(10.0), 1)),
        ({"connections": 2}, limits.Limit(None, 2)),
        ({"rate": "600/m", "connections": "3"}, limits.Limit(Rate(10.0), 3)),
    ],
)
def test_a_limit_names_a_rate_or_connections_or_both(written: Any, meant: limits.Limit) -> None:
    assert limits.parse_limit(written) == meant


@pytest.mark.parametrize(
    "written", [{}, {"connection": 2}, {"connections": 0}, "0 connections", {"connections": "two"}]
)
def test_a_limit_that_says_nothing_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"limit|literal"):
        limits.parse_limit(written)


# --- whole ----------------------------------------------------------------------------------------


def test_all_workers_together_obey_one_limit(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(RATE_LIMITS={"*": "60/m"}, BATCH_SIZE=50)
    digest = ready_digest(100)
    for _worker in range(3):
        send(digest, clock, budget=timedelta(seconds=10))
    # Thirty seconds, and the ten that may be in store at the beginning.
    assert 35 <= len(smtp.received) <= 41


def test_a_limit_for_one_provider_delays_nobody_else(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(RATE_LIMITS={"gmail.com": "2/h"})
    google = [f"a{number}@{'gmail.com' if number % 2 else 'googlemail.com'}" for number in range(6)]
    others = [f"b{number}@posta.example" for number in range(20)]
    digest = ready_digest([*google, *others])
    send(digest, clock)
    arrived = [mail.recipients[0] for mail in smtp.received]
    assert set(others) <= set(arrived)
    assert len(arrived) == 21, "one for both of Google's domains"
    waiting = Delivery.objects.filter(digest=digest, state="deferred")
    assert {row.reason for row in waiting} == {"pace"}
    assert {row.attempts for row in waiting} == {0}
    until = sorted(row.next_attempt_at - clock.now for row in waiting if row.next_attempt_at)
    assert until == [timedelta(minutes=30 * number) for number in range(1, 6)]
    for _half_hour in range(5):
        clock.forward(minutes=30)
        send(digest, clock)
    assert set(states(digest).values()) == {"sent"}
    assert len(smtp.received) == 26


def test_a_provider_that_says_too_fast_is_left_alone_for_a_while(
    ready_digest: Ready, smtp: ScriptedServer, clock: Clock
) -> None:
    smtp.answer("rcpt", "450 4.7.1 too many messages", match="@gmail.com", times=1)
    digest = ready_digest([f"a{n}@gmail.com" for n in range(5)] + ["b@posta.example"])
    send(digest, clock)
    assert [mail.recipients[0] for mail in smtp.received] == ["b@posta.example"]
    asked = [line for line in smtp.commands if line.startswith("RCPT") and "gmail" in line]
    # The second one's envelope was on its way with the message before it at the most.
    assert len(asked) <= 2
    assert [name for name, _until in resting(now=clock.now)] == ["gmail.com"]
    clock.forward(minutes=6)
    send(digest, clock)
    assert set(states(digest).values()) == {"sent"}


def test_an_issue_is_spread_over_the_time_its_newsletter_says(
    ready_digest: Ready, smtp: ScriptedServer, clock: Clock
) -> None:
    digest = ready_digest(120)
    Newsletter.objects.update(spread_minutes=60)
    sent = send_with_ticks(digest, clock, minutes=70)
    assert sent[-1] == 120
    assert 50 <= sent[29] <= 75, f"half of them at half time, not {sent[29]}"
    assert sent[49] < 120


def test_nothing_goes_in_quiet_hours_and_the_rest_in_the_morning(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(QUIET_HOURS="10:00-12:00", GRACE_HOURS=12)  # it is 11:00 in Rome
    digest = ready_digest(3)
    assert send(digest, clock).ended == "pace"
    assert smtp.received == []
    assert set(states(digest).values()) == {"pending"}
    clock.forward(hours=1)
    send(digest, clock)
    assert len(smtp.received) == 3


def test_a_digest_that_waits_its_turn_is_not_taken_for_a_stale_one(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(QUIET_HOURS="10:00-09:00", GRACE_HOURS=2)
    digest = ready_digest(3)
    for _hour in range(22):
        send(digest, clock)
        sweep(now=clock.now)
        clock.forward(hours=1)
    send(digest, clock)
    assert len(smtp.received) == 3
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT


def test_an_urgent_notice_goes_in_quiet_hours(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(QUIET_HOURS="10:00-12:00")
    digest = ready_digest(3)
    Newsletter.objects.update(kind=Newsletter.Kind.URGENT)
    send(digest, clock)
    assert len(smtp.received) == 3


def test_a_new_server_is_warmed_up(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(WARM_UP={"begins": "2026-07-15", "first_day": 10, "growth": 2, "until": 1000})
    digest = ready_digest(50)
    by_day = []
    for _day in range(3):
        for _round in range(3):
            send(digest, clock)
        by_day.append(len(smtp.received))
        clock.forward(days=1)
    assert by_day == [10, 30, 50]
    assert finish(digest.pk, now=clock.now) is False
    assert Digest.objects.get(pk=digest.pk).status == Digest.Status.SENT


def test_a_warm_up_may_give_one_provider_less_and_delays_nobody_else(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    # Named by another of its domains: the company is meant.
    plan = {"begins": "2026-07-15", "first_day": 50, "growth": 2, "until": 1000}
    configure(WARM_UP=plan | {"Googlemail.com": 2})
    large = [f"{number}@gmail.com" for number in range(6)]
    digest = ready_digest([*large, *(f"{number}@posta.example" for number in range(9))])
    by_day = []
    for _half_a_day in range(2):  # from the morning on
        for _hour in range(12):
            send(digest, clock)
            sweep(now=clock.forward(hours=1))
        by_day.append(sum("gmail" in one.recipients[0] for one in smtp.received))
        assert len(smtp.received) == 9 + by_day[-1]
    assert by_day == [2, 6]
    digest.refresh_from_db()
    assert digest.status == Digest.Status.SENT


def test_all_workers_together_send_what_is_left_of_a_warm_ups_day(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    plan = {"begins": "2026-07-15", "first_day": 30, "growth": 2, "until": 1000}
    configure(WARM_UP=plan, BATCH_SIZE=10)
    digest = ready_digest(90)
    taken = 0

    def stop() -> bool:
        nonlocal taken
        if len(smtp.received) == 15 and not taken:
            taken = 1
            send(digest, clock)  # another worker, in the midst of ours
        return False

    send(digest, clock, stop=stop)
    send(digest, clock)
    assert len(smtp.received) == 30


def test_what_a_sender_took_and_did_not_use_is_given_back(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(RATE_LIMITS={"*": "100/s"})
    digest = ready_digest(5)
    send(digest, clock)
    assert Throttle.objects.get(name="server").tokens == pytest.approx(995)
    assert Batch.objects.exclude(state=Batch.State.DONE).count() == 0
    assert forget_unused(now=clock.now + timedelta(days=3)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"RATE_LIMITS": {"*": "fast"}},
        {"QUIET_HOURS": "night"},
        {"WARM_UP": {"first_day": 3}},
        {"WARM_UP": {"begins": "2026-07-15", "groth": 2}},
        {"WARM_UP": {"begins": "2026-07-15", "posta.it": 0}},
        {"PAUSE_AT_REFUSALS": "many"},
    ],
)
def test_limits_that_cannot_be_understood_let_nothing_out(
    ready_digest: Ready,
    smtp: ScriptedServer,
    configure: Configure,
    clock: Clock,
    wrong: dict[str, Any],
) -> None:
    digest = ready_digest(2)
    configure(**wrong)
    assert send(digest, clock).ended == "settings"
    assert smtp.received == []
    digest.refresh_from_db()
    assert "not clear" in digest.status_reason
    assert "newsletter.E009" in {found.id for found in run_checks()}


def test_without_limits_a_mail_costs_no_look_at_them(
    ready_digest: Ready, smtp: ScriptedServer, clock: Clock
) -> None:
    digest = ready_digest(60)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        send(digest, clock)
    assert len(smtp.received) == 60
    looks = [query for query in queries if "throttle" in query["sql"]]
    assert len(looks) <= 1


def test_a_domain_whose_places_are_taken_holds_up_nobody_else_and_goes_on_when_one_is_free(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(RATE_LIMITS={"libero.it": {"connections": 1}})
    other = Slots({"domain libero.it": 1})
    assert other.take("domain libero.it", clock.now)
    digest = ready_digest(["a@libero.it", "b@virgilio.it", "c@posta.example"])
    send(digest, clock)
    assert [mail.recipients[0] for mail in smtp.received] == ["c@posta.example"]
    waiting = Delivery.objects.filter(digest=digest, state="deferred")
    assert {(row.reason, row.attempts) for row in waiting} == {("pace", 0)}
    clock.forward(seconds=4)
    send(digest, clock)
    assert len(smtp.received) == 1
    other.give_back()
    clock.forward(seconds=4)
    send(digest, clock)
    assert set(states(digest).values()) == {"sent"}
    assert not Slot.objects.exists(), "given back at the end of the round"


def test_the_place_of_a_sender_that_died_is_free_after_its_lease(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(RATE_LIMITS={"*": "1 connection"}, LEASE_SECONDS=120)
    assert Slots({"server": 1}).take("server", clock.now)
    digest = ready_digest(2)
    send(digest, clock, budget=timedelta(seconds=100))
    assert smtp.received == []
    clock.forward(seconds=30)
    send(digest, clock)
    assert len(smtp.received) == 2


def test_a_limit_of_connections_costs_other_domains_no_look(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(RATE_LIMITS={"libero.it": {"connections": 1}})
    digest = ready_digest(30)
    with CaptureQueriesContext(connection) as queries:
        send(digest, clock)
    assert len(smtp.received) == 30
    assert [one for one in queries if "newsletter_slot" in one["sql"]] == []


def test_a_digest_that_is_refused_too_often_pauses_until_a_person_resumes_it(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(PAUSE_AT_REFUSALS="3/10")
    smtp.answer("rcpt", "550 5.7.1 we do not like you", times=4)
    digest = ready_digest(30)
    assert send(digest, clock).ended == "paused"
    digest.refresh_from_db()
    assert digest.paused_at
    assert "more than 3 of the last 10" in digest.status_reason
    assert list(states(digest).values()).count("failed") == 4
    [alarm] = [one for one in send_alarms(now=clock.now) if one.kind == "paused"]
    assert "more than 3 of the last 10" in alarm.advice
    send(digest, clock)
    assert smtp.received == []
    assert resume(digest.pk, now=clock.now)
    send(digest, clock)
    assert len(smtp.received) == 26


def test_addresses_that_cannot_be_written_to_pause_nothing(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(PAUSE_AT_REFUSALS="3/10")
    smtp.answer("rcpt", "550 5.1.3 no such address can be", times=6)
    digest = ready_digest(30)
    send(digest, clock)
    digest.refresh_from_db()
    assert digest.paused_at is None
    assert list(states(digest).values()).count("failed") == 6
    assert len(smtp.received) == 24


def test_a_few_refusals_among_many_mails_pause_nothing(
    ready_digest: Ready, smtp: ScriptedServer, configure: Configure, clock: Clock
) -> None:
    configure(PAUSE_AT_REFUSALS="3/10")
    for number in (1, 2, 3, 14, 15, 16):
        smtp.answer("rcpt", "550 5.1.1 gone", match=f"persona{number}@")
    digest = ready_digest(30)
    send(digest, clock)
    assert len(smtp.received) == 24
    digest.refresh_from_db()
    assert digest.paused_at is None
