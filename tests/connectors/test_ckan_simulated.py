"""The four sources of the open data portal, from the simulated CKAN to readings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, SourceError
from lawang.domain.measure import Measurement
from simulator.satudata.tables import FILE_ONLY
from tests.connectors.simulated import Reading, run_reading

SOURCES = ("satudata_harga", "satudata_wisata", "satudata_sekolah", "satudata_sosial")


@pytest.fixture(scope="module")
def _reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with run_reading(tmp_path_factory.mktemp("satudata")) as reading:
        yield reading


@pytest.fixture
def reading(_reading: Reading) -> Iterator[Reading]:
    yield _reading
    _reading.fault("satudata", "none")


def _read(reading: Reading, source_id: str) -> list[Measurement]:
    pages = asyncio.run(reading.read(source_id))
    assert [reject for page in pages for reject in page.rejects] == []
    return [each for page in pages for each in page.measurements]


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_measure_has_values_within_what_is_expected(reading: Reading, source_id: str) -> None:
    measures = reading.city.sources[source_id].measures
    found = _read(reading, source_id)
    assert {each.measure for each in found} == measures.keys()
    for each in found:
        least, greatest = measures[each.measure].expected
        assert least is not None
        assert greatest is not None
        assert least <= each.value <= greatest


def test_prices_of_every_market_and_day_come_over_several_pages(reading: Reading) -> None:
    pages = asyncio.run(reading.read("satudata_harga"))
    assert len(pages) == 3
    assert sum(len(page.measurements) for page in pages) == 5 * 10 * 45


def test_readings_carry_when_the_portal_published_them(reading: Reading) -> None:
    found = _read(reading, "satudata_harga")
    assert {each.observed_at for each in found} == {datetime(2026, 11, 21, 2, 0, tzinfo=UTC)}


def test_thousands_and_decimals_in_indonesian_are_read(reading: Reading) -> None:
    found = {each.measure: each.value for each in _read(reading, "satudata_wisata")}
    assert found["wisatawan_nusantara"] > 100_000
    assert 20 < found["tingkat_penghunian_kamar"] < 100
    assert found["tingkat_penghunian_kamar"] % 1 > 0


@pytest.mark.parametrize("source_id", ["satudata_sekolah", "satudata_sosial"])
def test_every_kecamatan_is_known_by_the_name_or_code_given(
    reading: Reading, source_id: str
) -> None:
    regions = {each.region for each in _read(reading, source_id)}
    assert len(regions) == 18
    known = {each.code for each in reading.city.kecamatan} | {
        f"Kec. {each.name.upper()}" for each in reading.city.kecamatan
    }
    assert regions <= known


def test_an_unchanged_resource_is_not_read_again(reading: Reading) -> None:
    asyncio.run(reading.read("satudata_sosial"))
    assert asyncio.run(reading.read("satudata_sosial", reading.cursors["satudata_sosial"])) == []


def test_what_was_read_a_day_ago_is_read_again(reading: Reading) -> None:
    asyncio.run(reading.read("satudata_sosial"))
    held = reading.cursors["satudata_sosial"].validators["resource/read"]
    mark, _, _ = held.rpartition(" ")
    old = Cursor(None, {"resource/read": f"{mark} 2026-11-20T15:00:00+00:00"})
    assert asyncio.run(reading.read("satudata_sosial", old))


def test_a_resource_without_its_rows_needs_a_person(reading: Reading) -> None:
    source = reading.city.sources["satudata_harga"]
    for describe in (True, False):
        changed = source.connection | {"resource_id": FILE_ONLY, "metadata": describe}
        reading.city.sources["satudata_harga"] = replace(source, connection=changed)
        try:
            with pytest.raises(NeedsPerson, match="DataStore") as caught:
                asyncio.run(reading.read("satudata_harga"))
        finally:
            reading.city.sources["satudata_harga"] = source
        assert caught.value.kind == "not_found"


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
    reading.fault("satudata", fault)
    with pytest.raises(SourceError) as caught:
        asyncio.run(reading.read("satudata_wisata"))
    assert caught.value.kind == kind
    reading.fault("satudata", "none")
    assert asyncio.run(reading.read("satudata_wisata"))


def test_wrong_types_become_rejects_beside_good_rows(reading: Reading) -> None:
    reading.fault("satudata", "wrong_types")
    source = reading.city.sources["satudata_harga"]
    # The list of columns is spoilt as well, which a portal's rows do not need.
    pages = asyncio.run(reading.read("satudata_harga"))
    assert source.connector == "ckan"
    reasons = {reject.reason for page in pages for reject in page.rejects}
    assert reasons >= {"bad_record", "bad_time", "bad_value"}
    assert sum(len(page.measurements) for page in pages) > 500
