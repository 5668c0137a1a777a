"""A year of a theme's suggestions as a drawing, made here: it reads in grey as well."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from newsletter.themes.decisions import Month

WIDTH, HEIGHT, LINE = 480, 120, 104


def year(months: Sequence[Month]) -> SafeString:
    """Full bars were right, hatched ones wrong, hollow ones missed; they stand on each other."""
    step = WIDTH / max(len(months), 1)
    highest = max((_all(month) for month in months), default=0) or 1
    right: list[str] = []
    wrong: list[str] = []
    missed: list[str] = []
    for place, month in enumerate(months):
        left, floor = place * step + 2, float(LINE)
        for count, paths in (
            (month.decided.confirmed, right),
            (month.decided.rejected, wrong),
            (month.decided.added, missed),
        ):
            if count:
                tall = max(count / highest * (LINE - 6), 2.0)
                paths.append(f"M{left:.1f} {floor:.1f}v-{tall:.1f}h{step - 4:.1f}v{tall:.1f}z")
                floor -= tall
    return format_html(
        '<svg class="desk-spark desk-spark--wide" role="img" aria-label="{}" viewBox="0 0 {} {}">'
        '<defs><pattern id="desk-hatch" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><path d="M0 0v5" class="desk-spark__hatch"/></pattern>'
        '</defs><path class="desk-spark__line" d="M0 {}.5h{}"/>'
        '<path class="desk-spark__bars" d="{}"/><path class="desk-spark__hatched" d="{}"/>'
        '<path class="desk-spark__hollow" d="{}"/></svg>',
        in_words(months), WIDTH, HEIGHT, LINE, WIDTH, "".join(right), "".join(wrong),
        "".join(missed),
    )  # fmt: skip


def _all(month: Month) -> int:
    return month.decided.confirmed + month.decided.rejected + month.decided.added


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
