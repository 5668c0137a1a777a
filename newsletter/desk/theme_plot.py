"""A year of what editors decided about a theme's suggestions, as a drawing and in words."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _

from newsletter.desk.charts import Chart, Look, Place, Series
from newsletter.themes.decisions import Month


def year(months: Sequence[Month]) -> Chart:
    """Full bars were right, hatched ones wrong, hollow ones missed; they stand on each other."""
    places = [
        Place(
            formatted(month.first_day, "F Y"),
            formatted(month.first_day, "M"),
            str(month.first_day.year),
        )
        for month in months
    ]
    decided = [month.decided for month in months]
    return Chart(
        _("Over a year"),
        places,
        [
            Series(_("Suggestions confirmed"), [one.confirmed for one in decided]),
            Series(_("Suggestions rejected"), [one.rejected for one in decided], Look.HATCHED),
            Series(_("Added by hand"), [one.added for one in decided], Look.HOLLOW),
        ],
    )


def in_words(months: Sequence[Month]) -> str:
    return _(
        "In %(months)d months: %(right)d suggestions confirmed, %(wrong)d rejected, %(missed)d"
        " added by hand"
    ) % {
        "months": len(months),
        "right": sum(month.decided.confirmed for month in months),
        "wrong": sum(month.decided.rejected for month in months),
        "missed": sum(month.decided.added for month in months),
    }
