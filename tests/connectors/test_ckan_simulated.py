"""The four sources of the open data portal, from the simulated CKAN to readings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, SourceError
from lawang.domain.measure import Measurement
from simulator.satudata.tables import FILE_ONLY
from tests.connectors.simulated import FAULTS, Reader, run_reader

SOURCES = ("satudata_harga", "satudata_wisata", "satudata_sekolah", "satudata_sosial")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with run_reader(tmp_path_factory.mktemp("satudata")) as reader:
        yield reader


def _read(reader: Reader, source_id: str) -> list[Measurement]:
    found = reader.read(source_id)
    assert found.all("rejects") == []
    return found.all("measurements")


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_measure_has_values_within_what_is_expected(reader: Reader, source_id: str) -> None:
    measures = reader.city.sources[source_id].measures
    found = _read(reader, source_id)
    assert {each.measure for each in found} == measures.keys()
    for each in found:
        least, greatest = measures[each.measure].expected
        assert least is not None
        assert greatest is not None
        assert least <= each.value <= greatest


def test_prices_of_every_market_and_day_come_over_several_pages(reader: Reader) -> None:
    found = reader.read("satudata_harga")
    assert len(found.parsed) == 3
    assert len(found.all("measurements")) == 5 * 10 * 45


def test_readings_carry_when_the_portal_published_them(reader: Reader) -> None:
    found = _read(reader, "satudata_harga")
    assert {each.observed_at for each in found} == {datetime(2026, 11, 21, 2, 0, tzinfo=UTC)}


def test_thousands_and_decimals_in_indonesian_are_read(reader: Reader) -> None:
    found = {each.measure: each.value for each in _read(reader, "satudata_wisata")}
    assert found["wisatawan_nusantara"] > 100_000
    assert 20 < found["tingkat_penghunian_kamar"] < 100
    assert found["tingkat_penghunian_kamar"] % 1 > 0


@pytest.mark.parametrize("source_id", ["satudata_sekolah", "satudata_sosial"])
def test_every_kecamatan_is_known_by_the_name_or_code_given(reader: Reader, source_id: str) -> None:
    regions = {each.region for each in _read(reader, source_id)}
    assert len(regions) == 18
    known = {each.code for each in reader.city.kecamatan} | {
        f"Kec. {each.name.upper()}" for each in reader.city.kecamatan
    }
    assert regions <= known


def test_an_unchanged_resource_is_not_read_again(reader: Reader) -> None:
    first = reader.read("satudata_sosial")
    assert reader.read("satudata_sosial", first.cursor).parsed == []


def test_what_was_read_a_day_ago_is_read_again(reader: Reader) -> None:
    held = reader.read("satudata_sosial").cursor.validators["resource/read"]
    mark, _, _ = held.rpartition(" ")
    old = Cursor(None, {"resource/read": f"{mark} 2026-11-20T15:00:00+00:00"})
    assert reader.read("satudata_sosial", old).parsed


@pytest.mark.parametrize("describe", [True, False])
def test_a_resource_without_its_rows_needs_a_person(reader: Reader, describe: bool) -> None:
    file_only = reader.changed("satudata_harga", resource_id=FILE_ONLY, metadata=describe)
    with file_only, pytest.raises(NeedsPerson, match="DataStore") as caught:
        reader.read("satudata_harga")
    assert caught.value.kind == "not_found"


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fault_is_told_by_its_kind(reader: Reader, fault: str, kind: str) -> None:
    with reader.faulty("satudata", fault), pytest.raises(SourceError) as caught:
        reader.read("satudata_wisata")
    assert caught.value.kind == kind
    assert reader.read("satudata_wisata").parsed


def test_wrong_types_become_rejects_beside_good_rows(reader: Reader) -> None:
    # The list of columns is spoilt as well, which a portal's rows do not need.
    with reader.faulty("satudata", "wrong_types"):
        found = reader.read("satudata_harga")
    reasons = {reject.reason for reject in found.all("rejects")}
    assert reasons >= {"bad_record", "bad_time", "bad_value"}
    assert len(found.all("measurements")) > 500
