"""The panels of the scenes about services, finance and health, by known answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.formula import (
    IncidentFigure,
    IncidentFormula,
    ReadingFormula,
    ReadingRatioFormula,
)
from lawang.domain.kpi import Combine, Daily, Direction, Kpi, Target
from lawang.domain.measure import MeasureKind
from lawang.domain.programme import Programme, ServicesProgramme
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.overview.model import Overview
from lawang.overview.panel import OverviewPanels
from lawang.overview.read import OverviewReader
from lawang.overview.scenes import entry_of, finance_panel, health_panel, services_panel
from lawang.store.history import History
from tests.kpi.desk import WIB, Desk, after, indicator, letter, wib
from tests.overview.books import SOURCE, Books

LAST = date(2026, 11, 20)
NOW = after(LAST)
REPORTS = IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=("elapor",))
VISITS = ReadingFormula(source="epuskesmas", measure="kunjungan")


def share(name: str, **changes: Any) -> Kpi:
    """A share of reports that is to come to four of five."""
    return indicator(REPORTS, id=name, unit="%", target=Target(level=0.8), **changes)


def visits(name: str, **changes: Any) -> Kpi:
    """A sum of visits, ten of which are due each day."""
    target = Target(per_day=10.0)
    return indicator(VISITS, id=name, combine=Combine.SUM, target=target, **changes)


KPIS = {each.id: each for each in (share("tepat"), share("buka"), visits("pasien"))}


@pytest.fixture
def town(city: City) -> City:
    services = ServicesProgramme(
        promises=("tepat",), claimed="tepat", verified="", reopened="buka",
        licences=("perizinan", "ekelurahan"),
    )  # fmt: skip
    programme = Programme(services=services, health=("pasien", "tepat"))
    return replace(city, kpis=KPIS, programme=programme)


def fact(name: str, day: date, num: float, den: float = 1.0, n: int = 5) -> Daily:
    at = datetime.combine(day, time(20), WIB).astimezone(UTC)
    return Daily(kpi=name, region="", day=day, num=num, den=den, n=n, observed_at=at)


def put(history: History, *facts: Daily) -> None:
    for name in {each.kpi for each in facts}:
        own = [each for each in facts if each.kpi == name]
        history.kpis.replace(name, min(e.day for e in own), max(e.day for e in own), own)


def read(city: City, history: History, now: datetime = NOW) -> Overview:
    return OverviewReader(city, history).read(now, {})


def entry(city: City, history: History, name: str, now: datetime = NOW) -> dict[str, Any]:
    return entry_of(read(city, history, now).lines[name])


def application(
    number: str, asked: datetime, source: str, status: RequestStatus, promise: float
) -> ServiceRequest:
    """An open application that was promised within so many minutes."""
    made = letter(number, asked, None, promise=promise, source_id=source)
    return replace(made, id=f"{source}:{number}", status=status)


# --- entries ---------------------------------------------------------------------------------


def test_an_entry_tells_value_target_light_and_cohort(town: City, sqlite_history: History) -> None:
    put(sqlite_history, fact("tepat", LAST, 6.0, 8.0, n=8))
    told = entry(town, sqlite_history, "tepat")
    assert (told["value"], told["target"], told["score"]) == (0.75, 0.8, 0.9375)
    assert (told["light"], told["cohort"], told["higher"]) == ("amber", 8, True)
    assert (told["span"], told["last"]) == ("month", "2026-11-20")


def test_an_indicator_without_facts_has_no_value_and_says_why(
    town: City, sqlite_history: History
) -> None:
    told = entry(town, sqlite_history, "tepat")
    assert "value" not in told
    assert (told["light"], told["why_grey"], told["spark"]) == ("grey", "no_data", [])


def test_nought_is_told_as_nought(town: City, sqlite_history: History) -> None:
    put(sqlite_history, fact("tepat", LAST, 0.0, 8.0, n=8))
    told = entry(town, sqlite_history, "tepat")
    assert (told["value"], told["light"], told["spark"]) == (0.0, "red", [0.0])


def test_a_source_that_fell_silent_greys_its_entry_but_keeps_the_value(
    town: City, sqlite_history: History
) -> None:
    put(sqlite_history, fact("tepat", LAST - timedelta(days=5), 8.0, 8.0))
    told = entry(town, sqlite_history, "tepat")
    assert (told["value"], told["light"], told["why_grey"]) == (1.0, "grey", "stale")


def test_the_change_is_that_of_the_value_since_the_month_before(
    town: City, sqlite_history: History
) -> None:
    before = fact("tepat", LAST - timedelta(days=40), 4.0, 8.0)
    put(sqlite_history, before, fact("tepat", LAST, 6.0, 8.0))
    assert entry(town, sqlite_history, "tepat")["change"] == 0.25


def test_a_spark_holds_the_newest_thirty_values_oldest_first(
    town: City, sqlite_history: History
) -> None:
    days = [fact("tepat", LAST - timedelta(days=back), float(back), 50.0) for back in range(40)]
    put(sqlite_history, *days)
    assert entry(town, sqlite_history, "tepat")["spark"] == [n / 50 for n in range(29, -1, -1)]


def test_an_indicator_of_which_less_is_better_says_so(town: City, sqlite_history: History) -> None:
    fewer = {**KPIS, "tepat": share("tepat", direction=Direction.DOWN)}
    assert entry(replace(town, kpis=fewer), sqlite_history, "tepat")["higher"] is False


def test_only_a_share_has_a_cohort(town: City, sqlite_history: History) -> None:
    put(sqlite_history, fact("pasien", LAST, 20.0, n=42))
    told = entry(town, sqlite_history, "pasien")
    assert (told["value"], "cohort" in told) == (20.0, False)


def ratio(numerator: str, denominator: str, source: str) -> ReadingRatioFormula:
    over, under = (ReadingFormula(source=source, measure=each) for each in (numerator, denominator))
    return ReadingRatioFormula(numerator=over, denominator=under)


def test_a_share_of_what_a_department_counts_tells_of_how_many(
    city: City, sqlite_history: History
) -> None:
    printed = ratio("ktp_dicetak", "ktp_diajukan", "disdukcapil_layanan")
    town = replace(city, kpis={"ktp": indicator(printed, id="ktp", unit="%")})
    days = [fact("ktp", LAST - timedelta(days=back), 270.0, 300.0, n=1) for back in range(2)]
    put(sqlite_history, *days)
    told = entry(town, sqlite_history, "ktp")
    assert (told["value"], told["cohort"]) == (0.9, 600)


@pytest.mark.parametrize(
    ("formula", "unit"),
    [
        (ratio("anak_berakta", "jumlah_anak", "disdukcapil"), "%"),
        (ratio("ktp_dicetak", "ktp_diajukan", "disdukcapil_layanan"), "kali"),
    ],
    ids=["stock", "no share"],
)
def test_what_is_no_share_of_what_is_counted_tells_no_cohort(
    city: City, sqlite_history: History, formula: ReadingRatioFormula, unit: str
) -> None:
    for part in (formula.numerator, formula.denominator):
        assert part.measure in city.sources[part.source].measures
    put(sqlite_history, fact("bagian", LAST, 270.0, 300.0, n=1))
    town = replace(city, kpis={"bagian": indicator(formula, id="bagian", unit=unit)})
    assert "cohort" not in entry(town, sqlite_history, "bagian")


def test_a_share_of_money_is_not_one_of_so_many_rupiah(city: City, sqlite_history: History) -> None:
    paid = ratio("pbb_penerimaan", "pbb_penerimaan", "pbb")
    measures = dict(city.sources["pbb"].measures)
    measures["pbb_penerimaan"] = replace(measures["pbb_penerimaan"], kind=MeasureKind.FLOW)
    sources = {**city.sources, "pbb": replace(city.sources["pbb"], measures=measures)}
    put(sqlite_history, fact("lunas", LAST, 5e8, 1e9, n=1))
    kpis = {"lunas": indicator(paid, id="lunas", unit="%")}
    assert "cohort" not in entry(replace(city, sources=sources, kpis=kpis), sqlite_history, "lunas")


def test_an_entry_of_a_simulated_source_says_so(town: City, sqlite_history: History) -> None:
    sources = dict(town.sources)
    sources["elapor"] = replace(sources["elapor"], simulated=True)
    sources["epuskesmas"] = replace(sources["epuskesmas"], simulated=False)
    lines = read(replace(town, sources=sources), sqlite_history).lines
    told = [entry_of(lines[name])["simulated"] for name in ("tepat", "pasien")]
    assert told == [True, False]


# --- services ----------------------------------------------------------------------------------


def test_services_tell_promises_and_what_is_reopened(town: City, sqlite_history: History) -> None:
    put(sqlite_history, fact("tepat", LAST, 8.0, 8.0), fact("buka", LAST, 1.0, 8.0))
    panel = services_panel(town, read(town, sqlite_history), NOW)
    assert [(each["id"], each["value"]) for each in panel["promises"]] == [("tepat", 1.0)]
    assert (panel["claimed"]["id"], panel["reopened"]["value"]) == ("tepat", 0.125)
    assert panel["sources"] == ["ekelurahan", "elapor", "perizinan"]


def test_where_nobody_verifies_nothing_is_verified(town: City, sqlite_history: History) -> None:
    assert "verified" not in services_panel(town, read(town, sqlite_history), NOW)


def test_open_applications_are_counted_by_stage_over_all_sources(
    town: City, sqlite_history: History
) -> None:
    asked = NOW - timedelta(days=1)
    states = (RequestStatus.SUBMITTED, RequestStatus.PROCESSING)
    Desk(town, sqlite_history).ask(
        application("1", asked, "perizinan", states[0], promise=10),
        application("2", asked, "perizinan", states[1], promise=9_999),
        application("3", asked, "ekelurahan", states[1], promise=10),
    )
    panel = services_panel(town, read(town, sqlite_history), NOW)
    assert panel["licences"] == [
        {"status": "diajukan", "n": 1, "late": 1},
        {"status": "diproses", "n": 2, "late": 1},
    ]


# --- finance -----------------------------------------------------------------------------------


@pytest.fixture
def books(city: City, sqlite_history: History) -> Books:
    """Two years by the curve up to the end of September 2026."""
    books = Books.of(city, sqlite_history)
    for year, months in ((2025, 12), (2026, 9)):
        books.write_year("came", "pajak", year, 600.0, months)
        books.write_year("came", "lain", year, 720.0, months)
        books.write_year("spent", "pupr", year, 300.0, months)
        books.write_year("spent", "dinkes", year, 700.0, months)
    for subject, amount in (("pupr", 500.0), ("dinkes", 800.0)):
        books.write("budget", subject, {date(2026, 9, 1): amount})
    books.work_out(BOOKS_NOW)
    return books


BOOKS_NOW = wib(2026, 10, 10, 9)


def money(books: Books) -> dict[str, Any]:
    return finance_panel(books.city, read(books.city, books.history, BOOKS_NOW), BOOKS_NOW)


def test_finance_tells_what_came_beside_what_was_due(books: Books) -> None:
    revenue = money(books)["revenue"]
    assert (revenue["value"], revenue["target"]) == pytest.approx((1320 * 0.8, 1200 * 0.8))
    assert (revenue["span"], revenue["light"]) == ("year", "green")


def test_the_course_ends_at_the_newest_day_known(books: Books) -> None:
    course = money(books)["revenue"]["course"]
    assert len(course) == 60
    assert course[-1] == ["2026-09-30", pytest.approx(1056.0), pytest.approx(960.0)]


def test_the_forecast_has_its_interval_and_its_day(books: Books) -> None:
    ahead = money(books)["revenue"]["forecast"]
    assert ahead["low"] <= ahead["value"] <= ahead["high"]
    assert ahead["value"] == pytest.approx(1320.0, rel=0.01)
    assert (ahead["target"], ahead["until"]) == (1200.0, "2026-09-30")


def test_items_have_no_course(books: Books) -> None:
    (item,) = money(books)["items"]
    assert (item["id"], "course" in item) == ("sendiri", False)


def test_departments_are_told_the_lowest_share_first(books: Books) -> None:
    told = [(each["key"], each["share"], each["due"]) for each in money(books)["absorption"]]
    assert told == [("pupr", 0.48, 0.8), ("dinkes", 0.7, 0.8)]


def test_an_unknown_balance_and_surplus_are_left_out(books: Books) -> None:
    panel = money(books)
    assert ("cash" in panel, "silpa" in panel) == (False, False)


def test_an_old_balance_is_told_as_stale(books: Books) -> None:
    books.write("cash", "kas", {date(2026, 9, 30): 0.0})
    cash = money(books)["cash"]
    assert (cash["value"], cash["stale"]) == (0.0, True)


def test_the_surplus_is_told_with_its_day(books: Books) -> None:
    books.write_year("financing", "6.1", 2026, 100.0, 9)
    books.write_year("financing", "6.2", 2026, 0.0, 9)
    silpa = money(books)["silpa"]
    assert silpa == {"value": pytest.approx((1320 - 1000 + 100) * 0.8), "until": "2026-09-30"}


def test_finance_names_every_source_it_is_made_of(books: Books) -> None:
    assert money(books)["sources"] == [SOURCE]


def test_a_city_without_finance_says_nothing_of_it(town: City, sqlite_history: History) -> None:
    panel = finance_panel(town, read(town, sqlite_history), NOW)
    assert panel == {"sources": [], "at": NOW.isoformat(), "last": "2026-11-20"}


# --- health ------------------------------------------------------------------------------------


def test_health_tells_the_pack_s_indicators_in_its_order(
    town: City, sqlite_history: History
) -> None:
    panel = health_panel(town, read(town, sqlite_history), NOW)
    assert list(panel["entries"]) == ["pasien", "tepat"]
    assert panel["sources"] == ["elapor", "epuskesmas"]


# --- all of them -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(city: City) -> City:
    """A city without a mayor's programme."""
    return replace(city, programme=Programme())


def test_the_packs_own_panels_are_made_without_a_single_fact(
    city: City, sqlite_history: History
) -> None:
    panels = OverviewPanels(city, sqlite_history)(NOW)
    assert panels.keys() == {"indicators", "services", "finance", "health", "morning"}
    assert nulls(panels) == []


def test_a_city_without_a_programme_has_panels_without_sections(
    bare: City, sqlite_history: History
) -> None:
    panels = OverviewPanels(bare, sqlite_history)(NOW)
    for name in ("services", "finance", "health"):
        assert panels[name].keys() == {"sources", "at", "last"}
    assert panels["morning"]["figures"] == []


def test_all_panels_come_from_one_reading(
    town: City, sqlite_history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, read_ = [], OverviewReader.read

    def counted(self: OverviewReader, *args: Any, **options: Any) -> Overview:
        asked.append(args)
        return read_(self, *args, **options)

    monkeypatch.setattr(OverviewReader, "read", counted)
    panels = OverviewPanels(town, sqlite_history)
    panels(NOW)
    panels(NOW + timedelta(minutes=1))
    assert len(asked) == 1


def test_a_scene_that_says_nothing_new_stays_while_another_changes(
    town: City, sqlite_history: History
) -> None:
    panels = OverviewPanels(town, sqlite_history)
    before = dict(panels(NOW))
    put(sqlite_history, fact("tepat", LAST, 6.0, 8.0))
    later = panels(NOW + timedelta(minutes=1))
    assert later["finance"] is before["finance"]
    assert later["services"] != before["services"]


def nulls(value: object, path: str = "") -> list[str]:
    """Where a payload holds None."""
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in nulls(each, f"{path}/{key}")]
    if isinstance(value, list):
        places = enumerate(value)
        return [found for place, each in places for found in nulls(each, f"{path}/{place}")]
    return [path] if value is None else []
