"""Disdukcapil's figures, and its envelope that answers 200 whatever happened."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import httpx
import pytest

from lawang.domain.errors import NeedsPerson, RetryLater
from simulator.city_life import Town
from simulator.disdukcapil.figures import Figures
from tests.simulator.conftest import NOW, Simulator
from tests.simulator.reading import faulty, read_source

SOURCES = ("disdukcapil", "disdukcapil_layanan")


@pytest.fixture(scope="module")
def figures(town: Town) -> Figures:
    return Figures(town, 1671, 1.0)


def _total(figures: Figures, name: str, day: date) -> int:
    return sum(getattr(figures.coverage(code, day), name) for code in figures.shares)


def test_it_begins_with_the_published_figures(figures: Figures) -> None:
    day = date(2026, 1, 1)
    eligible = _total(figures, "eligible", day)
    assert eligible == pytest.approx(1_279_679, abs=18)
    assert _total(figures, "recorded", day) / eligible == pytest.approx(0.9921, abs=1e-4)
    assert _total(figures, "ikd", day) / eligible == pytest.approx(0.0866, abs=1e-4)
    children = _total(figures, "children", day)
    assert _total(figures, "births", day) / children == pytest.approx(0.9890, abs=1e-4)
    assert _total(figures, "kia", day) / children == pytest.approx(0.6072, abs=1e-4)


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2026, 11, 21), date(2090, 1, 1)])
def test_nobody_has_what_nobody_is(figures: Figures, day: date) -> None:
    for code in figures.shares:
        found = figures.coverage(code, day)
        assert 0 < found.ikd <= found.recorded <= found.eligible
        assert 0 < found.kia <= found.children
        assert 0 < found.births <= found.children


def test_about_300_ask_for_an_ektp_on_a_working_day(figures: Figures, town: Town) -> None:
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(50)]
    asked = [
        sum(
            figures.work(code, day, datetime(2026, 12, 31, tzinfo=town.timezone)).asked
            for code in figures.shares
        )
        for day in days
    ]
    worked = [each for each in asked if each]
    assert 240 < sum(worked) / len(worked) < 380
    assert max(worked) < 560
    assert 10 < asked.count(0) < 20


def test_a_day_only_grows(figures: Figures, town: Town) -> None:
    day = date(2026, 11, 20)
    hours = [datetime(2026, 11, 20, hour, tzinfo=town.timezone) for hour in range(24)]
    found = [figures.work("16.71.04", day, at).asked for at in hours]
    assert found == sorted(found)
    assert found[7] == 0 < found[11] < found[17]


@pytest.mark.parametrize(("source", "count"), [(SOURCES[0], 18 * 6), (SOURCES[1], 7 * 18 * 5)])
def test_every_figure_comes_through_its_source_file(
    simulator: Simulator, source: str, count: int
) -> None:
    found = read_source(simulator, source)
    measurements = found.all("measurements")
    assert found.all("rejects") == []
    assert len(measurements) == count
    assert {each.measure for each in measurements} == found.source.measures.keys()
    for each in measurements:
        least, greatest = found.source.measures[each.measure].expected
        assert least is not None
        assert greatest is not None
        assert least <= each.value <= greatest
        assert each.at < NOW


def test_thousands_are_read_as_thousands(simulator: Simulator) -> None:
    found = read_source(simulator, "disdukcapil")
    total = sum(each.value for each in found.all("measurements") if each.measure == "wajib_ktp")
    assert 1_279_000 < total < 1_300_000


def test_every_kecamatan_is_found(simulator: Simulator) -> None:
    found = read_source(simulator, "disdukcapil")
    codes = {region.bps_code for region in found.city.kecamatan}
    assert {each.region for each in found.all("measurements")} == codes


def test_who_came_last_is_in_the_answer_and_never_read(simulator: Simulator) -> None:
    found = read_source(simulator, "disdukcapil_layanan")
    assert "9916710101" in found.text
    assert "9916710101" not in found.meaning


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (0, RetryLater, "bad_status"),
        (401, NeedsPerson, "refused"),
        (429, RetryLater, "rate_limited"),
        (201, RetryLater, "bad_status"),
    ],
)
def test_an_error_hidden_in_a_good_status_is_found(
    simulator: Simulator, source: str, code: int, error: type[Exception], kind: str
) -> None:
    with faulty(simulator, "disdukcapil", "metadata", amount=code):
        url = f"{simulator.url}/disdukcapil/api/v1/cakupan"
        assert httpx.get(url, trust_env=False).status_code == 200
        with pytest.raises(error, match=kind):
            read_source(simulator, source)


def test_without_the_key_the_status_is_good_and_the_answer_is_not(simulator: Simulator) -> None:
    answer = httpx.get(f"{simulator.url}/disdukcapil/api/v1/layanan", trust_env=False)
    assert answer.status_code == 200
    assert answer.json() == {
        "metaData": {"code": "401", "message": "user_key tidak berlaku."},
        "response": None,
    }


@pytest.mark.parametrize("source", SOURCES)
def test_wrong_types_cost_some_and_not_the_others(simulator: Simulator, source: str) -> None:
    with faulty(simulator, "disdukcapil", "wrong_types"):
        found = read_source(simulator, source)
    assert found.all("rejects")
    assert len(found.all("measurements")) > len(found.all("rejects"))


@pytest.mark.parametrize("fault", ["off", "500", "truncated", "garbage"])
def test_a_fault_is_told(simulator: Simulator, fault: str) -> None:
    with faulty(simulator, "disdukcapil", fault), pytest.raises(RetryLater):
        read_source(simulator, "disdukcapil")
