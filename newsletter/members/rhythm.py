"""When a newsletter comes, in a sentence a member would say."""

from __future__ import annotations

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.digests.models import Newsletter
from newsletter.members.models import Selection, Subscription
from newsletter.members.subscriptions import is_all
from newsletter.themes.models import Theme

_EVERY = [
    gettext_lazy("every Monday"),
    gettext_lazy("every Tuesday"),
    gettext_lazy("every Wednesday"),
    gettext_lazy("every Thursday"),
    gettext_lazy("every Friday"),
    gettext_lazy("every Saturday"),
    gettext_lazy("every Sunday"),
]
_WORKING_DAYS = [0, 1, 2, 3, 4]


def rhythm(newsletter: Newsletter) -> str:
    """`every Thursday at 8:00`, in the language in force; no capital, no full stop."""
    if newsletter.kind == Newsletter.Kind.URGENT:
        return _("only when it is urgent")
    days = _days(newsletter)
    if not days:
        return _("now and then")
    # A newsletter that was just made may hold its time as it was typed.
    at = Newsletter._meta.get_field("send_at").to_python(newsletter.send_at)
    return _("%(days)s at %(time)s") % {"days": days, "time": formats.time_format(at, "G:i")}


def sentence(subscription: Subscription) -> dict[str, object]:
    """What comes, when and about what, as a person would say it."""
    return {
        "name": subscription.newsletter.name,
        "rhythm": rhythm(subscription.newsletter),
        "about": about(subscription.selection),
    }


def about(selection: Selection) -> str:
    """`only about Health, Pensions`, or `about all themes`; empty on a site that has none."""
    chosen = set(selection.theme_ids)
    themes = list(Theme.objects.all())
    active = {theme.pk for theme in themes if theme.is_active}
    if not chosen or is_all(chosen, active):
        return _("about all themes") if active else ""
    names = ", ".join(theme.local_name for theme in themes if theme.pk in chosen)
    # Nothing is sent about a theme that was deleted: it must not look as if everything were.
    return _("only about %(themes)s") % {"themes": names or _("themes that are gone: choose again")}


def _days(newsletter: Newsletter) -> str:
    weekdays = sorted({day for day in newsletter.weekdays or [] if day in range(7)})
    match newsletter.frequency:
        case Newsletter.Frequency.DAILY if len(weekdays) in (0, 7):
            return _("every day")
        case Newsletter.Frequency.DAILY if weekdays == _WORKING_DAYS:
            return _("from Monday to Friday")
        case Newsletter.Frequency.DAILY:
            return ", ".join(str(_EVERY[day]) for day in weekdays)
        case Newsletter.Frequency.WEEKLY:
            return str(_EVERY[weekdays[0] if weekdays else 0])
        case Newsletter.Frequency.MONTHLY if newsletter.month_day == 1:
            return _("on the first day of every month")
        case Newsletter.Frequency.MONTHLY if newsletter.month_day == 31:
            return _("on the last day of every month")
        case Newsletter.Frequency.MONTHLY:
            return _("on day %(day)d of every month") % {"day": newsletter.month_day}
        case _:
            return ""
