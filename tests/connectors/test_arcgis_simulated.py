"""PUPR's two sources, from the simulated ArcGIS server to records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lawang.domain.errors import SourceError
from tests.connectors.simulated import Reading, run_reading


@pytest.fixture(scope="module")
def _reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with run_reading(tmp_path_factory.mktemp("pupr")) as reading:
        yield reading


@pytest.fixture
def reading(_reading: Reading) -> Iterator[Reading]:
    yield _reading
    _reading.fault("pupr", "none")


def test_works_come_without_a_reject_over_several_pages(reading: Reading) -> None:
    pages = asyncio.run(reading.read("pupr"))
    reports = [report for page in pages for report in page.reports]
    assert len(pages) > 1
    assert [reject for page in pages for reject in page.rejects] == []
    assert len({report.external_id for report in reports}) == len(reports) > 200


def test_every_word_of_a_work_is_in_the_maps(reading: Reading) -> None:
    source = reading.city.sources["pupr"]
    reports = [each for page in asyncio.run(reading.read("pupr")) for each in page.reports]
    assert {report.status for report in reports} <= source.status_map.keys()
    assert {report.category for report in reports} <= source.category_map.keys()
    assert {report.category_name for report in reports} >= {"Penambalan jalan"}


def test_a_work_is_in_the_middle_of_its_line_and_in_its_kelurahan(reading: Reading) -> None:
    reports = [each for page in asyncio.run(reading.read("pupr")) for each in page.reports]
    placed = [report for report in reports if report.latitude and report.longitude]
    assert 0.8 * len(reports) < len(placed) < len(reports)
    for report in placed:
        assert report.latitude is not None
        assert report.longitude is not None
        found = reading.city.gazetteer.at(report.latitude, report.longitude)
        assert found[1] == report.region


def test_a_second_poll_asks_only_for_what_was_edited(reading: Reading) -> None:
    first = asyncio.run(reading.read("pupr"))
    again = asyncio.run(reading.read("pupr", reading.cursors["pupr"]))
    assert 0 < sum(len(page.reports) for page in again) < sum(len(page.reports) for page in first)


def test_nobody_who_proposed_a_work_is_asked_for(reading: Reading) -> None:
    pages = asyncio.run(reading.read("pupr"))
    assert all("PENGUSUL" not in (page.shape or {}) for page in pages)


def test_equipment_has_a_place_and_a_known_state(reading: Reading) -> None:
    source = reading.city.sources["pupr_alat"]
    (page,) = asyncio.run(reading.read("pupr_alat"))
    assert (len(page.fixes), page.rejects) == (20, [])
    assert all(fix.latitude and fix.longitude and fix.observed_at for fix in page.fixes)
    assert {fix.status for fix in page.fixes} <= source.status_map.keys()
    assert {(fix.kind or "").lower() for fix in page.fixes} == source.kind_map.keys()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("off", "unreachable"),
        ("500", "bad_status"),
        ("429", "rate_limited"),
        ("auth", "refused"),
        ("garbage", "garbage"),
        ("truncated", "garbage"),
        ("huge", "too_large"),
    ],
)
def test_a_fault_is_told_by_its_kind(reading: Reading, fault: str, kind: str) -> None:
    reading.fault("pupr", fault)
    with pytest.raises(SourceError) as caught:
        asyncio.run(reading.read("pupr"))
    assert caught.value.kind == kind
    reading.fault("pupr", "none")
    assert asyncio.run(reading.read("pupr"))


def test_wrong_types_become_rejects_beside_good_works(reading: Reading) -> None:
    source = reading.city.sources["pupr"]
    # The layer's description is spoilt as well, so it is left unread here.
    plain = replace(source, connection={**source.connection, "describe": False, "page_size": 200})
    reading.city.sources["pupr"] = plain
    reading.fault("pupr", "wrong_types")
    try:
        pages = asyncio.run(reading.read("pupr"))
    finally:
        reading.city.sources["pupr"] = source
    rejects = [reject for page in pages for reject in page.rejects]
    assert {reject.reason for reject in rejects} == {"bad_record", "no_id", "bad_time"}
    assert sum(len(page.reports) for page in pages) > len(rejects) > 0


@pytest.mark.parametrize("token", ["", "salah"])
def test_a_token_that_is_not_taken_needs_a_person(reading: Reading, token: str) -> None:
    source = reading.city.sources["pupr"]
    reading.city.sources["pupr"] = replace(source, connection={**source.connection, "token": token})
    try:
        with pytest.raises(SourceError) as caught:
            asyncio.run(reading.read("pupr"))
    finally:
        reading.city.sources["pupr"] = source
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    "changes", [{"format": "geojson"}, {"out_sr": 3857}, {"token_in": "parameter"}]
)
def test_other_ways_of_asking_lead_to_the_same_works(
    reading: Reading, changes: dict[str, object]
) -> None:
    usual = [each for page in asyncio.run(reading.read("pupr")) for each in page.reports]
    source = reading.city.sources["pupr"]
    reading.city.sources["pupr"] = replace(source, connection=source.connection | changes)
    try:
        other = [each for page in asyncio.run(reading.read("pupr")) for each in page.reports]
    finally:
        reading.city.sources["pupr"] = source
    assert {each.external_id for each in other} == {each.external_id for each in usual}
    places = {each.external_id: each.latitude for each in usual}
    for each in other:
        assert each.latitude == pytest.approx(places[each.external_id], abs=1e-6)
