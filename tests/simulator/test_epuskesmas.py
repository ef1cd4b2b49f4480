"""The simulated clinics: a database that is read while it is written, and its faults."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors import registry
from connectors.network import Rules
from lawang.city import load_city
from lawang.city.network import Network
from lawang.connector import Cursor, FetchContext, Parsed
from lawang.domain.errors import SourceError
from simulator import epuskesmas
from simulator.city_life import Town
from simulator.department import Department
from simulator.epuskesmas.clinics import clinics_of
from simulator.faults import Fault
from simulator.settings import SimulatorSettings
from tests.simulator.conftest import PACK

#: A Friday, 10:03 WIB.
NOW = datetime(2026, 11, 20, 3, 3, 7, tzinfo=UTC)
SOURCES = ("epuskesmas", "epuskesmas_antrean", "epuskesmas_obat")


def _department(folder: Path, town: Town) -> Department:
    return epuskesmas.department(town, SimulatorSettings(data_dir=folder, pack_dir=PACK))


def poll(folder: Path, source_id: str, cursor: Cursor | None = None) -> list[Parsed]:
    """What one poll of a source means, read by its own file of the pack."""
    env = {"LAWANG_SIMULATOR_DIR": str(folder), "LAWANG_SIMULATOR_URL": "http://127.0.0.1:1"}
    source = load_city(PACK, simulated=True, env=env).sources[source_id]
    options, connector = registry.bind(source), registry.get(source.connector)

    async def fetch() -> list[Parsed]:
        rules = Rules.of(Network(), ())
        async with httpx.AsyncClient() as client:
            context = FetchContext(
                client, lambda: NOW, timedelta(seconds=2), 20_000_000, source_id, rules=rules
            )
            return [
                connector.parse(options, answer)
                async for answer in connector.fetch(options, cursor or Cursor(), context)
            ]

    return asyncio.run(fetch())


@pytest.fixture(scope="module")
def lived(
    tmp_path_factory: pytest.TempPathFactory, town: Town
) -> Iterator[tuple[Path, Department]]:
    folder = tmp_path_factory.mktemp("epuskesmas")
    clinics = _department(folder, town)
    clinics.advance(NOW)
    yield folder, clinics
    clinics.close()


def _rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(folder / "epuskesmas.sqlite3")) as database:
        tables = ("puskesmas", "kunjungan", "rekap_harian", "antrian", "stok_obat")
        return {table: sorted(database.execute(f"SELECT * FROM {table}")) for table in tables}


def test_its_past_is_there_at_once(tmp_path: Path, town: Town) -> None:
    clinics = _department(tmp_path, town)
    begun = time.monotonic()
    clinics.advance(NOW)
    assert time.monotonic() - begun < 8
    clinics.close()
    assert sum(map(len, _rows(tmp_path).values())) < 15_000


def test_every_kecamatan_has_clinics(town: Town) -> None:
    clinics = clinics_of(town, 1671)
    assert (
        len({clinic.code for clinic in clinics}) == len({clinic.name for clinic in clinics}) == 42
    )
    assert len({clinic.place.kecamatan for clinic in clinics}) == 18


def test_it_does_not_matter_in_how_many_steps_time_passes(tmp_path: Path, town: Town) -> None:
    for name, steps in (("a", (0, 7, 26, 27)), ("b", (0, 27))):
        clinics = _department(tmp_path / name, town)
        for hours in steps:
            clinics.advance(NOW + timedelta(hours=hours))
        clinics.close()
    assert _rows(tmp_path / "a") == _rows(tmp_path / "b")


@pytest.mark.parametrize(("source_id", "count"), [(SOURCES[1], 84), (SOURCES[2], 252)])
def test_every_clinic_is_read_without_rejects(
    lived: tuple[Path, Department], source_id: str, count: int
) -> None:
    found = poll(lived[0], source_id)
    assert [each.rejects for each in found] == [[]] * len(found)
    assert sum(len(each.measurements) for each in found) == count


def test_visits_are_counted_by_clinic_and_day(lived: tuple[Path, Department]) -> None:
    found = poll(lived[0], "epuskesmas")
    assert not any(each.rejects or each.repeated for each in found)
    midnight = datetime(2026, 11, 19, 17, 0, tzinfo=UTC)
    today = {m.subject: m.value for each in found for m in each.measurements if m.at == midnight}
    query = (
        "SELECT kd_puskesmas, COUNT(*) FROM kunjungan "
        "WHERE waktu_daftar >= '2026-11-20' GROUP BY kd_puskesmas"
    )
    with closing(sqlite3.connect(lived[0] / "epuskesmas.sqlite3")) as database:
        assert {key: float(count) for key, count in database.execute(query)} == today


def test_no_patient_is_in_what_is_read(lived: tuple[Path, Department]) -> None:
    said = "".join(str(poll(lived[0], source_id)) for source_id in SOURCES)
    patients = _rows(lived[0])["kunjungan"]
    assert len(patients) > 500
    assert all(
        str(nik) not in said and str(name) not in said for _, _, _, nik, name, *_ in patients
    )
    assert all(str(row[3]).startswith("9916710101") for row in patients)


def test_nobody_waits_on_a_sunday(tmp_path: Path, town: Town) -> None:
    clinics = _department(tmp_path, town)
    clinics.advance(NOW + timedelta(days=2))
    found = poll(tmp_path, "epuskesmas_antrean")[0].measurements
    assert {m.value for m in found} == {0.0}
    clinics.close()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("off", "unreachable"),
        ("slow", "timeout"),
        ("500", "not_found"),
        ("garbage", "garbage"),
        ("truncated", "garbage"),
    ],
)
def test_a_fault_is_told_by_its_kind_and_recovered_from(
    lived: tuple[Path, Department], kind: str, error: str
) -> None:
    folder, clinics = lived
    clinics.faults.set(Fault(kind))
    clinics.advance(NOW)
    try:
        with pytest.raises(SourceError) as caught:
            poll(folder, "epuskesmas")
        assert caught.value.kind == error
    finally:
        clinics.faults.set(Fault())
        clinics.advance(NOW)
    assert poll(folder, "epuskesmas_antrean")[0].measurements


def test_wrong_types_are_rejected_beside_good_rows(lived: tuple[Path, Department]) -> None:
    folder, clinics = lived
    clinics.faults.set(Fault("wrong_types"))
    clinics.advance(NOW)
    (parsed,) = poll(folder, "epuskesmas_antrean")
    clinics.faults.set(Fault())
    clinics.advance(NOW)
    assert {each.reason for each in parsed.rejects} == {"bad_value", "bad_time"}
    assert len(parsed.measurements) > 70


def test_a_clock_ahead_shows_in_its_times(lived: tuple[Path, Department]) -> None:
    folder, clinics = lived
    clinics.faults.set(Fault("clock_skew", 7200.0))
    clinics.advance(NOW)
    (parsed,) = poll(folder, "epuskesmas_antrean")
    clinics.faults.set(Fault())
    clinics.advance(NOW)
    assert parsed.watermark is not None
    assert parsed.watermark > NOW + timedelta(minutes=100)


def test_it_lives_on_behind_a_fault_and_a_restart_is_sound(tmp_path: Path, town: Town) -> None:
    clinics = _department(tmp_path, town)
    clinics.advance(NOW)
    clinics.faults.set(Fault("off"))
    clinics.advance(NOW + timedelta(hours=1))
    again = _department(tmp_path, town)  # as after a crash: the fault was never ended
    again.advance(NOW + timedelta(hours=2))
    assert poll(tmp_path, "epuskesmas_antrean")[0].watermark == datetime(
        2026, 11, 20, 5, 3, tzinfo=UTC
    )
    again.close()
