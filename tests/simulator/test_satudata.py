"""The simulated open data portal, and the seasons in its tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from simulator import seasons
from simulator.city_life import Town
from simulator.satudata.tables import TABLES, prices, schools, tourism, welfare
from tests.simulator.conftest import NOW, Simulator

PRICES, _, SCHOOLS, _ = (table.resource_id for table in TABLES)


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    base = f"{simulator.url}/satudata/api/3/action/"
    with httpx.Client(base_url=base, timeout=40, trust_env=False) as client:
        yield client


def search(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get("datastore_search", params=asked).json()["result"]
    return found


def test_pages_together_are_the_total(client: httpx.Client) -> None:
    first = search(client, resource_id=PRICES, limit=5_000)
    assert (first["total"], len(first["records"]), first["limit"]) == (2_250, 1_000, 1_000)
    rest = search(client, resource_id=PRICES, limit=5_000, offset=2_000)
    assert [each["_id"] for each in rest["records"]] == list(range(2_001, 2_251))


def test_filters_words_and_columns_are_understood(client: httpx.Client) -> None:
    asked = {
        "resource_id": PRICES,
        "filters": '{"pasar": "Pasar Cinde", "komoditas": ["Daging sapi"]}',
        "fields": "tanggal,harga",
        "q": "2026-11-20",
    }
    (row,) = search(client, **asked)["records"]
    assert row.keys() == {"tanggal", "harga"}


@pytest.mark.parametrize(
    ("action", "asked", "status", "kind"),
    [
        ("datastore_search", {"resource_id": "x"}, 404, "Not Found Error"),
        ("datastore_search", {"resource_id": PRICES, "filters": "{"}, 409, "Validation Error"),
        ("datastore_search", {"resource_id": PRICES, "sort": "x"}, 409, "Validation Error"),
        ("datastore_search", {"resource_id": PRICES, "limit": "-1"}, 409, "Validation Error"),
        ("package_show", {"id": "x"}, 404, "Not Found Error"),
        ("datastore_drop", {}, 400, "Bad Request"),
    ],
)
def test_what_cannot_be_done_is_refused_as_ckan_does(
    client: httpx.Client, action: str, asked: dict[str, str], status: int, kind: str
) -> None:
    answer = client.get(action, params=asked)
    assert answer.status_code == status
    assert (answer.json()["success"], answer.json()["error"]["__type"]) == (False, kind)


def test_prices_of_a_day_are_published_in_its_morning(town: Town) -> None:
    table = TABLES[0]
    nine = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    before = table.at(town, 1671, nine - timedelta(seconds=1))
    after = table.at(town, 1671, nine)
    assert (before[-1]["tanggal"], after[-1]["tanggal"]) == ("2026-11-20", "2026-11-21")
    assert table.modified(town, nine) == nine


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.package)
def test_one_seed_and_time_give_the_same_rows(town: Town, table: Any) -> None:
    assert table.at(town, 1671, NOW) == table.at(town, 1671, NOW)
    assert table.at(town, 1671, NOW) != table.at(town, 7, NOW)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.package)
def test_rows_have_the_columns_that_are_stated(town: Town, table: Any) -> None:
    names = {"_id", *(name for name, _ in table.columns)}
    assert all(row.keys() == names for row in table.at(town, 1671, NOW))


def test_meat_is_dearest_just_before_lebaran(town: Town) -> None:
    eid = seasons.eid(2026)

    def mean(day: date) -> float:
        rows = prices(town, 1671, day)
        found = [int(row["harga"]) for row in rows if row["tanggal"] == day.isoformat()]
        return sum(found) / len(found)

    assert mean(eid - timedelta(days=1)) > 1.05 * mean(eid - timedelta(days=44))
    assert mean(eid - timedelta(days=1)) > 1.05 * mean(eid + timedelta(days=5))


def test_the_present_month_has_no_visitors_yet(town: Town) -> None:
    rows = tourism(town, 1671, date(2026, 11, 21))
    assert (rows[0]["bulan"], rows[-1]["bulan"]) == ("2024-11", "2026-10")


@pytest.mark.parametrize(("day", "year"), [(date(2026, 7, 31), 2025), (date(2026, 8, 1), 2026)])
def test_a_school_year_is_published_in_august(town: Town, day: date, year: int) -> None:
    assert schools(town, 1671, day)[-1]["tahun_ajaran"] == f"{year}/{year + 1}"


def test_welfare_covers_every_kecamatan_every_month(town: Town) -> None:
    rows = welfare(town, 1671, date(2026, 11, 21))
    assert len(rows) == 18 * 12
    assert rows[-1]["bulan"] == "Oktober 2026"


def test_food_costs_a_little_more_around_payday(town: Town) -> None:
    def mean(days: range) -> float:
        found = [
            int(row["harga"])
            for row in prices(town, 1671, date(2026, 9, 2))
            if row["tanggal"] in {date(2026, 8, day).isoformat() for day in days}
        ]
        return sum(found) / len(found)

    assert mean(range(25, 32)) > 1.01 * mean(range(15, 22))
