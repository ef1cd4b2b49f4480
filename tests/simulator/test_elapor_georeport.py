"""GeoReport v2 as a client sees it, over HTTP."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.elapor.georeport import API_KEY
from simulator.elapor.services import SERVICES
from tests.simulator.conftest import NOW, HeldClock, Simulator, run_simulator

FIELDS = {
    "service_request_id",
    "status",
    "status_notes",
    "service_name",
    "service_code",
    "description",
    "agency_responsible",
    "service_notice",
    "requested_datetime",
    "updated_datetime",
    "expected_datetime",
    "address",
    "address_id",
    "zipcode",
    "lat",
    "long",
    "media_url",
}
REPORT = {
    "api_key": API_KEY,
    "service_code": "JLN",
    "lat": "-2.9988",
    "long": "104.7612",
    "description": "Jalan berlubang di depan pasar",
}


def requests(simulator: Simulator, **query: Any) -> list[dict[str, Any]]:
    answer = simulator.api.get("requests.json", params=query)
    answer.raise_for_status()
    records: list[dict[str, Any]] = answer.json()
    return records


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def file_report(simulator: Simulator, **fields: str) -> str:
    answer = simulator.api.post("requests.json", data={**REPORT, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()[0]["service_request_id"])


def refused(answer: httpx.Response, status: int) -> str:
    """The sentence of an error in the standard's shape."""
    assert answer.status_code == status
    (error,) = answer.json()
    assert error["code"] == status
    return str(error["description"])


def test_discovery_names_the_endpoint_that_answers(simulator: Simulator) -> None:
    found = simulator.elapor.get("open311/discovery.json").json()
    url = found["endpoints"][0]["url"]
    assert httpx.get(f"{url}/services.json", trust_env=False).status_code == 200


def test_services_are_the_eleven_of_the_city(simulator: Simulator) -> None:
    services = simulator.api.get("services.json").json()
    assert [service["service_code"] for service in services] == [s.code for s in SERVICES]
    assert services[0]["service_name"] == "Jalan rusak"
    assert services[0]["metadata"] is True


def test_a_definition_lists_its_questions(simulator: Simulator) -> None:
    definition = simulator.api.get("services/BJR.json").json()
    assert definition["service_code"] == "BJR"
    assert definition["attributes"][0]["values"][0] == {"key": "MK", "name": "Semata kaki"}


def test_a_definition_of_no_service_is_not_found(simulator: Simulator) -> None:
    assert "service_code" in refused(simulator.api.get("services/XXX.json"), 404)


def test_requests_carry_every_field_of_the_standard(simulator: Simulator) -> None:
    assert all(record.keys() == FIELDS for record in requests(simulator))


def test_times_are_in_the_citys_zone(simulator: Simulator) -> None:
    assert all(record["requested_datetime"].endswith("+07:00") for record in requests(simulator))


def test_notes_begin_with_the_stage(simulator: Simulator) -> None:
    stages = {r["status_notes"].partition(": ")[0] for r in requests(simulator, page_size=1000)}
    assert {"Menunggu", "Disposisi", "Proses", "Selesai"} <= stages


def test_the_newest_report_comes_first(simulator: Simulator) -> None:
    times = [instant(record["requested_datetime"]) for record in requests(simulator)]
    assert times == sorted(times, reverse=True)


def test_a_page_has_a_hundred_and_at_most_a_thousand(simulator: Simulator) -> None:
    assert len(requests(simulator)) == 100
    assert len(requests(simulator, page_size=5000)) == 1000


def test_pages_together_hold_every_report_once(simulator: Simulator) -> None:
    ids: list[str] = []
    page = 1
    while records := requests(simulator, page=page, page_size=500):
        ids += [record["service_request_id"] for record in records]
        page += 1
    assert len(ids) == len(set(ids)) > 1_200


def test_start_and_end_bound_the_time_of_the_report(simulator: Simulator) -> None:
    start, end = NOW - timedelta(days=9), NOW - timedelta(days=7)
    records = requests(
        simulator, start_date=start.isoformat(), end_date=end.isoformat(), page_size=1000
    )
    assert records
    assert all(start <= instant(record["requested_datetime"]) <= end for record in records)


def test_a_span_over_ninety_days_is_refused(simulator: Simulator) -> None:
    query = {"start_date": "2026-01-01T00:00:00+07:00", "end_date": "2026-11-01T00:00:00+07:00"}
    assert "90 hari" in refused(simulator.api.get("requests.json", params=query), 400)


def test_updated_after_gives_changes_oldest_first(simulator: Simulator) -> None:
    since = NOW - timedelta(days=2)
    records = requests(simulator, updated_after=since.isoformat(), page_size=1000)
    times = [instant(r["updated_datetime"]) for r in records if r["updated_datetime"]]
    assert len(times) > 50
    assert times == sorted(times)
    assert times[0] >= since


def test_updated_after_is_inclusive(simulator: Simulator) -> None:
    newest = requests(simulator, updated_after=(NOW - timedelta(days=2)).isoformat())[-1]
    again = requests(simulator, updated_after=newest["updated_datetime"])
    assert newest["service_request_id"] in [record["service_request_id"] for record in again]


def test_updated_after_finds_old_reports_that_changed(simulator: Simulator) -> None:
    since = NOW - timedelta(days=1)
    records = requests(simulator, updated_after=since.isoformat(), page_size=1000)
    assert any(instant(record["requested_datetime"]) < since for record in records)


def test_a_plus_sign_may_come_unescaped(simulator: Simulator) -> None:
    answer = simulator.api.get("requests.json?updated_after=2026-11-20T07:00:00+07:00")
    assert answer.status_code == 200


@pytest.mark.parametrize("status", ["open", "closed"])
def test_status_filters(simulator: Simulator, status: str) -> None:
    assert {record["status"] for record in requests(simulator, status=status)} == {status}


def test_both_statuses_may_be_asked_for(simulator: Simulator) -> None:
    found = requests(simulator, status="open,closed", page_size=1000)
    assert {record["status"] for record in found} == {"open", "closed"}


def test_service_codes_filter(simulator: Simulator) -> None:
    found = requests(simulator, service_code="BJR,PHN")
    assert {record["service_code"] for record in found} == {"BJR", "PHN"}


def test_ids_override_every_other_filter(simulator: Simulator) -> None:
    two = [record["service_request_id"] for record in requests(simulator, status="closed")[:2]]
    found = requests(simulator, service_request_id=",".join(two), status="open")
    assert sorted(record["service_request_id"] for record in found) == sorted(two)


def test_one_request_is_found_by_its_id(simulator: Simulator) -> None:
    record = requests(simulator)[3]
    assert simulator.api.get(f"requests/{record['service_request_id']}.json").json() == [record]


def test_a_request_that_is_not_there_is_not_found(simulator: Simulator) -> None:
    assert "service_request_id" in refused(simulator.api.get("requests/EL-0.json"), 404)


def test_a_jurisdiction_is_accepted(simulator: Simulator) -> None:
    assert requests(simulator, jurisdiction_id="palembang.go.id")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start_date", "kemarin"),
        ("updated_after", "2026-13-01"),
        ("end_date", "0001-01-01T00:00:00+14:00"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "9" * 30),
        ("page_size", "banyak"),
        ("status", "mungkin"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    simulator: Simulator, name: str, value: str
) -> None:
    assert name in refused(simulator.api.get("requests.json", params={name: value}), 400)


def test_an_unchanged_answer_is_not_sent_again(simulator: Simulator) -> None:
    tag = simulator.api.get("requests.json").headers["etag"]
    answer = simulator.api.get("requests.json", headers={"If-None-Match": f'"old", W/{tag}'})
    assert answer.status_code == 304
    assert answer.content == b""


def test_a_changed_answer_has_another_tag(simulator: Simulator) -> None:
    tag = simulator.api.get("requests.json").headers["etag"]
    file_report(simulator)
    answer = simulator.api.get("requests.json", headers={"If-None-Match": tag})
    assert answer.status_code == 200


def test_xml_and_json_say_the_same(simulator: Simulator) -> None:
    document = ET.fromstring(simulator.api.get("requests.xml").content)
    assert document.tag == "service_requests"
    spoken = [{field.tag: field.text for field in request} for request in document]
    plain = [
        {name: None if value is None else str(value) for name, value in record.items()}
        for record in requests(simulator)
    ]
    assert spoken == plain


def test_services_are_answered_in_xml(simulator: Simulator) -> None:
    document = ET.fromstring(simulator.api.get("services.xml").content)
    assert document.tag == "services"
    assert document.findtext("service/service_code") == "JLN"


def test_errors_are_answered_in_xml(simulator: Simulator) -> None:
    document = ET.fromstring(simulator.api.get("requests/EL-0.xml").content)
    assert document.tag == "errors"
    assert document.findtext("error/code") == "404"


def test_another_format_is_not_found(simulator: Simulator) -> None:
    assert simulator.api.get("requests.csv").status_code == 404


def test_a_filed_report_is_answered_at_once(simulator: Simulator) -> None:
    report_id = file_report(simulator)
    record = requests(simulator)[0]
    assert record["service_request_id"] == report_id
    assert (record["lat"], record["long"]) == (-2.9988, 104.7612)
    assert record["status"] == "open"
    assert record["status_notes"].startswith("Menunggu: ")
    assert record["agency_responsible"] is None
    assert instant(record["requested_datetime"]) == NOW.replace(microsecond=0)


def test_a_report_filed_with_a_point_gets_an_address(simulator: Simulator) -> None:
    report_id = file_report(simulator)
    (record,) = requests(simulator, service_request_id=report_id)
    assert record["address"].startswith("Kel. ")


def test_an_address_may_stand_in_for_the_point(simulator: Simulator) -> None:
    form = {key: value for key, value in REPORT.items() if key not in ("lat", "long")}
    answer = simulator.api.post("requests.json", data={**form, "address_string": "Lr. Mawar"})
    report_id = answer.json()[0]["service_request_id"]
    (record,) = requests(simulator, service_request_id=report_id)
    assert (record["lat"], record["long"], record["address"]) == (None, None, "Lr. Mawar")


def test_reports_may_be_filed_in_xml(simulator: Simulator) -> None:
    answer = simulator.api.post("requests.xml", data=REPORT)
    document = ET.fromstring(answer.content)
    assert (document.findtext("request/service_request_id") or "").startswith("EL-")


@pytest.mark.parametrize("key", ["", "salah"])
def test_a_report_without_the_key_is_refused(simulator: Simulator, key: str) -> None:
    answer = simulator.api.post("requests.json", data={**REPORT, "api_key": key})
    assert "api_key" in refused(answer, 403)


@pytest.mark.parametrize("field", ["service_code", "description", "lat", "long"])
def test_a_missing_field_is_named(simulator: Simulator, field: str) -> None:
    form = {key: value for key, value in REPORT.items() if key != field}
    assert field in refused(simulator.api.post("requests.json", data=form), 400)


@pytest.mark.parametrize("value", ["nan", "inf", "abc", "91"])
def test_a_latitude_that_is_none_is_refused(simulator: Simulator, value: str) -> None:
    answer = simulator.api.post("requests.json", data={**REPORT, "lat": value})
    assert "lat" in refused(answer, 400)


def test_a_report_of_an_unknown_service_is_refused(simulator: Simulator) -> None:
    answer = simulator.api.post("requests.json", data={**REPORT, "service_code": "XXX"})
    assert "service_code" in refused(answer, 404)


def test_a_report_that_is_no_form_is_refused(simulator: Simulator) -> None:
    assert "form" in refused(simulator.api.post("requests.json", json=REPORT), 400)


def test_a_report_too_large_is_refused(simulator: Simulator) -> None:
    answer = simulator.api.post("requests.json", data={**REPORT, "note": "x" * 100_000})
    assert "64 KiB" in refused(answer, 413)


def test_who_filed_a_report_is_kept_but_never_answered(simulator: Simulator) -> None:
    person = {
        "first_name": "Zubaidah",
        "last_name": "Rahasia",
        "phone": "081200009999",
        "email": "zubaidah@example.test",
    }
    report_id = file_report(simulator, **person)
    answers = [
        simulator.api.get(f"requests/{report_id}.json").text,
        simulator.api.get(f"requests/{report_id}.xml").text,
        simulator.api.get("requests.json").text,
    ]
    assert not [value for value in person.values() for text in answers if value in text]
    kept = _rows(simulator.data_dir, "SELECT * FROM reporters WHERE report_id = ?", report_id)
    assert set(person.values()) <= set(kept[0])


HOSTILE = '<script>alert("x")</script> & <img src=x onerror=alert(1)> \'; DROP TABLE reports;--'


def test_hostile_text_comes_back_unchanged_in_json(simulator: Simulator) -> None:
    report_id = file_report(simulator, description=HOSTILE, address_string=HOSTILE)
    (record,) = requests(simulator, service_request_id=report_id)
    assert (record["description"], record["address"]) == (HOSTILE, HOSTILE)


def test_hostile_text_is_escaped_in_xml(simulator: Simulator) -> None:
    report_id = file_report(simulator, description=HOSTILE)
    answer = simulator.api.get(f"requests/{report_id}.xml")
    assert "<script>" not in answer.text
    assert ET.fromstring(answer.content).findtext("request/description") == HOSTILE


def test_characters_that_xml_cannot_hold_are_replaced(simulator: Simulator) -> None:
    report_id = file_report(simulator, description="nol\0bel\x07")
    answer = simulator.api.get(f"requests/{report_id}.xml")
    assert ET.fromstring(answer.content).findtext("request/description") == "nol\ufffdbel\ufffd"


def test_all_oddities_of_real_feeds_are_answered(simulator: Simulator) -> None:
    records = [r for page in (1, 2) for r in requests(simulator, page=page, page_size=1000)]
    assert any(record["lat"] is None and record["description"] for record in records)
    assert any(isinstance(record["lat"], str) for record in records)
    points = [(r["lat"], r["long"]) for r in records if isinstance(r["lat"], float)]
    assert any(latitude > 100 for latitude, _ in points)
    assert any(latitude < -3.5 for latitude, _ in points)
    assert any(record["updated_datetime"] is None for record in records)
    assert any(record["service_code"] == "WFI" for record in records)


def test_a_filed_report_goes_its_way(tmp_path: Path) -> None:
    clock = HeldClock(NOW)
    with run_simulator(tmp_path, clock) as running:
        report_id = file_report(running)
    clock.forward(days=60)
    with run_simulator(tmp_path, clock) as running:
        (record,) = requests(running, service_request_id=report_id)
    assert not record["status_notes"].startswith("Menunggu: ")
    assert instant(record["updated_datetime"]) > NOW


def test_a_filed_report_survives_a_restart(tmp_path: Path) -> None:
    clock = HeldClock(NOW)
    with run_simulator(tmp_path, clock) as running:
        first = file_report(running)
    with run_simulator(tmp_path, clock) as running:
        second = file_report(running)
        found = requests(running, service_request_id=f"{first},{second}")
    assert first != second
    assert len(found) == 2


def _rows(data_dir: Path, statement: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data_dir / "elapor.sqlite3")
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def test_extended_attributes_come_only_when_they_are_asked_for(simulator: Simulator) -> None:
    asked = {"status": "closed", "start_date": "2026-10-10T00:00:00Z", "page_size": 1000}
    assert all("extended_attributes" not in each for each in requests(simulator, **asked))
    told = [each["extended_attributes"] for each in requests(simulator, extensions="true", **asked)]
    assert {tuple(each) for each in told} == {("closed_datetime", "verified_datetime")}
    assert all(each["closed_datetime"] for each in told)
    assert any(each["verified_datetime"] for each in told)
