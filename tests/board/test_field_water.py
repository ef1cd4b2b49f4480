"""Gauges of water and rain: values, marks, courses, and what silence leaves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lawang.board.field.course import Course
from lawang.board.field.facts import FieldFacts, Panel
from lawang.board.field.water import amounts, levels, rain, water
from lawang.city import City
from lawang.domain.position import PositionStatus
from tests.board.field import NOW, build_position, build_reading, put

MINUTE = timedelta(minutes=1)
AIR = ("pengukur_air", "tinggi_air")
HUJAN = ("pengukur_hujan", "hujan_hari_ini")


def course(*samples: tuple[float, float], end: datetime = NOW) -> Course:
    """A course of (minutes before `end`, value)."""
    made = Course()
    for minutes, value in samples:
        made.add(end - minutes * MINUTE, value)
    return made


def gauge(city: City, value: float, *samples: tuple[float, float], at: datetime = NOW) -> Panel:
    """The entry of one water gauge that read `value` at `at`."""
    facts = put(FieldFacts(city), build_reading(*AIR, "A", value, at=at))
    facts.courses[AIR] = {"A": course((0, value), *samples, end=at)}
    found: Panel = water(facts, NOW)["gauges"]["A"]
    return found


def test_marks_are_the_citys_threshold_rules_the_lowest_first(city: City) -> None:
    marks = water(FieldFacts(city), NOW)["marks"]
    assert [(each["rule"], each["over"]) for each in marks] == [
        ("air_siaga", 270),
        ("air_awas", 320),
    ]


@pytest.mark.parametrize(
    ("value", "mark"), [(270.0, None), (270.1, "air_siaga"), (320.1, "air_awas"), (0.0, None)]
)
def test_a_gauge_bears_the_highest_mark_that_it_is_over(
    city: City, value: float, mark: str | None
) -> None:
    entry = gauge(city, value)
    assert (entry["v"], entry.get("mark")) == (value, mark)


def test_the_rise_is_the_change_over_an_hour(city: City) -> None:
    assert gauge(city, 130.5, (62, 100.0), (30, 140.0))["rise"] == 30.5


def test_without_a_reading_of_an_hour_ago_no_rise_is_told(city: City) -> None:
    assert "rise" not in gauge(city, 130.0, (50, 100.0))
    assert "rise" not in gauge(city, 130.0, (80, 100.0))


def test_a_silent_gauge_keeps_its_last_value_and_the_rise_of_its_last_hour(city: City) -> None:
    then = NOW - timedelta(hours=3)
    entry = gauge(city, 280.0, (60, 250.0), at=then)
    assert (entry["v"], entry["at"], entry["rise"]) == (280.0, then.isoformat(), 30.0)


def test_a_gauge_that_never_read_is_there_without_a_value(city: City) -> None:
    seen = build_position("pengukur_air", "A", status=PositionStatus.OFF)
    entry = water(put(FieldFacts(city), seen), NOW)["gauges"]["A"]
    assert ("v" in entry, entry["s"], entry["at"]) == (False, "mati", NOW.isoformat())


def test_a_gauge_without_a_place_is_counted(city: City) -> None:
    lost = build_reading(*AIR, "A", 1.0, latitude=None, longitude=None)
    panel = water(put(FieldFacts(city), lost, build_reading(*AIR, "B", 1.0)), NOW)
    assert ("p" in panel["gauges"]["A"], panel["unlocated"]) == (False, 1)


def test_a_level_is_told_at_each_quarter_of_an_hour() -> None:
    assert levels(course((31, 1.0), (29, 2.0), (16, 3.0), (5, 4.0)), NOW) == [
        [30, 1.0], [15, 3.0], [0, 4.0],
    ]  # fmt: skip


def test_a_quarter_in_which_nothing_was_said_has_no_point() -> None:
    assert levels(course((61, 1.0), (1, 2.0)), NOW) == [[60, 1.0], [0, 2.0]]


def test_a_course_goes_back_six_hours_with_24_points_at_most() -> None:
    points = levels(course(*((minute, float(minute)) for minute in range(600))), NOW)
    assert (len(points), points[0][0], points[-1][0]) == (24, 345, 0)


def test_while_time_goes_by_the_points_stay_and_their_minutes_move() -> None:
    made = course((31, 1.0), (16, 3.0))
    assert levels(made, NOW + 7 * MINUTE) == [[35, 1.0], [20, 3.0]]


def test_readings_out_of_order_make_the_same_course() -> None:
    samples = [(31, 1.0), (16, 3.0), (5, 4.0), (61, 0.0)]
    assert levels(course(*samples), NOW) == levels(course(*reversed(samples)), NOW)


def test_a_correction_of_the_newest_reading_takes_its_place() -> None:
    assert levels(course((1, 4.0), (1, 2.0)), NOW) == [[0, 2.0]]


# --- rain ----------------------------------------------------------------------------------------


def rain_gauge(
    city: City, *samples: tuple[float, float], at: datetime = NOW, now: datetime = NOW
) -> Panel:
    """The entry of one rain gauge; the last sample is its newest total of the day."""
    facts = put(FieldFacts(city), build_reading(*HUJAN, "H", samples[-1][1], at=at))
    facts.courses[HUJAN] = {"H": course(*samples, end=at)}
    found: Panel = rain(facts, now)["gauges"]["H"]
    return found


def test_the_rain_of_an_hour_is_what_the_total_grew_by(city: City) -> None:
    entry = rain_gauge(city, (90, 1.0), (60, 2.0), (20, 8.0), (0, 14.5))
    assert (entry["v"], entry["day"], entry["mark"]) == (12.5, 14.5, "hujan_lebat")
    assert "minutes" not in entry


def test_a_dry_hour_is_nought_and_not_missing(city: City) -> None:
    assert rain_gauge(city, (60, 7.0), (0, 7.0))["v"] == 0


def test_rain_of_a_part_of_an_hour_says_of_how_many_minutes(city: City) -> None:
    entry = rain_gauge(city, (20, 1.0), (0, 4.0))
    assert (entry["v"], entry["minutes"]) == (3.0, 20)


def test_one_reading_tells_no_rain_of_an_hour(city: City) -> None:
    entry = rain_gauge(city, (0, 4.0))
    assert ("v" in entry, entry["day"]) == (False, 4.0)


def test_at_midnight_the_total_begins_anew_and_the_hour_goes_on(city: City) -> None:
    midnight = datetime.fromisoformat("2026-11-20T17:00:00+00:00")
    at = midnight + 10 * MINUTE
    entry = rain_gauge(city, (60, 5.0), (20, 9.0), (0, 1.5), at=at, now=at)
    assert (entry["v"], entry["day"]) == (5.5, 1.5)


def test_yesterdays_total_is_not_todays(city: City) -> None:
    entry = rain_gauge(city, (60, 5.0), (0, 9.0), at=NOW - timedelta(hours=11))
    assert ("day" in entry, entry["v"]) == (False, 4.0)


def test_marks_of_rain_are_what_an_hour_may_bring(city: City) -> None:
    marks = rain(FieldFacts(city), NOW)["marks"]
    assert [(each["rule"], each["over"]) for each in marks] == [
        ("hujan_lebat", 10),
        ("hujan_sangat_lebat", 20),
    ]


def test_ten_minutes_have_the_rain_that_fell_in_them() -> None:
    made = course((30, 0.0), (20, 1.0), (15, 2.0), (10, 4.0), (0, 4.0))
    assert amounts(made, NOW) == [[20, 1.0], [10, 3.0], [0, 0.0]]
