"""Each fault on the wire, and that it can be mended."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from simulator.faults import HUGE_BYTES, KINDS, Fault, FaultError, read_fault
from tests.simulator.conftest import NOW, Simulator


def times(simulator: Simulator) -> list[datetime]:
    records = simulator.api.get("requests.json").json()
    return [datetime.fromisoformat(record["requested_datetime"]) for record in records]


def test_off_hangs_up_without_an_answer(simulator: Simulator) -> None:
    simulator.fault("off")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        simulator.api.get("requests.json")


def test_off_also_hangs_up_on_reports(simulator: Simulator) -> None:
    simulator.fault("off")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        simulator.api.post("requests.json", data={"api_key": "demo"})


def test_slow_keeps_the_client_waiting(simulator: Simulator) -> None:
    simulator.fault("slow")
    with pytest.raises(httpx.ReadTimeout):
        simulator.api.get("requests.json", timeout=0.3)


def test_slow_answers_in_the_end(simulator: Simulator) -> None:
    simulator.fault("slow", seconds=0.05)
    answer = simulator.api.get("requests.json")
    assert answer.elapsed >= timedelta(seconds=0.05)
    assert len(answer.json()) == 100


def test_mending_releases_those_who_wait(simulator: Simulator) -> None:
    simulator.fault("slow", seconds=60)
    threading.Timer(0.2, simulator.fault, ("none",)).start()
    assert simulator.api.get("requests.json").status_code == 200


def test_500_is_an_error_of_the_server(simulator: Simulator) -> None:
    simulator.fault("500")
    answer = simulator.api.get("requests.json")
    assert answer.status_code == 500
    assert answer.json()[0]["code"] == 500


def test_429_says_when_to_come_back(simulator: Simulator) -> None:
    simulator.fault("429", retry_after=7)
    answer = simulator.api.get("requests.json")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_garbage_is_no_json_though_it_says_so(simulator: Simulator) -> None:
    simulator.fault("garbage")
    answer = simulator.api.get("requests.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError):  # noqa: PT011  either no UTF-8 or no JSON
        answer.json()


def test_truncated_is_the_beginning_of_the_true_answer(simulator: Simulator) -> None:
    whole = simulator.api.get("requests.json")
    simulator.fault("truncated")
    answer = simulator.api.get("requests.json", headers={"If-None-Match": whole.headers["etag"]})
    assert answer.status_code == 200
    assert answer.content == whole.content[: len(whole.content) // 2]
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_wrong_types_stand_beside_good_records(simulator: Simulator) -> None:
    true = simulator.api.get("requests.json").json()
    simulator.fault("wrong_types")
    records: list[Any] = simulator.api.get("requests.json").json()
    good = [
        (here, there)
        for here, there in zip(records, true, strict=True)
        if isinstance(here, dict)
        and here["service_request_id"] == there["service_request_id"]
        and here["description"] == there["description"]
    ]
    assert 0.5 * len(true) < len(good) < len(true)
    assert any(isinstance(record, str) for record in records)
    assert any(isinstance(record, dict) and isinstance(record["lat"], list) for record in records)
    assert any(isinstance(record, dict) and isinstance(record["lat"], str) for record in records)


def test_wrong_types_make_an_object_of_the_list_of_services(simulator: Simulator) -> None:
    simulator.fault("wrong_types")
    assert isinstance(simulator.api.get("services.json").json(), dict)


def test_clock_skew_shifts_all_times(simulator: Simulator) -> None:
    before = times(simulator)
    simulator.fault("clock_skew", seconds=7200)
    assert times(simulator) == [at + timedelta(hours=2) for at in before]


def test_clock_skew_shifts_what_a_filter_means(simulator: Simulator) -> None:
    since = (NOW + timedelta(hours=1)).isoformat()
    query = {"updated_after": since}
    assert simulator.api.get("requests.json", params=query).json() == []
    simulator.fault("clock_skew")
    found = simulator.api.get("requests.json", params=query).json()
    assert found
    assert all(r["updated_datetime"] is None or r["updated_datetime"] >= since for r in found)


def test_clock_skew_shows_in_the_date_of_the_answer(simulator: Simulator) -> None:
    simulator.fault("clock_skew", seconds=-3600)
    date = simulator.api.get("requests.json").headers["date"]
    assert parsedate_to_datetime(date) == NOW - timedelta(hours=1)


def test_auth_is_refused_in_the_words_of_the_standard(simulator: Simulator) -> None:
    simulator.fault("auth")
    answer = simulator.api.get("requests.json")
    assert answer.status_code == 403
    assert "api_key" in answer.json()[0]["description"]


def test_huge_pours_until_the_client_leaves(simulator: Simulator) -> None:
    simulator.fault("huge")
    read = 0
    with simulator.api.stream("GET", "requests.json") as answer:
        assert "content-length" not in answer.headers
        for chunk in answer.iter_raw():
            read += len(chunk)
            if read > 5_000_000:
                break
    simulator.fault("none")
    assert simulator.api.get("requests.json").status_code == 200


def test_huge_ends_after_200_megabytes(simulator: Simulator) -> None:
    simulator.fault("huge")
    with simulator.api.stream("GET", "requests.json") as answer:
        read = sum(len(chunk) for chunk in answer.iter_raw())
    assert HUGE_BYTES <= read < 1.01 * HUGE_BYTES


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
def test_every_fault_can_be_asked_after_and_mended(simulator: Simulator, kind: str) -> None:
    simulator.fault(kind)
    assert simulator.elapor.get("_fault").json()["kind"] == kind
    simulator.fault("none")
    assert simulator.elapor.get("_fault").json() == {"kind": "none"}
    assert len(simulator.api.get("requests.json").json()) == 100


def test_rain_is_not_reached_by_faults(simulator: Simulator) -> None:
    simulator.fault("off")
    assert simulator.elapor.post("_rain", json={"kecamatan": "16.71.03"}).status_code == 201


@pytest.mark.parametrize("body", [b"{}", b"[]", b"off", b'{"kind": "meteor"}', b'{"kind": 500}'])
def test_an_unknown_kind_is_answered_with_the_known_ones(simulator: Simulator, body: bytes) -> None:
    answer = simulator.elapor.post("_fault", content=body)
    assert answer.status_code == 400
    assert "kind" in answer.json()["error"]


def test_the_list_of_kinds_is_told() -> None:
    with pytest.raises(FaultError, match="off, slow, 500, 429, garbage, truncated, wrong_types"):
        read_fault({"kind": "meteor"})


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "slow", "seconds": "30"},
        {"kind": "slow", "seconds": -1},
        {"kind": "slow", "seconds": float("nan")},
        {"kind": "slow", "seconds": True},
        {"kind": "429", "retry_after": 1e9},
        {"kind": "off", "seconds": 3},
    ],
)
def test_an_option_that_cannot_be_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(FaultError):
        read_fault(asked)


@pytest.mark.parametrize(
    ("kind", "amount"), [("slow", 30.0), ("429", 10.0), ("clock_skew", 7200.0), ("off", 0.0)]
)
def test_options_have_defaults(kind: str, amount: float) -> None:
    assert read_fault({"kind": kind}) == Fault(kind, amount)
