"""The simulated Bapenda: sums that follow the year, in tables as SISMIOP has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lawang.city import load_city
from lawang.connector import Cursor
from simulator import bapenda
from simulator.city_life import Town
from simulator.department import Department
from simulator.settings import SimulatorSettings
from tests.simulator.conftest import PACK
from tests.simulator.test_epuskesmas import NOW, poll


def _department(folder: Path, town: Town) -> Department:
    return bapenda.department(town, SimulatorSettings(data_dir=folder, pack_dir=PACK))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, town: Town) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("bapenda")
    office = _department(folder, town)
    office.advance(NOW)
    yield folder
    office.close()


def _ask(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "bapenda.sqlite3")) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize("source_id", ["pbb", "pajak_daerah"])
def test_everything_is_read_without_rejects(folder: Path, source_id: str) -> None:
    found = poll(folder, source_id)
    assert sum(len(each.measurements) for each in found) > 200
    assert not any(each.rejects or each.repeated for each in found)


def test_pbb_stands_where_it_stood_in_february(tmp_path: Path, town: Town) -> None:
    office = _department(tmp_path, town)
    office.advance(datetime(2025, 2, 21, 16, 0, tzinfo=UTC))
    office.close()
    ((taken,),) = _ask(
        tmp_path, "SELECT SUM(JML_SPPT_YG_DIBAYAR) FROM REKAP_PBB WHERE TGL_REKAP = '2025-02-21'"
    )
    assert taken == pytest.approx(0.0086 * 249e9 * 1.03**2, rel=1e-6)


def test_2023_is_what_it_was(tmp_path: Path, town: Town) -> None:
    office = _department(tmp_path, town)
    office.advance(datetime(2024, 1, 1, 5, 0, tzinfo=UTC))
    office.close()
    ((taken, target),) = _ask(
        tmp_path,
        "SELECT SUM(JML_SPPT_YG_DIBAYAR), SUM(TARGET_PBB) FROM REKAP_PBB "
        "WHERE TGL_REKAP = '2023-12-31'",
    )
    assert (taken, target) == (249_000_000_000, 279_000_000_000)


def test_two_years_of_months_are_there(folder: Path) -> None:
    months = _ask(folder, "SELECT DISTINCT substr(TGL_REKAP, 1, 7) FROM REKAP_PBB")
    assert len(months) == 24 + 11


def test_what_has_come_in_never_falls_within_a_year(folder: Path) -> None:
    last: dict[tuple[str, int], float] = {}
    for parsed in poll(folder, "pbb"):
        for each in sorted(parsed.measurements, key=lambda m: m.at):
            if each.measure == "pbb_penerimaan":
                key = (each.subject, (each.at + timedelta(hours=7)).year)
                assert each.value >= last.get(key, 0.0)
                last[key] = each.value
    assert len(last) == 18 * 3


def test_taxes_are_read_in_full_rupiah(folder: Path) -> None:
    found = [m for each in poll(folder, "pajak_daerah") for m in each.measurements]
    hotel = {
        m.at: m.value for m in found if (m.measure, m.subject) == ("pajak_realisasi", "PBJT-HOTEL")
    }
    december = datetime(2025, 12, 30, 17, 0, tzinfo=UTC)
    assert hotel[december] == pytest.approx(61.5e9 * 1.03**2, rel=1e-6)


def test_every_code_of_bapendas_own_leads_to_its_kecamatan(folder: Path, town: Town) -> None:
    mapped = load_city(PACK, simulated=True).sources["pbb"].region_map
    names = {place.kecamatan_name.upper(): place.kecamatan for place in town.neighbourhoods}
    told = _ask(folder, "SELECT KD_KECAMATAN, NM_KECAMATAN FROM REF_KECAMATAN")
    assert {code: names[str(name)] for code, name in told} == mapped


def test_a_later_poll_reads_the_running_day_alone(folder: Path) -> None:
    watermark = poll(folder, "pbb")[-1].watermark
    (parsed,) = poll(folder, "pbb", Cursor(watermark))
    assert {(m.at + timedelta(hours=7)).date() for m in parsed.measurements} == {date(2026, 11, 20)}


def test_a_payment_has_its_object(folder: Path) -> None:
    ((lost,),) = _ask(
        folder,
        "SELECT COUNT(*) FROM PEMBAYARAN_SPPT p WHERE NOT EXISTS (SELECT 1 FROM SPPT s WHERE "
        "s.KD_KECAMATAN = p.KD_KECAMATAN AND s.NO_URUT = p.NO_URUT AND "
        "s.STATUS_PEMBAYARAN_SPPT = '1')",
    )
    assert lost == 0
    nop = "KD_PROPINSI||KD_DATI2||KD_KECAMATAN||KD_KELURAHAN||KD_BLOK||NO_URUT||KD_JNS_OP"
    assert _ask(folder, f"SELECT DISTINCT length({nop}) FROM SPPT") == [(18,)]


def test_it_does_not_matter_in_how_many_steps_time_passes(tmp_path: Path, town: Town) -> None:
    end = datetime(2026, 10, 2, 4, 0, tzinfo=UTC)
    for name, steps in (("a", (50, 26, 3, 0)), ("b", (50, 0))):
        office = _department(tmp_path / name, town)
        for hours in steps:
            office.advance(end - timedelta(hours=hours))
        office.close()
    for table in ("REKAP_PBB", "REALISASI_PAJAK", "SPPT", "PEMBAYARAN_SPPT"):
        rows = [sorted(_ask(tmp_path / name, f"SELECT * FROM {table}")) for name in "ab"]
        assert rows[0] == rows[1]
