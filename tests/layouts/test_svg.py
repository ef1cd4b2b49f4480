"""The charts that the server draws: what is known is drawn in its place, the rest is not."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
from markupsafe import Markup

from lawang.domain.kpi import Direction, Light
from lawang.kpi.evaluate import TrendPoint
from layouts import svg
from layouts.svg.bands import thresholds
from layouts.svg.marks import extent, months, runs, ticks

FIRST = date(2026, 10, 1)
HOSTILE = '<script>alert("x")</script>'


def _points(*values: float | None, target: float | None = 10.0) -> list[TrendPoint]:
    return [
        TrendPoint(FIRST + timedelta(days=number), value, target, 5)
        for number, value in enumerate(values)
    ]


def _parsed(chart: Markup) -> ET.Element:
    """Every chart is one well-formed element."""
    return ET.fromstring(str(chart))


def _one(chart: Markup, kind: str) -> ET.Element:
    found = [each for each in _parsed(chart).iter() if each.get("class") == kind]
    assert len(found) == 1, (kind, str(chart))
    return found[0]


def _spark(
    points: list[TrendPoint], direction: Direction = Direction.UP, title: str = "t"
) -> Markup:
    return svg.sparkline(points, direction=direction, green=1.0, amber=0.9, title=title)


def _trend(points: list[TrendPoint], **more: object) -> Markup:
    given: dict[str, object] = {
        "first": points[0].day, "last": points[-1].day, "direction": Direction.UP, "green": 1.0,
        "amber": 0.9, "title": "t", "desc": "d", "tell": str, "day": str,
    }  # fmt: skip
    return svg.trend(points, **(given | more))  # type: ignore[arg-type]


def test_a_missing_day_breaks_the_line() -> None:
    points = _points(9, 10, 11, 12)
    whole = _one(_spark(points), "line").get("d", "")
    broken = _one(_spark([points[0], points[1], points[3]]), "line").get("d", "")
    assert (whole.count("M"), broken.count("M")) == (1, 2)


def test_a_value_of_none_is_no_nought() -> None:
    chart = _spark(_points(9, None, 10, None))
    assert len(re.findall(r"[ML]", _one(chart, "line").get("d", ""))) == 2


def test_months_are_not_taken_for_gaps() -> None:
    monthly = [TrendPoint(date(2026, month, 28), 1.0, 1.0, 1) for month in range(1, 11)]
    assert len(runs(monthly)) == 1


def test_nothing_known_draws_nothing() -> None:
    assert _spark(_points(None, None)) == ""


@pytest.mark.parametrize(
    ("direction", "value", "light"),
    [
        (Direction.UP, 10.0, "green"),
        (Direction.UP, 9.5, "amber"),
        (Direction.UP, 2.0, "red"),
        (Direction.DOWN, 10.0, "green"),
        (Direction.DOWN, 10.8, "amber"),
        (Direction.DOWN, 20.0, "red"),
    ],
)
def test_the_last_point_has_the_shape_of_its_light(
    direction: Direction, value: float, light: str
) -> None:
    mark = _one(_spark(_points(10, value), direction), f"mark {light}").get("d", "")
    assert {"green": "a", "amber": "l", "red": "h"}[light] in mark


def test_the_green_band_lies_above_where_more_is_better_and_below_where_less_is() -> None:
    def lowest(direction: Direction) -> float:
        d = _one(_spark(_points(5, 15), direction), "band-green").get("d", "")
        return max(float(pair.split()[1]) for pair in re.findall(r"[\d.]+ [\d.]+", d))

    assert lowest(Direction.UP) < 20 < lowest(Direction.DOWN) == 26


def test_bands_follow_the_score() -> None:
    assert thresholds(100.0, Direction.UP, 1.0, 0.9) == (90.0, 100.0)
    assert thresholds(90.0, Direction.DOWN, 1.0, 0.9) == (100.0, 90.0)
    assert thresholds(0.0, Direction.UP, 1.0, 0.9) is None


def test_a_bullet_begins_at_nought_and_its_tick_stands_at_the_target() -> None:
    chart = svg.bullet(50.0, 75.0, title="t", year=100.0, width=200)
    bar, tick = _one(chart, "bar-value"), _one(chart, "bar-tick")
    assert (bar.get("x"), bar.get("width")) == ("0", "100")
    assert float(tick.get("x", "")) + 0.8 == pytest.approx(150, abs=0.1)


def test_a_bullet_without_a_value_has_no_bar() -> None:
    assert "bar-value" not in svg.bullet(None, 75.0, title="t")


def test_a_trend_hatches_gaps_and_outages_and_numbers_its_notes() -> None:
    points = _points(*([10.0] * 20))
    chart = _trend(
        points,
        gaps=[(FIRST + timedelta(days=3), FIRST + timedelta(days=5))],
        outages=[(FIRST + timedelta(days=9), FIRST + timedelta(days=9))],
        notes=[
            svg.Note(1, FIRST, FIRST),
            svg.Note(2, FIRST + timedelta(days=9), FIRST + timedelta(days=12)),
        ],
    )
    hatched = [each for each in _parsed(chart).iter() if each.get("fill") == "url(#trend)"]
    assert len(hatched) == 2
    assert _one(chart, "outage") is not None
    numbers = [each.text for each in _parsed(chart).iter() if each.get("class") == "note-number"]
    assert numbers == ["1", "2"]


def test_numbers_of_notes_that_would_overlap_become_one() -> None:
    notes = [
        svg.Note(n + 1, day, day)
        for n in range(4)
        for day in (FIRST + timedelta(days=n // 3 * 18),)
    ]
    chart = _trend(_points(*([10.0] * 20)), notes=notes)
    numbers = [each.text for each in _parsed(chart).iter() if each.get("class") == "note-number"]
    assert numbers == ["1–3", "4"]


def test_bars_begin_at_nought_and_have_no_city_line() -> None:
    rows = [
        svg.IntervalRow("a", 50.0, 40.0, 60.0, "same"),
        svg.IntervalRow("b", 100.0, None, None, "same"),
    ]
    short, long = svg.bars(rows)
    assert float(_one(long, "bar-value").get("width", "")) == pytest.approx(
        2 * float(_one(short, "bar-value").get("width", ""))
    )
    assert "city-line" not in short
    assert "range" not in short


def test_a_trend_of_one_day_is_a_point() -> None:
    assert _one(_trend(_points(3.0)), "line").get("d")


def test_a_course_begins_at_nought_and_opens_to_the_forecast() -> None:
    chart = svg.course(
        [TrendPoint(date(2026, 6, 30), 40.0, 50.0, 1)],
        curve=[(date(2026, 1, 1), 0.0), (date(2026, 12, 31), 100.0)],
        title="t", desc="d", tell=lambda value: f"{value:.0f}", day=str,
        forecast=(80.0, 90.0, 110.0), year=2026,
    )  # fmt: skip
    assert "0" in [each.text for each in _parsed(chart).iter() if each.get("class") == "axis"]
    assert _one(chart, "wedge").get("d", "").endswith("Z")


def test_the_last_bar_of_a_waterfall_is_the_sum() -> None:
    chart = svg.waterfall(
        [
            svg.Step("a", 100.0), svg.Step("b", -70.0), svg.Step("c", 5.0),
            svg.Step("d", 0.0, total=True),
        ],
        title="t", desc="d", tell=lambda value: f"{value:.0f}",
    )  # fmt: skip
    amounts = [each.text for each in _parsed(chart).iter() if each.get("class") == "amount"]
    assert amounts == ["▸ 100", "◂ -70", "▸ 5", "35"]
    assert float(_one(chart, "total").get("width", "")) == pytest.approx(
        float(_one(chart, "loss").get("width", "")) / 2, abs=0.2
    )


def test_contributions_point_away_from_nought() -> None:
    chart = svg.contributions([("up", 2.0), ("down", -1.0)], title="t", desc="d", tell=str)
    gain, loss = _one(chart, "gain"), _one(chart, "loss")
    assert float(loss.get("x", "")) < float(gain.get("x", ""))
    assert float(gain.get("width", "")) == pytest.approx(2 * float(loss.get("width", "")), abs=0.2)


def test_a_calendar_frames_missing_days_and_marks_red_ones_by_a_shape() -> None:
    monday = date(2026, 11, 2)
    chart = svg.calendar(
        [svg.DayMark(monday, Light.GREEN), svg.DayMark(monday + timedelta(days=1), Light.RED)],
        first=monday, last=monday + timedelta(days=6), title="t", desc="d", month=str,
        weekdays={0: "Sen"},
    )  # fmt: skip
    boxes = {
        kind: _one(chart, f"box {kind}").get("d", "").count("M")
        for kind in ("green", "red", "missing")
    }
    assert boxes == {"green": 1, "red": 1, "missing": 5}
    assert _one(chart, "sign red").get("d")
    assert "sign green" not in chart


def test_small_charts_share_one_scale_with_the_city_behind() -> None:
    drawn = svg.multiples(
        {"a": _points(0, 10), "b": _points(5, 5), "c": []},
        _points(5, 5),
        titles={"a": "A", "b": "B", "c": "C"},
    )
    assert _one(drawn["b"], "line").get("d") == _one(drawn["b"], "behind").get("d")
    assert 'class="line"' not in drawn["c"]


def test_intervals_share_one_scale_and_the_citys_line() -> None:
    rows = [
        svg.IntervalRow("a", 0.5, 0.4, 0.6, "worse"),
        svg.IntervalRow("b", 0.8, 0.7, 0.9, "better"),
        svg.IntervalRow("c", None, None, None, "few"),
    ]
    one, other, none = svg.intervals(rows, 0.65)
    assert _one(one, "city-line").get("d") == _one(other, "city-line").get("d")
    assert _one(one, "point worse").get("d") != _one(other, "point better").get("d")
    assert "point" not in none


def _square(code: str, x: float, y: float) -> dict[str, object]:
    ring = [(x, y), (x + 0.1, y), (x + 0.1, y + 0.1), (x, y + 0.1), (x, y)]
    return {
        "properties": {"code": code},
        "geometry": {"type": "Polygon", "coordinates": [[list(point) for point in ring]]},
    }


def test_a_map_shows_standings_by_fill_and_mark() -> None:
    drawn = svg.outline({"features": [_square("1", 104.6, -3), _square("2", 104.7, -3)]})
    chart = svg.district_map(drawn, {"1": "worse"}, titles={"1": HOSTILE}, title="t")
    assert _one(chart, "sign worse").text == "▲"
    assert _one(chart, "sign few").text == "·"
    assert (drawn.width, drawn.height) == (300.0, 151)


def test_neighbours_go_on_sharing_their_line() -> None:
    drawn = svg.outline({"features": [_square("1", 104.6, -3), _square("2", 104.7, -3)]})
    assert [shape.lines for shape in drawn.shapes] == [
        "M0 150l150 0 0 -150 -150 0Z",
        "M150 150l150 0 0 -150 -150 0Z",
    ]


def test_hostile_text_is_escaped_in_every_chart() -> None:
    points = _points(9, 10)
    charts = [
        _spark(points, title=HOSTILE),
        _trend(points, title=HOSTILE, desc=HOSTILE, tell=lambda _: HOSTILE, day=lambda _: HOSTILE),
        svg.bullet(1.0, 2.0, title=HOSTILE),
        svg.waterfall([svg.Step(HOSTILE, 1.0)], title="t", desc="d", tell=lambda _: HOSTILE),
        svg.contributions([(HOSTILE, 1.0)], title="t", desc="d", tell=str),
        *svg.multiples({"a": points}, points, titles={"a": HOSTILE}).values(),
        *svg.intervals([svg.IntervalRow(HOSTILE, 1.0, 0.5, 2.0, "same")], 1.0),
    ]
    for chart in charts:
        assert "<script" not in chart
        assert _parsed(chart).tag == "svg"


def test_every_chart_is_an_image_with_a_title() -> None:
    chart = _parsed(_trend(_points(9, 10), title="Surat", desc="On target on 1 of 2 days."))
    assert chart.get("role") == "img"
    assert [each.text for each in chart[:2]] == ["Surat", "On target on 1 of 2 days."]


def test_ticks_are_round_and_within() -> None:
    assert ticks(0, 100) == [0, 25, 50, 75, 100]
    assert ticks(3, 3) == [3]


def test_a_scale_of_amounts_holds_nought() -> None:
    assert extent([5.0, 10.0], zero=True)[0] == 0.0
    assert extent([]) == (0.0, 1.0)


def test_months_are_named_at_most_six_times() -> None:
    named = months(date(2025, 1, 15), date(2026, 11, 21))
    assert named == [date(2025, 7, 1), date(2026, 1, 1), date(2026, 7, 1)]
