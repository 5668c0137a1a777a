"""What holds an issue back while it goes out, in an editor's words."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.delivery.pace.limits import quiet_until
from newsletter.delivery.pace.pace import SERVER, resting
from newsletter.digests.models import Digest, Newsletter


def held_back_words(digest: Digest, *, now: datetime) -> list[str]:
    """A sentence for each: spread over some time, quiet hours, a server that wants a rest."""
    newsletter = digest.newsletter
    words: list[str] = []
    if minutes := newsletter.spread_minutes:
        words.append(
            ngettext(
                "It is spread over %(minutes)d minute.",
                "It is spread over %(minutes)d minutes.",
                minutes,
            )
            % {"minutes": minutes}
        )
    hours = "" if newsletter.kind == Newsletter.Kind.URGENT else str(conf.get("QUIET_HOURS"))
    if until := quiet_until(hours, newsletter.zone, now):
        words.append(_("Quiet hours: it goes on at %(time)s.") % {"time": _clock(until)})
    for name, rests_until in resting(now=now):
        shown = {"name": name, "time": _clock(rests_until)}
        if name == SERVER:
            words.append(_("The mail server asked for a rest: it goes on at %(time)s.") % shown)
        else:
            words.append(
                _("%(name)s takes no more mails for now: those go on at %(time)s.") % shown
            )
    return words


def _clock(moment: datetime) -> str:
    return str(time_format(localtime(moment), "TIME_FORMAT"))
