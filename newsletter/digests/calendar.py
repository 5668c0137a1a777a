"""An event as a calendar file (RFC 5545), on the clocks of the newsletter's own time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from newsletter import conf
from newsletter.digests.block_content import BlockContent

CONTENT_TYPE = "text/calendar; charset=utf-8"
_LINE = 75  # octets, the line end not among them (RFC 5545, 3.1)
_ENDLESS = timedelta(hours=1)  # how long an event lasts whose end nobody wrote


def calendar_file(event: BlockContent, *, time_zone: str, stamped: datetime) -> bytes:
    """A VCALENDAR with the one event and the VTIMEZONE it refers to; lines end in CRLF."""
    zone = ZoneInfo(time_zone)
    starts = datetime.fromisoformat(event.starts).astimezone(zone)
    ends = datetime.fromisoformat(event.ends).astimezone(zone) if event.ends else starts + _ENDLESS
    host = urlsplit(conf.site_url()).hostname or "bollettino"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Bollettino//Newsletter//IT",
        "CALSCALE:GREGORIAN",
        *_time_zone(time_zone, starts, ends),
        "BEGIN:VEVENT",
        f"UID:{event.id}@{host}",
        f"DTSTAMP:{stamped.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID={time_zone}:{starts:%Y%m%dT%H%M%S}",
        f"DTEND;TZID={time_zone}:{ends:%Y%m%dT%H%M%S}",
        f"SUMMARY:{_text(event.heading)}",
        *([f"LOCATION:{_text(event.place)}"] if event.place else []),
        *([f"DESCRIPTION:{_text(event.words)}"] if event.words else []),
        *([f"URL:{event.url}"] if event.url else []),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) for line in lines)


def _time_zone(name: str, starts: datetime, ends: datetime) -> Iterator[str]:
    """The zone's offsets from before the event until after it, each from its own instant on."""
    yield "BEGIN:VTIMEZONE"
    yield f"TZID:{name}"
    zone = ZoneInfo(name)
    first = datetime(starts.year - 1, 1, 1, tzinfo=UTC)
    yield from _observance(first, zone, before=first)
    for instant in _changes(zone, first, ends.astimezone(UTC) + timedelta(days=1)):
        yield from _observance(instant, zone, before=instant - timedelta(seconds=1))
    yield "END:VTIMEZONE"


def _changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants at which the zone's offset changes, to the second."""
    day = since
    while day < until:
        following = day + timedelta(days=1)
        if _offset(day, zone) != _offset(following, zone):
            low, high = day, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                same = _offset(middle, zone) == _offset(low, zone)
                low, high = (middle, high) if same else (low, middle)
            yield high.replace(microsecond=0)
        day = following


def _observance(instant: datetime, zone: ZoneInfo, *, before: datetime) -> Iterator[str]:
    local = instant.astimezone(zone)
    kind = "DAYLIGHT" if local.dst() else "STANDARD"
    old, new = _offset(before, zone), _offset(instant, zone)
    yield f"BEGIN:{kind}"
    # As the clocks showed it before they were changed (RFC 5545, 3.6.5).
    yield f"DTSTART:{(instant + old).replace(tzinfo=None):%Y%m%dT%H%M%S}"
    yield f"TZOFFSETFROM:{_hours(old)}"
    yield f"TZOFFSETTO:{_hours(new)}"
    yield f"TZNAME:{local.tzname()}"
    yield f"END:{kind}"


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _hours(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _text(value: str) -> str:
    """With what has a meaning of its own made harmless (RFC 5545, 3.3.11)."""
    for sign, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(sign, escaped)
    return value


def _folded(line: str) -> bytes:
    """The line with its end, folded between characters, never within one."""
    pieces: list[bytes] = []
    piece = b""
    for sign in line:
        encoded = sign.encode()
        if len(piece) + len(encoded) > _LINE:
            pieces.append(piece)
            piece = b" "
        piece += encoded
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
