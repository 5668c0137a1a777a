"""The clock, daylight saving, several beats, a long downtime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.faults.bed import Bed, Field, Tally, must

_ROME = ZoneInfo("Europe/Rome")
# When clocks change in Europe/Rome: 02:30 is left out on the first, comes twice on the second.
_SPRING, _AUTUMN = datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 10, 31, tzinfo=UTC)


def daylight_saving(field: Field) -> Tally:
    """A newsletter for 02:30 each night, three beats at once every half hour, over both changes."""
    total = Tally()
    for change, local in ((_SPRING, "03:00"), (_AUTUMN, "02:30")):
        with field.bed() as bed:
            bed.order("schedule", at="02:30")
            now = change - timedelta(hours=26)
            while now < change + timedelta(hours=5):
                if now.hour % 6 == 0 and now.minute == 0:
                    bed.order("publish", now=now.isoformat())
                _beats(bed, now)
                now += timedelta(minutes=30)
            slots = [datetime.fromisoformat(slot) for slot, _status in bed.order("slots")["slots"]]
            nights = [slot.astimezone(_ROME) for slot in slots]
            days = [night.date() for night in nights]
            must(len(days) == len(set(days)), f"two digests in one night: {nights}")
            must(change.date() in days, f"the night of the change has none: {nights}")
            that = next(night for night in nights if night.date() == change.date())
            must(f"{that:%H:%M}" == local and that.fold == 0, f"it was for {that}")
            total += Tally(messages=len(slots))
    total.remarks.append("the missing hour's went at 03:00, the repeated one's at the first")
    return total


def two_beats(field: Field) -> Tally:
    """Four beats ring for the same slot at the same moment, and four senders send it."""
    with field.bed() as bed:
        bed.order("schedule", at="08:00")
        morning = datetime.now(_ROME).replace(hour=8, minute=0, second=0, microsecond=0)
        if morning > datetime.now(_ROME):
            morning -= timedelta(days=1)
        bed.order("publish", now=(morning - timedelta(hours=3)).isoformat())
        for minutes in (-50, -20, 0, 1):
            _beats(bed, morning + timedelta(minutes=minutes), number=4)
        slots = bed.order("slots")["slots"]
        must(len(slots) == 1, f"one slot, but {slots}")
        total = Tally()
        if slots[0][1] == "sending":
            pids = [bed.spawn("send", digest=1) for _ in range(4)]
            for pid in pids:
                bed.wait(pid)
            total = bed.count(1)
        must(slots[0][1] == "sending", f"it did not start: {slots}")
    return total


def a_long_downtime(field: Field) -> Tally:
    """Nothing ran from before the slot until long after it: a person decides."""
    with field.bed() as bed:
        digest = bed.digest(20, approved=False)
        bed.run("approve", digest=digest)
        later = datetime.now(UTC) + timedelta(hours=20)
        bed.run("tick", now=later.isoformat())
        bed.run("send", digest=digest, ahead=20 * 60)
        must(not bed.smtp.received, "mails went out 20 hours late by themselves")
        must(bed.report(digest)["status"] == "held", "the digest is not held")
        bed.order("control", word="send_now", digest=digest)
        return bed.finish(digest)


def _beats(bed: Bed, now: datetime, number: int = 3) -> None:
    pids = [bed.spawn("tick", now=now.astimezone(UTC).isoformat()) for _ in range(number)]
    for pid in pids:
        bed.wait(pid)
