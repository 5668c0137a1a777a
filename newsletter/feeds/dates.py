"""Dates as feeds and people write them: RFC 822, ISO 8601, and words in several languages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

# Of Italian, English, German, French, Spanish, Portuguese, Dutch, Polish, Catalan, Swedish and
# Romanian; Danish and Norwegian are among them.
_MONTHS = {
    1: "jan january gen gennaio janv janvier ene enero jän jänner januar janeiro januari "
    "sty stycznia gener ian ianuarie",
    2: "feb february febb febbraio fev fevr févr fevrier février febrero februar fevereiro "
    "februari lut lutego febrer februarie",
    3: "mar march marzo mars mär mrz märz maerz maart mrt març março marco marca març marts martie",
    4: "apr april aprile avr avril abr abril kwi kwietnia aprilie",
    5: "may mag magg maggio mai mayo maio mei maj maja maig",
    6: "jun june giu giugno juin junio juni junho cze czerwca juny iun iunie",
    7: "jul july lug luglio juil juillet julio juli julho lip lipca juliol iul iulie",
    8: "aug august ago agosto aou aoû aout août augustus sie sierpnia augusti agost",
    9: "sep sept september set sett settembre septembre septiembre setembro wrz września setembre "
    "septembrie",
    10: "oct october ott ottobre octobre octubre okt oktober out outubro paź października "
    "octombrie",
    11: "nov november novembre noviembre novembro lis listopada noiembrie",
    12: "dec december dic dicembre déc decembre décembre diciembre dez dezember dezembro gru "
    "grudnia desembre decembrie",
}
_MONTH_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}
_MONTH_NAMES = "|".join(sorted(_MONTH_OF, key=len, reverse=True))

# Hours from UTC of the names that feeds use. Not exhaustive: an unknown name means UTC.
_ZONES = {
    "utc": 0, "gmt": 0, "ut": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "ist": 5.5,
    "cet": 1, "mez": 1, "met": 1, "cest": 2, "mesz": 2, "mest": 2, "eet": 2, "eest": 3,
    "msk": 3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7, "jst": 9, "aest": 10, "aedt": 11, "brt": -3, "art": -3, "akst": -9,
    "akdt": -8, "hst": -10, "awst": 8, "hkt": 8, "sgt": 8, "kst": 9, "nzst": 12, "nzdt": 13,
    "sast": 2, "trt": 3,
}  # fmt: skip

_CLOCK = r"(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:[.,]\d+)?"
_CLOCK_AND_ZONE = (
    rf"(?:[\s,T]+(?:[-–|]\s*)?(?:alle|ore|at|um|à|h)?\s*(?:ore\s+)?{_CLOCK}\s*(?P<half>[ap]\.?m\.?)?"
    r"\s*(?P<zone>(?:gmt|utc)?[+-]\d{1,2}:?\d{2}|(?:gmt|utc)[+-]\d{1,2}|[a-z]{1,5}\b)?)?"
)
# "13 agosto 2025", "1° maggio 2025", "13-Aug-2025 08:30:00 +0200", "13. August 2025"
_DAY_FIRST = re.compile(
    rf"(?<!\d)(?P<day>\d{{1,2}})(?:°|º|\.|st|nd|rd|th|er)?[\s\-/]+(?:de\s+|d['’])?(?P<month>{_MONTH_NAMES})\b\.?"
    rf"[\s\-/,]+(?:de\s+)?(?P<year>\d{{4}}|'?\d{{2}}(?!\d))(?!\d){_CLOCK_AND_ZONE}",
    re.IGNORECASE,
)
# "August 13, 2025"
_MONTH_FIRST = re.compile(
    rf"\b(?P<month>{_MONTH_NAMES})\b\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?!\d)"
    rf"{_CLOCK_AND_ZONE}",
    re.IGNORECASE,
)
# "2025-08-13T08:30:00+02:00", "20250813T083000Z"
_ISO = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?P<sep>[-/.]?)(?P<month>\d{2})(?P=sep)(?P<day>\d{2})(?!\d)"
    r"(?:[T\s]+(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?(?:[.,]\d+)?"
    r"\s*(?P<half>)(?P<zone>[+-]\d{2}:?\d{2}|[+-]\d{2}\b|[a-z]{1,5}\b)?)?",
    re.IGNORECASE,
)
# "2025-8-3 8:30"
_ISO_LOOSELY = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})(?!\d)"
    rf"{_CLOCK_AND_ZONE}",
    re.IGNORECASE,
)
# "13/08/2025", "13.8.25": day before month, as most of the world writes.
_NUMERIC = re.compile(
    r"(?<![\d/.\-])(?P<day>\d{1,2})(?P<sep>[/.\-])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})(?![\d/]|\.\d)"
    rf"{_CLOCK_AND_ZONE}",
    re.IGNORECASE,
)
_FORMS = (_DAY_FIRST, _MONTH_FIRST, _ISO, _ISO_LOOSELY, _NUMERIC)
_MONTH = re.compile(
    rf"\b(?P<month>{_MONTH_NAMES})\b\.?\s+(?:de\s+)?(?P<year>(?:19|20)\d{{2}})\b", re.I
)
# Seconds or milliseconds since 1970, from 2001 on; and "20250813083000".
_EPOCH = re.compile(r"(?P<seconds>1\d{9})(?:\d{3})?$")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$")
# Before the web nothing was published on it; a zero date of a database lies before this too.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def parse_date(text: str) -> datetime | None:
    """The moment `text` names, in UTC; None when it names none. Never "now" for want of better.

    A time without a zone is taken as UTC, a date without a time as its midnight.
    """
    text = text.strip()[:100]
    if found := _EPOCH.match(text):
        return datetime.fromtimestamp(int(found["seconds"]), UTC)
    if found := _DIGITS.match(text):
        text = "{}-{}-{}T{}:{}:{}".format(*found.groups())
    for form in _FORMS:
        found = form.search(text)
        if found and (moment := _moment(found)):
            return moment
    return None


def find_date(text: str) -> tuple[date, tuple[int, int]] | None:
    """The first calendar date in running text, and where it stands."""
    best: tuple[date, tuple[int, int]] | None = None
    for form in _FORMS:
        for found in form.finditer(text):
            moment = _moment(found)
            if moment and (best is None or found.start() < best[1][0]):
                naive_end = found.end("year") if form is not _ISO else found.end("day")
                day = date(moment.year, moment.month, moment.day)
                best = (day, (found.start(), max(naive_end, found.end("day"))))
                break
    return best


def find_month(text: str) -> tuple[date, tuple[int, int]] | None:
    """The first "agosto 2025" in running text, as its first day, and where it stands."""
    found = _MONTH.search(text)
    if found is None:
        return None
    return date(int(found["year"]), _MONTH_OF[found["month"].lower()], 1), found.span()


def _moment(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    digits = parts["year"].strip("'")
    year = int(digits)
    if len(digits) == 2:
        year += 1900 if year >= 90 else 2000
    month, day = parts["month"].lower(), int(parts["day"])
    if month.isdigit() and int(month) > 12 >= day:
        month, day = str(day), int(month)  # "8/13/2025", as Americans write
    hour = int(parts.get("hour") or 0)
    if (half := (parts.get("half") or "").lower()) and hour <= 12:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    try:
        local = datetime(
            year,
            int(month) if month.isdigit() else _MONTH_OF[month],
            day,
            hour % 24,
            int(parts.get("minute") or 0),
            min(int(parts.get("second") or 0), 59),  # a leap second is not a datetime
            tzinfo=_zone(parts.get("zone") or ""),
        )
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError, KeyError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def _zone(name: str) -> timezone:
    name = name.lower()
    if found := re.search(r"([+-])(\d{1,2}):?(\d{2})?$", name):
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        if minutes >= 24 * 60:
            return UTC
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    return timezone(timedelta(hours=_ZONES.get(name, 0)))
