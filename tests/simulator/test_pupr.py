"""PUPR's ArcGIS server, and the equipment behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from simulator.pupr.where import BadWhereError, read_where
from tests.simulator.conftest import Simulator

SERVICE = "arcgis/rest/services/PUPR/Pekerjaan/FeatureServer"


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    headers = {"X-Esri-Authorization": "Bearer demo"}
    base = f"{simulator.url}/pupr/"
    with httpx.Client(base_url=base, headers=headers, timeout=40, trust_env=False) as client:
        yield client
        client.post("_fault", json={"kind": "none"})


def query(client: httpx.Client, layer: int = 0, **asked: Any) -> dict[str, Any]:
    asked = {"where": "1=1", "outFields": "*", "f": "json", **asked}
    found: dict[str, Any] = client.get(f"{SERVICE}/{layer}/query", params=asked).json()
    return found


def test_pages_together_are_what_the_layer_counts(client: httpx.Client) -> None:
    count = query(client, returnCountOnly="true")["count"]
    seen: list[int] = []
    more = True
    while more:
        page = query(client, orderByFields="OBJECTID", resultOffset=len(seen))
        seen += [each["attributes"]["OBJECTID"] for each in page["features"]]
        more = page.get("exceededTransferLimit", False)
    assert len(seen) == len(set(seen)) == count > 200
    assert seen == sorted(seen)


def test_without_a_reference_the_answer_is_in_the_layers_own(client: httpx.Client) -> None:
    page = query(client, resultRecordCount=5)
    assert page["spatialReference"]["latestWkid"] == 3857
    places = [each["geometry"]["paths"][0][0][0] for each in page["features"] if each["geometry"]]
    assert all(11_600_000 < x < 11_700_000 for x in places)


def test_only_named_attributes_are_answered(client: httpx.Client) -> None:
    (feature,) = query(client, outFields="NOMOR", resultRecordCount=1)["features"]
    assert feature["attributes"].keys() == {"OBJECTID", "NOMOR"}


@pytest.mark.parametrize(
    "asked",
    [
        {"where": ""},
        {"where": "1=1; DROP TABLE works"},
        {"where": "RAHASIA = 1"},
        {"outFields": "RAHASIA"},
        {"orderByFields": "RAHASIA"},
        {"resultOffset": "-1"},
        {"outSR": "32748"},
    ],
)
def test_a_question_that_is_none_is_refused_as_such_servers_do(
    client: httpx.Client, asked: dict[str, str]
) -> None:
    assert query(client, **asked)["error"]["code"] == 400


def test_without_a_token_nothing_is_answered(simulator: Simulator) -> None:
    address = f"{simulator.url}/pupr/{SERVICE}/0/query?where=1%3D1"
    assert httpx.get(address, trust_env=False).json()["error"]["code"] == 499


def test_units_stand_still_at_night_and_work_by_day(
    simulator: Simulator, client: httpx.Client
) -> None:
    def states() -> set[int]:
        return {each["attributes"]["KONDISI"] for each in query(client, layer=1)["features"]}

    before = simulator.clock.now
    try:
        assert states() <= {3, 4}  # 22:03 WIB
        simulator.clock.now = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # Friday, 10:00 WIB
        assert 1 in states()
    finally:
        simulator.clock.now = before


def test_units_of_one_instant_are_the_same_when_asked_again(client: httpx.Client) -> None:
    assert query(client, layer=1) == query(client, layer=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1=1", True),
        ("(1=1) AND D >= TIMESTAMP '2026-11-20 00:00:00'", True),
        ("D > timestamp '2026-11-22 00:00:00'", False),
        ("N = 'O''Brien' AND ((S <> 4))", True),
        ("N = 5", False),
    ],
)
def test_a_where_is_understood(text: str, expected: bool) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000
    test = read_where(text, frozenset("DNS"))
    assert test({"D": at, "N": "O'Brien", "S": 3}) is expected


@pytest.mark.parametrize("text", ["", "(1=1", "1=1)", "1=1 OR 2=2", "1=1 AND", "X=1", "D ="])
def test_a_where_that_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(BadWhereError):
        read_where(text, frozenset("DNS"))
