"""Drawings of numbers over time, and the words that say the same."""

from __future__ import annotations

import re

import pytest

from newsletter.desk.charts import Chart, Look, Place, Series, draw, in_words, ticks

WEEKS = [Place("5 Jan 2026", "5 Jan", "2026"), Place("12 Jan 2026", "12 Jan", "2026")]


def bars(drawn: str) -> list[tuple[str, float, float]]:
    """Look, upper edge and height of each."""
    found = re.findall(
        r'desk-bar--(\w+)" x="[^"]+" y="([^"]+)" width="[^"]+" height="([^"]+)"', drawn
    )
    return [(look, float(top), float(tall)) for look, top, tall in found]


def test_bars_stand_on_each_other_and_differ_in_more_than_colour() -> None:
    chart = Chart("What came", WEEKS, [
        Series("Right", [60, 0]), Series("Wrong", [40, 0], Look.HATCHED),
    ])  # fmt: skip
    (first, first_top, first_tall), (second, second_top, second_tall) = bars(draw(chart))
    assert (first, second) == ("full", "hatched")
    assert first_top == pytest.approx(second_top + second_tall)
    assert first_tall / second_tall == pytest.approx(1.5)


def test_what_hangs_stands_below_the_line() -> None:
    chart = Chart("List", WEEKS, [
        Series("Joined", [10, 0]), Series("Left", [0, 10], Look.HATCHED, hangs=True),
    ])  # fmt: skip
    (_, joined_top, joined_tall), (_, left_top, _tall) = bars(draw(chart))
    assert left_top == pytest.approx(joined_top + joined_tall)


def test_one_in_thousands_is_still_seen() -> None:
    drawn = draw(Chart("Sent", WEEKS, [Series("Sent", [90_000, 1])]))
    assert [tall for _look, _top, tall in bars(drawn)][1] >= 1


def test_what_nobody_knows_is_a_dash_that_is_told_and_no_nought() -> None:
    chart = Chart("Returned", WEEKS, [Series("Gone", [None, 3])])
    drawn = draw(chart)
    assert drawn.count(">–<title>5 Jan 2026: no figure</title></text>") == 1
    assert len(bars(drawn)) == 1
    told = "Gone: 3 in all, at most 3 (12 Jan 2026). No figure for 1 of 2: a dash stands there."
    assert chart.words == told
    assert told in drawn


def test_a_line_is_broken_where_nobody_knows() -> None:
    places = [Place(str(n), str(n)) for n in range(5)]
    chart = Chart("Size", places, [Series("Size", [5, 6, None, 8, 9], Look.SOLID_LINE)])
    assert draw(chart).count('class="desk-line ') == 2
    assert draw(chart).count('class="desk-dot ') == 4


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (0, 0, [0, 1]),
        (0, 1, [0, 1]),
        (0, 4, [0, 1, 2, 3, 4]),
        (0, 1258, [0, 500, 1000, 1500]),
        (-12, 31, [-20, 0, 20, 40]),
        (1208, 1258, [1200, 1220, 1240, 1260]),
        (5, 5, [5, 6]),
    ],
)
def test_an_axis_has_round_numbers(lowest: int, highest: int, expected: list[int]) -> None:
    assert ticks(lowest, highest) == expected


def test_the_words_say_what_the_drawing_shows() -> None:
    chart = Chart("Mails", WEEKS, [Series("Sent", [1200, 1300]), Series("Refused", [0, 0])])
    assert in_words(chart) == "Sent: 2,500 in all, at most 1,300 (12 Jan 2026). Refused: none."
    assert 'role="img" aria-label="Mails. Sent: 2,500 in all' in draw(chart)
    size = Chart("Size", WEEKS, [Series("People", [10, 12], Look.SOLID_LINE)], sums=False)
    assert size.words == "People: from 10 to 12, at most 12 (12 Jan 2026)."


def test_a_line_may_begin_higher_than_nought_and_a_bar_never() -> None:
    def scale(look: Look, *, from_nought: bool = False) -> list[str]:
        series = [Series("Size", [1208, 1258], look)]
        drawn = draw(Chart("Size", WEEKS, series, from_nought=from_nought))
        return re.findall(r'desk-chart__scale"[^>]*>([^<]+)<', drawn)

    assert scale(Look.SOLID_LINE) == ["1,200", "1,220", "1,240", "1,260"]
    assert scale(Look.SOLID_LINE, from_nought=True)[0] == "0"
    assert scale(Look.FULL)[0] == "0"


def test_drawings_to_be_compared_have_one_scale() -> None:
    small = Chart("A", WEEKS, [Series("A", [1, 1])], height=64, highest=100)
    assert ">100</text>" in draw(small)


def test_names_on_the_axis_are_few_and_what_people_wrote_is_escaped() -> None:
    many = [Place(f"{n}", f"<{n}>", "2026") for n in range(300)]
    drawn = draw(Chart("<b>", many, [Series("<i>", [1] * 300)]))
    assert drawn.count("&lt;") <= 8
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert "<svg" in draw(Chart("Nothing", [], [Series("None", [])]))


def test_a_sentence_stands_where_a_drawing_would_be_empty() -> None:
    def instead(*numbers: int | None) -> str:
        return Chart("Failed", WEEKS, [Series("Failed", numbers)]).instead

    assert instead(0, 0) == "None in this period."
    assert instead(None, 0) == "None in this period, as far as is known."
    assert instead(None, None) == "Nobody knows for this period."
    assert instead(0, 1) == ""
