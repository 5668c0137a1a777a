"""Schedules and audiences as one plain sentence."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.schedule import next_slot
from newsletter.digests.wording import inside_a_sentence

# Wagtail has no Italian for this one.
CONNECTION_LOST = gettext_noop(
    "Troubleshoot your connection to the site before proceeding. "
    "Open the editor in a separate tab to view the last saved version."
)


def schedule_sentence(newsletter: Newsletter) -> str:
    """ "Every week, on Thursday at 08:00"."""
    at = {"time": time_format(newsletter.send_at, "H:i")}
    days = sorted(int(day) for day in newsletter.weekdays) or list(range(7))
    match newsletter.frequency:
        case Newsletter.Frequency.DAILY if len(days) == 7:
            return _("Every day at %(time)s") % at
        case Newsletter.Frequency.DAILY:
            names = ", ".join(str(WEEKDAYS[day]) for day in days)
            return _("Every %(day)s at %(time)s") % (at | {"day": inside_a_sentence(names)})
        case Newsletter.Frequency.WEEKLY:
            name = str(WEEKDAYS[int((newsletter.weekdays or [0])[0])])
            return _("Every %(day)s at %(time)s") % (at | {"day": inside_a_sentence(name)})
        case Newsletter.Frequency.MONTHLY:
            return _("Every month, on day %(day)d at %(time)s") % (
                at | {"day": newsletter.month_day}
            )
        case _other:
            return _("Only when an editor sends it")


def moment_in_words(moment: datetime, newsletter: Newsletter) -> str:
    """ "Thursday 16 July, 08:00", on the clocks where the newsletter is at home."""
    local = moment.astimezone(ZoneInfo(newsletter.time_zone))
    return inside_a_sentence(date_format(local, _("l j F Y, H:i")))


def language_name(code: str) -> str:
    """ "Italian", in the language of whoever reads it."""
    return str(dict(Newsletter._meta.get_field("language").flatchoices).get(code, code.upper()))


_WHY_LEAD = {
    "note": gettext_noop("proposed because an editor wrote why it matters"),
    "picture": gettext_noop("proposed because it has a picture"),
    "theme": gettext_noop("proposed because its theme is the surest"),
    "newest": gettext_noop("proposed because it is the newest"),
}


def lead_sentence(draft: Digest) -> str:
    """Which article leads, and why; empty while the draft has none."""
    items = sorted(draft.items.all(), key=lambda item: item.sort_order or 0)
    shown = [item for item in items if not item.deferred]
    lead = next((item for item in shown if item.is_lead), None)
    if lead is None:
        return _("No article leads this issue.") if shown else ""
    why = _WHY_LEAD.get(lead.lead_reason)
    return _("The lead is “%(title)s”: %(why)s.") % {
        "title": lead.title or lead.article.display_title,
        "why": _(why) if why else _("chosen by an editor"),
    }


def coming_slots(newsletter: Newsletter, *, now: datetime, count: int = 4) -> list[str]:
    slots: list[str] = []
    after = now
    while len(slots) < count and (slot := next_slot(newsletter, after)):
        slots.append(moment_in_words(slot, newsletter))
        after = slot
    return slots
