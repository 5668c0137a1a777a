"""What holds an issue back while it goes out, in an editor's words."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ImproperlyConfigured
from django.utils.formats import number_format, time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.delivery.forecast import Forecast, Why
from newsletter.delivery.pace.limits import Limit, quiet_until
from newsletter.delivery.pace.pace import (
    SERVER,
    check_limits,
    configured_limits,
    quiet_hours,
    resting,
)
from newsletter.delivery.pace.warm_up import left_today, left_today_to
from newsletter.desk.sentences import moment_in_words
from newsletter.digests.models import Digest, Newsletter

FEW_AN_HOUR = 10  # below that a limit is told by the day: five a day are not one an hour


def held_back_words(digest: Digest, rest: Forecast, *, now: datetime) -> list[str]:
    """A sentence for each: when the rest goes on, quiet hours, limits, a server at rest …"""
    try:
        check_limits()
    except ImproperlyConfigured:
        return []  # nothing goes out by them: the page says so where it says what went wrong
    newsletter = digest.newsletter
    words = _goes_on(rest, newsletter)
    if minutes := newsletter.spread_minutes:
        words.append(
            ngettext(
                "It is spread over %(minutes)d minute.",
                "It is spread over %(minutes)d minutes.",
                minutes,
            )
            % {"minutes": minutes}
        )
    if until := quiet_until(quiet_hours(newsletter), newsletter.zone, now):
        words.append(_("Quiet hours: it goes on at %(time)s.") % {"time": _clock(until)})
    words += _of_the_settings(newsletter, now)
    for name, rests_until in resting(now=now):
        shown = {"name": name, "time": _clock(rests_until)}
        if name == SERVER:
            words.append(_("The mail server asked for a rest: it goes on at %(time)s.") % shown)
        else:
            words.append(
                _("%(name)s takes no more mails for now: those go on at %(time)s.") % shown
            )
    return words


def _goes_on(rest: Forecast, newsletter: Newsletter) -> list[str]:
    """What waits for a moment that no other sentence names."""
    if rest.goes_on_at is None:
        return []
    shown = {
        "number": number_format(rest.waiting, force_grouping=True),
        "when": moment_in_words(rest.goes_on_at, newsletter),
    }
    match rest.why:
        case Why.DAY if rest.stands_still:
            return [_("Today’s mails of the warm-up are out: it goes on %(when)s.") % shown]
        case Why.DAY:
            said = ngettext(
                "%(number)s reader waits for the warm-up’s next day: %(when)s.",
                "%(number)s readers wait for the warm-up’s next day: %(when)s.",
                rest.waiting,
            )
            return [said % shown]
        case Why.LIMIT:
            return [_("By the limits the next mail goes %(when)s.") % shown]
        case Why.RETRY:
            said = ngettext(
                "%(number)s mail is to be tried again: %(when)s.",
                "%(number)s mails are to be tried again, the first %(when)s.",
                rest.waiting,
            )
            return [said % shown]
        case _other:
            return []


def _of_the_settings(newsletter: Newsletter, now: datetime) -> list[str]:
    known = configured_limits()
    words: list[str] = []
    if (today := left_today(newsletter, now=now)) is not None:
        left, most = today
        words.append(
            _("A new server is warmed up: today %(most)s mails may go, %(left)s are left.")
            % {"most": most, "left": left}
        )
    for domain, (left, most) in left_today_to(newsletter, now=now).items():
        words.append(
            _("Of these to %(domain)s: %(most)s today, %(left)s are left.")
            % {"domain": domain, "most": most, "left": left}
        )
    if everybody := known.pop(SERVER, None):
        words.append(_("The site’s limit: %(limit)s.") % {"limit": _limit_words(everybody)})
    words += [
        _("The limit for %(domain)s: %(limit)s.")
        % {"domain": name.removeprefix("domain "), "limit": _limit_words(limit)}
        for name, limit in sorted(known.items())
    ]
    return words


def _limit_words(limit: Limit) -> str:
    parts: list[str] = []
    if limit.rate:
        number = round(limit.rate.per_second * 3600)
        said = ngettext("%(number)s mail an hour", "%(number)s mails an hour", number)
        if number < FEW_AN_HOUR:
            number = round(limit.rate.per_second * 86_400)
            said = ngettext("%(number)s mail a day", "%(number)s mails a day", number)
        parts.append(said % {"number": number_format(number, force_grouping=True)})
    if limit.connections:
        parts.append(
            ngettext("%(number)d sender at once", "%(number)d senders at once", limit.connections)
            % {"number": limit.connections}
        )
    return ", ".join(parts)


def _clock(moment: datetime) -> str:
    return str(time_format(localtime(moment), "TIME_FORMAT"))
