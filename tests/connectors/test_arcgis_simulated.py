"""PUPR's two sources, from the simulated ArcGIS server to records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lawang.domain.errors import SourceError
from tests.connectors.simulated import FAULTS, Reader, run_reader


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with run_reader(tmp_path_factory.mktemp("pupr")) as reader:
        yield reader


def test_works_come_without_a_reject_over_several_pages(reader: Reader) -> None:
    found = reader.read("pupr")
    reports = found.all("reports")
    assert len(found.parsed) > 1
    assert found.all("rejects") == []
    assert len({report.external_id for report in reports}) == len(reports) > 200


def test_every_word_of_a_work_is_in_the_maps(reader: Reader) -> None:
    source = reader.city.sources["pupr"]
    reports = reader.read("pupr").all("reports")
    assert {report.status for report in reports} <= source.status_map.keys()
    assert {report.category for report in reports} <= source.category_map.keys()
    assert {report.category_name for report in reports} >= {"Penambalan jalan"}


def test_a_work_is_in_the_middle_of_its_line_and_in_its_kelurahan(reader: Reader) -> None:
    reports = reader.read("pupr").all("reports")
    placed = [report for report in reports if report.latitude and report.longitude]
    assert 0.8 * len(reports) < len(placed) < len(reports)
    for report in placed:
        assert report.latitude is not None
        assert report.longitude is not None
        found = reader.city.gazetteer.at(report.latitude, report.longitude)
        assert found[1] == report.region


def test_a_second_poll_asks_only_for_what_was_edited(reader: Reader) -> None:
    first = reader.read("pupr")
    again = reader.read("pupr", first.cursor)
    assert 0 < len(again.all("reports")) < len(first.all("reports"))


def test_nobody_who_proposed_a_work_is_asked_for(reader: Reader) -> None:
    pages = reader.read("pupr").parsed
    assert all("PENGUSUL" not in (page.shape or {}) for page in pages)


def test_equipment_has_a_place_and_a_known_state(reader: Reader) -> None:
    source = reader.city.sources["pupr_alat"]
    (page,) = reader.read("pupr_alat").parsed
    assert (len(page.fixes), page.rejects) == (20, [])
    assert all(fix.latitude and fix.longitude and fix.observed_at for fix in page.fixes)
    assert {fix.status for fix in page.fixes} <= source.status_map.keys()
    assert {(fix.kind or "").lower() for fix in page.fixes} == source.kind_map.keys()


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fault_is_told_by_its_kind(reader: Reader, fault: str, kind: str) -> None:
    with reader.faulty("pupr", fault), pytest.raises(SourceError) as caught:
        reader.read("pupr")
    assert caught.value.kind == kind
    assert reader.read("pupr").parsed


def test_wrong_types_become_rejects_beside_good_works(reader: Reader) -> None:
    # The layer's description is spoilt as well, so it is left unread here.
    plain = reader.changed("pupr", describe=False, page_size=200)
    with plain, reader.faulty("pupr", "wrong_types"):
        found = reader.read("pupr")
    rejects = found.all("rejects")
    assert {reject.reason for reject in rejects} == {"bad_record", "no_id", "bad_time"}
    assert len(found.all("reports")) > len(rejects) > 0


@pytest.mark.parametrize("token", ["", "salah"])
def test_a_token_that_is_not_taken_needs_a_person(reader: Reader, token: str) -> None:
    with reader.changed("pupr", token=token), pytest.raises(SourceError) as caught:
        reader.read("pupr")
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    "changes", [{"format": "geojson"}, {"out_sr": 3857}, {"token_in": "parameter"}]
)
def test_other_ways_of_asking_lead_to_the_same_works(
    reader: Reader, changes: dict[str, object]
) -> None:
    usual = reader.read("pupr").all("reports")
    with reader.changed("pupr", **changes):
        other = reader.read("pupr").all("reports")
    assert {each.external_id for each in other} == {each.external_id for each in usual}
