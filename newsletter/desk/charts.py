"""Drawings of numbers over time, made here: no script, and words that say the same.

Patterns, dashes and names tell the series apart, so they read in grey. Across, everything is in
per cent and the writing keeps its size: one drawing serves a phone and a wide screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import floor, log10

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

HEIGHT = 150  # of the plot itself, in pixels
_TOP, _BELOW = 10, 36
_MARKS = 5  # names below the axis at most
_WIDEST = 7.0  # of a bar, in per cent


class Look(StrEnum):
    FULL = "full"
    HATCHED = "hatched"
    HOLLOW = "hollow"
    CROSSED = "crossed"
    DOTTED = "dotted"
    SOLID_LINE = "solid"
    DASHED_LINE = "dashed"


_LINES = (Look.SOLID_LINE, Look.DASHED_LINE)


@dataclass(frozen=True)
class Series:
    name: str
    numbers: Sequence[int | None]  # None: nobody knows
    look: Look = Look.FULL
    hangs: bool = False  # below the line, as what goes away

    @property
    def known(self) -> list[int]:
        return [number for number in self.numbers if number is not None]


@dataclass(frozen=True)
class Place:
    """A place on the axis: its name, and the little of it that stands below."""

    name: str
    mark: str
    year: str = ""


@dataclass(frozen=True)
class Chart:
    title: str
    places: Sequence[Place]
    series: Sequence[Series]
    sums: bool = True  # whether the numbers of all places together mean something
    height: int = HEIGHT
    highest: int = 0  # what the scale reaches at least: for drawings to be compared
    from_nought: bool = True  # where small changes of a large number count, it may begin higher

    @property
    def drawing(self) -> SafeString:
        return draw(self)

    @property
    def words(self) -> str:
        return in_words(self)

    @property
    def instead(self) -> str:
        """A sentence where a drawing would be an empty one; nothing where there is one to make."""
        known = [number for one in self.series for number in one.known]
        if any(known):
            return ""
        if not known:
            return _("Nobody knows for this period.")
        if len(known) < sum(len(one.numbers) for one in self.series):
            return _("None in this period, as far as is known.")
        return _("None in this period.")

    @property
    def keys(self) -> list[tuple[str, SafeString]]:
        """What the drawing's patterns mean; nothing to say where there is one series."""
        if len(self.series) == 1:
            return []
        return [(one.name, _key(one.look)) for one in self.series]


def in_words(chart: Chart) -> str:
    """ "Sent: 4,812 in all, at most 1,204 (N. 42). Refused: none. No figure for 2 of 9." """
    told = [f"{one.name}: {_told(one, chart)}." for one in chart.series]
    blank = len(_blanks(chart))
    if blank and any(one.known for one in chart.series):
        of = {"blank": blank, "all": len(chart.places)}
        told.append(_("No figure for %(blank)d of %(all)d: a dash stands there.") % of)
    return " ".join(told)


def _blanks(chart: Chart) -> list[int]:
    """The places where no series has a number."""
    return [
        place
        for place in range(len(chart.places))
        if all(one.numbers[place] is None for one in chart.series)
    ]


def _told(series: Series, chart: Chart) -> str:
    known = series.known
    if not known:
        return _("not known")
    most = max(known)
    if not most:
        return _("none")
    at = chart.places[list(series.numbers).index(most)].name
    if chart.sums:
        said = _("%(sum)s in all, at most %(most)s (%(at)s)")
    else:
        said = _("from %(first)s to %(last)s, at most %(most)s (%(at)s)")
    return said % {
        "sum": intcomma(sum(known)),
        "first": intcomma(known[0]),
        "last": intcomma(known[-1]),
        "most": intcomma(most),
        "at": at,
    }


def ticks(lowest: int, highest: int, *, steps: int = 4) -> list[int]:
    """Round numbers for an axis that holds both, few of them, none between whole ones."""
    span = max(highest - lowest, 1)
    rough = span / steps
    power = 10 ** floor(log10(rough)) if rough >= 1 else 1
    step = int(next(power * times for times in (1, 2, 5, 10) if power * times >= rough))
    first = lowest // step * step
    return list(range(first, highest + step, step)) if highest > first else [first, first + step]


@dataclass(frozen=True)
class _Scale:
    marks: Sequence[int]
    height: int

    @property
    def floor(self) -> int:
        return _TOP + self.height

    def y(self, number: float) -> float:
        low, high = self.marks[0], self.marks[-1]
        return _TOP + self.height * (high - number) / (high - low)


def draw(chart: Chart) -> SafeString:
    scale = _Scale(_marks_of(chart), chart.height)
    bars = [one for one in chart.series if one.look not in _LINES]
    lines = [one for one in chart.series if one.look in _LINES]
    parts = [_grid(scale), *_bars(bars, len(chart.places), scale)]
    parts += [_line(one, scale) for one in lines]
    parts += [_unknown(chart, scale), _axis(chart.places, scale)]
    return format_html(
        '<svg class="desk-chart" role="img" aria-label="{}" width="100%" height="{}">{}</svg>',
        chart.words if len(chart.series) == 1 else f"{chart.title}. {chart.words}",
        scale.floor + _BELOW,
        _joined(parts),
    )


def _marks_of(chart: Chart) -> list[int]:
    lines = [number for one in chart.series if one.look in _LINES for number in one.known]
    up, down = _tops(chart, hangs=False), _tops(chart, hangs=True)
    highest = max([*up, *lines, chart.highest])
    lowest = -max(down, default=0)
    # A bar's length is its number: with one, the scale begins at nought whatever is wanted.
    if lines and not up and not chart.from_nought and min(lines) * 2 > highest:
        lowest = min(lines)
    return ticks(lowest, highest, steps=4 if chart.height >= HEIGHT else 2)


def _tops(chart: Chart, *, hangs: bool) -> list[int]:
    stacks = [one.numbers for one in chart.series if one.look not in _LINES and one.hangs == hangs]
    return [sum(number or 0 for number in stack) for stack in zip(*stacks, strict=True)]


def _grid(scale: _Scale) -> SafeString:
    return format_html_join(
        "",
        '<line class="desk-chart__{}" x1="0" x2="100%" y1="{}" y2="{}"/>'
        '<text class="desk-chart__scale" x="-8" y="{}">{}</text>',
        (
            ("zero" if mark == 0 else "grid", *[f"{scale.y(mark):.1f}"] * 2,
             f"{scale.y(mark) + 4:.1f}", intcomma(abs(mark)))
            for mark in scale.marks
        ),
    )  # fmt: skip


def _bars(series: Sequence[Series], places: int, scale: _Scale) -> Iterable[SafeString]:
    """They stand on each other; those that hang do so from the line down."""
    step = 100 / max(places, 1)
    width = min(step * (0.72 if places <= 60 else 1), _WIDEST)
    tops = {True: [0] * places, False: [0] * places}
    for one in series:
        sign = -1 if one.hangs else 1
        rows = []
        for place, number in enumerate(one.numbers):
            if not number:
                continue
            reached = tops[one.hangs][place]
            tops[one.hangs][place] = reached + number
            edges = sorted((scale.y(sign * reached), scale.y(sign * (reached + number))))
            tall = max(edges[1] - edges[0], 1.5)  # one in a thousand is still seen
            left = (place + 0.5) * step - width / 2
            rows.append(
                (one.look, f"{left:.3f}%", f"{edges[0]:.1f}", f"{width:.3f}%", f"{tall:.1f}")
            )
        yield format_html_join(
            "", '<rect class="desk-bar desk-bar--{}" x="{}" y="{}" width="{}" height="{}"/>', rows
        )


def _line(series: Series, scale: _Scale) -> SafeString:
    count = max(len(series.numbers), 1)
    points = [
        (f"{(place + 0.5) * 100 / count:.3f}%", f"{scale.y(number):.1f}") if number is not None
        else None
        for place, number in enumerate(series.numbers)
    ]  # fmt: skip
    strokes = [(series.look, *one, *other) for one, other in pairwise(points) if one and other]
    dots = [(series.look, *point) for point in points if point] if count <= 60 else []
    return _joined(
        [
            format_html_join(
                "",
                '<line class="desk-line desk-line--{}" x1="{}" y1="{}" x2="{}" y2="{}"/>',
                strokes,
            ),
            format_html_join(
                "", '<circle class="desk-dot desk-dot--{}" cx="{}" cy="{}" r="2.5"/>', dots
            ),
        ]
    )


def _unknown(chart: Chart, scale: _Scale) -> SafeString:
    """A dash where no series has a number: a gap alone would look like a nought."""
    step = 100 / max(len(chart.places), 1)
    floor_at = scale.y(max(0, scale.marks[0])) - 6
    said = _("no figure")
    return format_html_join(
        "",
        '<text class="desk-chart__mark" x="{}" y="{}">–<title>{}: {}</title></text>',
        (
            (f"{(at + 0.5) * step:.3f}%", f"{floor_at:.1f}", chart.places[at].name, said)
            for at in _blanks(chart)
        ),
    )


def _axis(places: Sequence[Place], scale: _Scale) -> SafeString:
    step = 100 / max(len(places), 1)
    stride = -(-len(places) // _MARKS) or 1
    rows, year = [], ""
    for at in range(0, len(places), stride):
        x = f"{(at + 0.5) * step:.3f}%"
        rows.append((x, scale.floor + 16, places[at].mark))
        if places[at].year != year:
            year = places[at].year
            rows.append((x, scale.floor + 30, year))
    return format_html_join("", '<text class="desk-chart__mark" x="{}" y="{}">{}</text>', rows)


def _key(look: Look) -> SafeString:
    if look in _LINES:
        drawn = '<line class="desk-line desk-line--{}" x1="0" y1="7" x2="22" y2="7"/>'
    else:
        drawn = '<rect class="desk-bar desk-bar--{}" x="1" y="1" width="20" height="12"/>'
    inner = format_html(drawn, look)
    return format_html(
        '<svg class="desk-key" width="22" height="14" aria-hidden="true">{}</svg>', inner
    )


def patterns() -> SafeString:
    """What the bars are filled with: once on a page that has charts."""
    return mark_safe(
        '<svg class="desk-patterns" width="0" height="0" aria-hidden="true"><defs>'
        '<pattern id="desk-hatch" width="5" height="5" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><path class="desk-ink" d="M0 0v5"/></pattern>'
        '<pattern id="desk-cross" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><path class="desk-ink" d="M0 0v6M0 0h6"/></pattern>'
        '<pattern id="desk-dots" width="4" height="4" patternUnits="userSpaceOnUse">'
        '<circle class="desk-ink-dot" cx="2" cy="2" r="1"/></pattern></defs></svg>'
    )


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 -- each is escaped already
