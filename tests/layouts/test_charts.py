"""Charts: what is in them is what was given, in the language's numbers, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest

from lawang.domain.kpi import Combine, Direction, Grey, Light
from lawang.domain.programme import Annotation
from lawang.kpi.evaluate import TrendPoint
from lawang.kpi.explain import Part
from lawang.overview.model import Gap, Standing
from layouts.charts import axes
from layouts.charts.bullet import bullets
from layouts.charts.calendar import calendar
from layouts.charts.course import course
from layouts.charts.multiples import multiples
from layouts.charts.parts import parts
from layouts.charts.ranking import ranking
from layouts.charts.trend import edges, trend
from layouts.charts.waterfall import Step, waterfall
from layouts.words import words
from tests.layouts.values import (
    HOSTILE,
    LAST,
    district,
    districts,
    forecast,
    kpi,
    money,
    points,
    value,
)

SAY = words("id")
ENGLISH = words("en")


def lines(figure: go.Figure) -> list[go.Scatter]:
    """The traces that one can point at."""
    return [each for each in figure.data if each.hoverinfo != "skip"]


def texts(figure: go.Figure) -> Iterator[str]:
    """Every text in a figure."""

    def within(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for each in value.values():
                yield from within(each)
        elif isinstance(value, list | tuple):
            for each in value:
                yield from within(each)

    return within(figure.to_dict())


# --- trend ----------------------------------------------------------------------------------------


def test_a_trend_breaks_where_days_are_missing() -> None:
    known = [*points(0.8, 0.9, last=date(2026, 11, 10)), *points(0.7, 0.95)]
    (line, *_) = lines(trend(known, kpi(), SAY))
    assert list(line.y) == [0.8, 0.9, None, 0.7, 0.95]
    assert line.x[2] is None


def test_points_that_come_monthly_are_one_line() -> None:
    monthly = [TrendPoint(date(2026, month, 28), 0.8, 0.9, 1) for month in (8, 9, 10)]
    (line, *_) = lines(trend(monthly, kpi(due="month"), SAY))
    assert list(line.y) == [0.8, 0.8, 0.8]


def test_nought_is_drawn_and_what_has_no_value_is_not() -> None:
    (line, *_) = lines(trend(points(0.0, None, 0.5), kpi(), SAY))
    assert list(line.y) == [0.0, None, 0.5]


def test_pointing_at_a_day_tells_value_day_target_and_cohort() -> None:
    (line, *_) = lines(trend(points(0.875), kpi(), SAY))
    assert line.customdata[0] == "<b>87,5%</b><br>21 Nov 2026<br>target 90%<br>n = 10"


def test_days_that_miss_their_target_have_a_symbol_of_their_own() -> None:
    figure = trend(points(0.95, 0.85, 0.5), kpi(), SAY)
    marked = {
        each.marker.symbol: list(each.y)
        for each in figure.data
        if each.mode == "markers" and each.marker.symbol
    }
    assert marked == {"diamond": [0.85], "triangle-up": [0.5]}


def test_the_band_lies_above_the_target_where_more_is_better_and_below_where_less_is() -> None:
    assert edges(kpi(green=1.0, amber=0.9), 0.8) == pytest.approx((0.8, 0.72))
    assert edges(kpi(direction=Direction.DOWN, green=1.0, amber=0.8), 40) == pytest.approx((40, 50))


def test_a_trend_without_a_target_has_no_band() -> None:
    figure = trend(points(0.8, 0.9, target=None), kpi(target=None), SAY)
    assert len(figure.data) == 1


def test_a_simulated_target_says_so() -> None:
    figure = trend(points(0.8), kpi(simulated_target=True), SAY)
    assert "Target (simulasi)" in [each.name for each in figure.data]


def test_gaps_and_outages_are_shaded_at_their_days() -> None:
    known = points(*[0.9] * 30)
    figure = trend(
        known,
        kpi(),
        SAY,
        gaps=[Gap(first=date(2026, 11, 2), last=date(2026, 11, 3))],
        outages=[(date(2026, 11, 10), date(2026, 11, 10))],
    )
    assert [(each.x0, each.x1) for each in figure.layout.shapes] == [
        ("2026-11-01 12:00", "2026-11-03 12:00"),
        ("2026-11-09 12:00", "2026-11-10 12:00"),
    ]


def test_a_note_outside_of_the_trend_is_left_out() -> None:
    note = Annotation(first=date(2025, 1, 1), last=date(2025, 1, 2), text_id="lama", text_en="old")
    assert trend(points(0.9, 0.9), kpi(), SAY, notes=[note]).layout.annotations == ()


def test_a_note_is_told_with_its_days_and_that_it_is_simulated() -> None:
    note = Annotation(first=LAST, last=LAST, text_id="banjir", text_en="flood", simulated=True)
    (written,) = trend(points(0.9, 0.9), kpi(), SAY, notes=[note]).layout.annotations
    assert written.hovertext == "21 Nov 2026: banjir (simulasi)"


def test_the_days_of_a_trend_are_labelled_by_the_locale() -> None:
    stops = trend(points(0.9, 0.9), kpi(), SAY).layout.xaxis.tickformatstops
    assert [each.value for each in stops] == ["%-d %b", "%b %Y", "%Y"]


# --- course ---------------------------------------------------------------------------------------


def year(until: date = date(2026, 10, 31)) -> list[TrendPoint]:
    first = date(2026, 1, 1)
    return [
        TrendPoint(first + timedelta(days=at), 2.6e9 * (at + 1), 1e12 * (at + 1) / 365, 1)
        for at in range((until - first).days + 1)
    ]


def test_the_curve_goes_on_to_the_end_of_the_year() -> None:
    curve = course(year(), money(), SAY).data[0]
    assert curve.x[-1] == date(2026, 12, 31)
    assert curve.y[-1] == pytest.approx(1e12)
    assert list(curve.x[-3:-1]) == [date(2026, 10, 31), date(2026, 11, 30)]


def test_a_forecast_is_a_point_and_its_interval_a_fan_in_words_and_form() -> None:
    *_, fan, ahead = course(year(), money(), SAY, forecast=forecast()).data
    assert list(fan.y) == [0.8e12, 1.02e12, 0.9e12, 0.8e12]
    assert fan.name == "selang 80%: Rp900 M sampai Rp1,02 T".replace(" M", "\u202fM").replace(
        " T", "\u202fT"
    )
    assert (ahead.x[-1], ahead.y[-1]) == (date(2026, 12, 31), 0.95e12)


def test_a_sum_begins_at_nought() -> None:
    assert course(year(), money(), SAY).layout.yaxis.range[0] == 0


# --- bullets --------------------------------------------------------------------------------------


def test_a_bullet_has_a_bar_as_long_as_its_score_and_the_symbol_of_its_light() -> None:
    rows = [(kpi(), value(0.72, light=Light.RED)), (kpi(), value(0.9, light=Light.GREEN))]
    figure = bullets(rows, SAY)
    scores = {
        each.marker.symbol: list(each.x) for each in figure.data if isinstance(each, go.Scatter)
    }
    assert scores == {"circle": [1.0], "triangle-up": [pytest.approx(0.8)]}


def test_a_grey_bullet_has_no_bar_but_says_that_it_does_not_count() -> None:
    figure = bullets([(kpi(), value(0.7, light=Light.GREY, grey=Grey.FEW))], SAY)
    bar, mark = figure.data[-2:]
    assert list(bar.x) == [0.0]
    assert mark.text == ("tidak dihitung",)


# --- waterfall ------------------------------------------------------------------------------------


def test_a_waterfall_adds_up_and_tells_up_and_down_by_arrows() -> None:
    steps = [
        Step("A", 1e12, whole=True),
        Step("B", -2e11),
        Step("C", 5e10),
        Step("D", 8.5e11, True),
    ]
    (bars,) = waterfall(steps, "Rp", ENGLISH).data
    assert list(bars.measure) == ["absolute", "relative", "relative", "absolute"]
    assert list(bars.text) == ["Rp1T", "▼ -Rp200B", "▲ +Rp50B", "Rp850B"]


def test_the_bars_of_a_waterfall_stand_on_nought() -> None:
    steps = [Step("A", 1e12, whole=True), Step("B", -1e10)]
    assert waterfall(steps, "Rp", SAY).layout.yaxis.range[0] == 0


def test_a_waterfall_below_nought_is_within_its_axis() -> None:
    low, high = waterfall([Step("A", 1e9, True), Step("B", -3e9)], "Rp", SAY).layout.yaxis.range
    assert low < -2e9
    assert high > 1e9


def test_a_narrow_waterfall_lies_down() -> None:
    (bars,) = waterfall([Step("A", 1.0, True)], "Rp", SAY, narrow=True).data
    assert bars.orientation == "h"


# --- calendar -------------------------------------------------------------------------------------


def test_a_day_is_in_the_row_of_its_weekday_and_the_column_of_its_week() -> None:
    (grid,) = calendar(points(0.95, 0.5), kpi(), SAY, last=LAST, weeks=3).data
    # 20 and 21 November 2026 are a Friday and a Saturday.
    filled = {
        (row, column): grid.text[row][column]
        for row in range(7)
        for column in range(3)
        if grid.z[row][column] is not None
    }
    assert filled == {(4, 2): "", (5, 2): "▲"}


def test_a_day_without_a_value_stays_empty() -> None:
    (grid,) = calendar(points(None, None), kpi(), SAY, last=LAST, weeks=3).data
    assert {cell for row in grid.z for cell in row} == {None}


def test_weekdays_and_months_are_the_language_s() -> None:
    figure = calendar(points(*[0.9] * 60), kpi(), SAY, last=LAST, weeks=53)
    assert figure.layout.yaxis.ticktext[:2] == ("Sen", "Sel")
    assert {"Mei", "Jan 2026"} <= set(figure.layout.xaxis.ticktext)


def test_a_leap_day_has_its_place() -> None:
    known = points(0.95, last=date(2028, 2, 29))
    (grid,) = calendar(known, kpi(), SAY, last=date(2028, 2, 29), weeks=1).data
    assert [row[0] is not None for row in grid.z] == [False, True, *[False] * 5]


# --- kecamatan ------------------------------------------------------------------------------------


def test_a_ranking_draws_values_with_their_intervals_and_symbols() -> None:
    found = {each.marker.symbol: each for each in ranking(districts(), kpi(), SAY).data}
    worse = found["triangle-up"]
    assert list(worse.x) == [0.6]
    assert list(worse.error_x.array) == [pytest.approx(0.1)]
    assert list(worse.error_x.arrayminus) == [pytest.approx(0.1)]
    assert found.keys() == {"triangle-up", "diamond", "circle", "circle-open"}


def test_a_kecamatan_without_a_value_keeps_its_row_and_has_no_point() -> None:
    figure = ranking(districts(), kpi(), SAY)
    assert figure.layout.yaxis.ticktext[-1] == "Kemuning"
    assert sum(len(each.x) for each in figure.data) == 4


def test_an_interval_that_is_not_known_is_not_drawn() -> None:
    found = districts()
    row = district("Plaju", 0.9, None, None, Standing.FEW)
    figure = ranking(type(found)(
        kpi="tepat", choices=(), city=found.city, rows=(row,), unplaced=0
    ), kpi(), SAY)  # fmt: skip
    assert list(figure.data[0].error_x.array) == [0.0]


def test_all_kecamatan_have_the_same_axes() -> None:
    trends = {"a": points(0.2, 0.3), "b": points(0.9, 1.0)}
    figure = multiples(trends, {"a": "A", "b": "B", "c": "C"}, kpi(), SAY, columns=2)
    ranges = {
        tuple(figure.layout[name].range) for name in figure.layout if name.startswith("yaxis")
    }
    assert len(ranges) == 1
    assert [each.text for each in figure.layout.annotations] == ["A", "B", "C"]


# --- parts ----------------------------------------------------------------------------------------


def part(name: str, amount: float) -> Part:
    return Part(key=name, name=name, value=amount, num=amount, den=1.0, n=3)


def test_parts_of_a_sum_that_are_too_many_are_one_bar() -> None:
    many = [part(f"p{at}", 100.0 - at) for at in range(25)]
    (bars,) = parts(many, money(), SAY).data
    assert len(bars.x) == 19
    assert bars.x[-1] == sum(100.0 - at for at in range(18, 25))


def test_shares_of_parts_are_never_added_up() -> None:
    many = [part(f"p{at}", 0.5) for at in range(25)]
    (bars,) = parts(many, kpi(), SAY).data
    assert len(bars.x) == 18


def test_bars_of_parts_begin_at_nought() -> None:
    figure = parts([part("a", 0.8), part("b", 0.9)], kpi(), SAY)
    assert figure.layout.xaxis.range[0] == 0


# --- all of them ----------------------------------------------------------------------------------


def figures(say: Any, name: str = "Nama") -> list[go.Figure]:
    indicator = kpi(name_id=name, name_en=name)
    sum_of = kpi(name_id=name, unit="Rp", combine=Combine.SUM, target=money().target)
    note = Annotation(first=LAST, last=LAST, text_id=name, text_en=name)
    found = districts()
    rows = (district(name, 0.8, 0.7, 0.9, Standing.SAME),)
    return [
        trend(points(0.8, 0.9), indicator, say, notes=[note]),
        course(year(), sum_of, say, forecast=forecast()),
        bullets([(indicator, value(0.8))], say),
        waterfall([Step(name, 1e12, True), Step(name, -1e10)], "Rp", say),
        calendar(points(0.8, 0.9), indicator, say, last=LAST),
        ranking(type(found)(kpi="k", choices=(), city=found.city, rows=rows, unplaced=0),
                indicator, say),
        multiples({"a": points(0.8, 0.9)}, {"a": name}, indicator, say),
        parts([part(name, 1.0), part("b", 2.0)], indicator, say),
    ]  # fmt: skip


@pytest.mark.parametrize("say", [SAY, ENGLISH], ids=["id", "en"])
def test_every_chart_has_the_template_and_the_marks_of_its_language(say: Any) -> None:
    separators = {(each.layout.separators, each.layout.height > 0) for each in figures(say)}
    assert separators == {(",." if say.language == "id" else ".,", True)}
    assert all(each.layout.template.layout.colorway for each in figures(say))


def test_no_chart_has_a_second_value_axis_or_a_pie() -> None:
    for figure in figures(SAY):
        assert "overlaying" not in figure.to_json()
        assert not any(isinstance(each, go.Pie) for each in figure.data)


def test_foreign_text_is_no_markup_in_any_chart() -> None:
    made = figures(SAY, HOSTILE)
    for figure in made:
        assert [text for text in texts(figure) if "<a" in text or "<b>x" in text] == []
    # All but the course and the calendar, which name nothing.
    assert sum(any("&lt;b&gt;" in text for text in texts(figure)) for figure in made) == 6


def test_charts_without_data_are_empty_and_stand() -> None:
    for figure in (trend([], kpi(), SAY), course([], money(), SAY), parts([], kpi(), SAY),
                   bullets([], SAY), calendar([], kpi(), SAY, last=LAST),
                   multiples({}, {}, kpi(), SAY)):  # fmt: skip
        assert figure.layout.height > 0


# --- axes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 1.4e12, [0.0, 5e11, 1e12]),
        (-3.0, 4.0, [-2.0, 0.0, 2.0, 4.0]),
        (0.62, 1.0, [0.7, 0.8, 0.9, 1.0]),
        (5.0, 5.0, [5.0]),
    ],
)
def test_ticks_are_round_and_within(low: float, high: float, wanted: list[float]) -> None:
    assert axes.value_ticks(low, high) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("amount", "unit", "language", "wanted"),
    [
        (0.9, "%", "id", "90%"),
        (1.2e12, "Rp", "id", "Rp1,2\u202fT"),
        (1.2e12, "Rp", "en", "Rp1.2T"),
        (2.5, "menit", "id", "2,5"),
        (12_000.0, "orang", "id", "12\u202frb"),
    ],
)
def test_ticks_speak_the_language(amount: float, unit: str, language: str, wanted: str) -> None:
    assert axes.tick_text(amount, unit, language) == wanted
