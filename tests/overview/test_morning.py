"""The figures of the day before, and what got worse, by known answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.formula import IncidentFigure, IncidentFormula, ReadingFormula
from lawang.domain.incident import Incident, Status
from lawang.domain.kpi import Combine, Daily, Direction, Target
from lawang.domain.programme import DayCount, MorningFigure, Programme
from lawang.overview.panel import OverviewPanels
from lawang.store.history import History
from tests.kpi.desk import SOURCE, WIB, Desk, after, indicator, letter, moved, report, wib

#: A Friday.
LAST = date(2026, 11, 20)
NOW = after(LAST)
FIRES = indicator(
    ReadingFormula(source="epuskesmas", measure="kunjungan"),
    id="api",
    unit="kejadian",
    combine=Combine.SUM,
    direction=Direction.DOWN,
    target=Target(per_day=4.0),
)
IN_TIME = indicator(
    IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=(SOURCE,)),
    id="tepat",
    unit="%",
    owner="diskominfo",
    target=Target(level=0.8),
)


def counting(count: DayCount) -> MorningFigure:
    return MorningFigure(
        id=count.value, count=count, sources=(SOURCE,), name_id="Nama", name_en="Name",
        unit="laporan", unit_en="reports",
    )  # fmt: skip


FIGURES = (
    *(counting(each) for each in DayCount),
    MorningFigure(id="api", kpi="api"),
    MorningFigure(id="tepat", kpi="tepat"),
)


@pytest.fixture
def desk(city: City, sqlite_history: History) -> Desk:
    """A city of two indicators and a source of its own."""
    desk = Desk.of(city, sqlite_history)
    desk.city = replace(
        desk.city,
        kpis={"api": FIRES, "tepat": IN_TIME},
        programme=Programme(morning=FIGURES),
    )
    return desk


def morning(desk: Desk, now: datetime = NOW) -> dict[str, Any]:
    return OverviewPanels(desk.city, desk.history)(now)["morning"]


def figure(desk: Desk, name: str, now: datetime = NOW) -> dict[str, Any]:
    (found,) = [each for each in morning(desk, now)["figures"] if each["id"] == name]
    return dict(found)


def put(desk: Desk, name: str, values: dict[date, tuple[float, float]]) -> None:
    """Facts (num, den) by day."""
    facts = [
        Daily(
            kpi=name, region="", day=day, num=num, den=den, n=5,
            observed_at=datetime.combine(day, time(20), WIB).astimezone(UTC),
        )
        for day, (num, den) in sorted(values.items())
    ]  # fmt: skip
    desk.history.kpis.replace(name, facts[0].day, facts[-1].day, facts)


def reports(day: date, count: int, name: str = "r") -> list[Incident]:
    """So many reports of noon of a day."""
    noon = datetime.combine(day, time(12), WIB).astimezone(UTC)
    return [report(f"{name}{day}-{n}", noon + timedelta(minutes=n)) for n in range(count)]


def hear(desk: Desk, at: datetime = NOW) -> None:
    """Let the source be heard once more, by a report of that moment."""
    desk.tell(report(f"now-{at.isoformat()}", at - timedelta(minutes=1)))


# --- counts ------------------------------------------------------------------------------------


def test_reports_of_the_last_complete_day_are_counted(desk: Desk) -> None:
    desk.tell(*reports(LAST, 3), *reports(LAST - timedelta(days=1), 2))
    hear(desk)
    told = figure(desk, "incidents_received")
    assert (told["value"], told["unit"], "light" in told) == (3, "laporan", False)
    assert morning(desk)["day"] == "2026-11-20"


def test_a_day_ends_at_the_city_s_own_midnight(desk: Desk) -> None:
    desk.tell(report("late", wib(2026, 11, 20, 23, 59)), report("early", wib(2026, 11, 21, 0, 1)))
    hear(desk)
    assert figure(desk, "incidents_received")["value"] == 1


def test_a_quiet_day_is_nought(desk: Desk) -> None:
    desk.tell(*reports(LAST - timedelta(days=1), 1))
    hear(desk)
    assert figure(desk, "incidents_received")["value"] == 0


def test_a_source_that_was_not_heard_since_the_day_ended_has_no_figure(desk: Desk) -> None:
    desk.tell(*reports(LAST, 3))
    told = figure(desk, "incidents_received")
    assert ("value" in told, told["light"], told["why_grey"]) == (False, "grey", "no_data")


def test_a_figure_comes_once_its_source_is_heard_again(desk: Desk) -> None:
    desk.tell(*reports(LAST, 3))
    panels = OverviewPanels(desk.city, desk.history)
    assert "value" not in panels(NOW)["morning"]["figures"][0]
    hear(desk)
    assert panels(NOW + timedelta(minutes=6))["morning"]["figures"][0]["value"] == 3


def test_what_was_done_counts_on_the_day_it_was_done(desk: Desk) -> None:
    old, rejected, waiting = reports(LAST - timedelta(days=3), 3)
    desk.tell(
        moved(old, Status.DONE, wib(2026, 11, 20, 9)),
        moved(rejected, Status.REJECTED, wib(2026, 11, 20, 9)),
        waiting,
    )
    hear(desk)
    assert figure(desk, "incidents_done")["value"] == 1


def test_requests_are_counted_as_reports_are(desk: Desk) -> None:
    asked = wib(2026, 11, 20, 9)
    desk.ask(letter("a", asked, 5), letter("b", asked, None), letter("c", NOW, None))
    told = [figure(desk, name)["value"] for name in ("requests_received", "requests_done")]
    assert told == [2, 1]


def test_a_count_is_compared_with_the_median_of_its_weekday(desk: Desk) -> None:
    for weeks, count in enumerate((9, 1, 3, 2, 4, 3, 3, 5, 3)):
        desk.tell(*reports(LAST - timedelta(weeks=weeks), count))
    hear(desk)
    told = figure(desk, "incidents_received")
    assert told["value"] == 9
    assert told["compare"] == {
        "value": 3.0,
        "name_id": "median 8 hari Jumat terakhir",
        "name_en": "median of the last 8 Fridays",
        "days": 8,
        "of": 8,
    }


def test_a_comparison_says_how_many_of_its_days_are_known(desk: Desk) -> None:
    for weeks in range(5):
        desk.tell(*reports(LAST - timedelta(weeks=weeks), 2))
    hear(desk)
    told = figure(desk, "incidents_received")["compare"]
    assert (told["value"], told["days"], told["name_id"]) == (
        2.0,
        4,
        "median 4 dari 8 hari Jumat terakhir",
    )


def test_three_known_weeks_are_too_few_to_compare_with(desk: Desk) -> None:
    for weeks in range(4):
        desk.tell(*reports(LAST - timedelta(weeks=weeks), 2))
    hear(desk)
    assert "compare" not in figure(desk, "incidents_received")


# --- indicators --------------------------------------------------------------------------------


def test_an_indicator_is_told_with_the_light_of_its_day(desk: Desk) -> None:
    fridays = {LAST - timedelta(weeks=n): (float(n), 1.0) for n in range(1, 9)}
    put(desk, "api", {**fridays, LAST: (8.0, 1.0)})
    told = figure(desk, "api")
    assert (told["value"], told["target"], told["light"], told["higher"]) == (
        8.0,
        4.0,
        "red",
        False,
    )
    assert told["compare"]["value"] == 4.5


def test_a_day_without_a_fact_has_no_value(desk: Desk) -> None:
    put(desk, "api", {LAST - timedelta(days=1): (8.0, 1.0)})
    told = figure(desk, "api")
    assert ("value" in told, told["why_grey"]) == (False, "no_data")


def test_a_rate_is_told_with_its_cohort(desk: Desk) -> None:
    put(desk, "tepat", {LAST: (4.0, 5.0)})
    told = figure(desk, "tepat")
    assert (told["value"], told["cohort"], told["light"]) == (0.8, 5, "green")


def test_an_empty_weekday_has_no_rate_to_compare_with(desk: Desk) -> None:
    put(desk, "tepat", {LAST - timedelta(weeks=n): (0.0, 0.0) for n in range(9)})
    assert "compare" not in figure(desk, "tepat")


# --- what got worse ----------------------------------------------------------------------------


def test_what_got_worse_since_the_day_before_names_its_owner(desk: Desk) -> None:
    put(desk, "tepat", {LAST - timedelta(days=1): (10.0, 10.0), LAST: (0.0, 10.0)})
    (worse,) = morning(desk)["worse"]
    assert (worse["id"], worse["before"], worse["after"]) == ("tepat", 1.0, 0.5)
    assert (worse["light_before"], worse["light_after"]) == ("green", "red")
    assert worse["owner"] == desk.city.opds["diskominfo"].name


def test_what_is_lost_keeps_its_value_and_says_why(desk: Desk) -> None:
    put(desk, "tepat", {LAST - timedelta(days=3): (10.0, 10.0)})
    (worse,) = morning(desk)["worse"]
    assert (worse["kind"], worse["after"], worse["why_grey"]) == ("lost", 1.0, "stale")


def test_at_most_three_are_told_the_largest_move_first(desk: Desk) -> None:
    names = "abcd"
    desk.city = replace(desk.city, kpis={each: replace(IN_TIME, id=each) for each in names})
    for place, name in enumerate(names):
        put(desk, name, {LAST - timedelta(days=1): (10.0, 10.0), LAST: (place * 2.0, 10.0)})
    assert [each["id"] for each in morning(desk)["worse"]] == ["a", "b", "c"]


def test_what_got_better_is_not_told(desk: Desk) -> None:
    put(desk, "tepat", {LAST - timedelta(days=1): (0.0, 10.0), LAST: (10.0, 10.0)})
    assert morning(desk)["worse"] == []


def test_the_morning_names_the_sources_of_all_it_tells(desk: Desk) -> None:
    assert morning(desk)["sources"] == ["epuskesmas", SOURCE]
