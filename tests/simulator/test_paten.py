"""The simulated counters: the same files from any restart, none on holidays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from simulator import paten
from simulator.city_life import Town
from simulator.settings import SimulatorSettings
from tests.simulator.conftest import NOW, PACK


def _files(town: Town, folder: Path, *hours: float) -> dict[str, bytes]:
    for after in hours:
        settings = SimulatorSettings(data_dir=folder, pack_dir=PACK)
        department = paten.department(town, settings)
        department.advance(NOW + timedelta(hours=after))
        department.close()
    return {file.name: file.read_bytes() for file in (folder / "drop" / "paten").glob("paten_*")}


def test_a_restart_makes_the_same_files(town: Town, tmp_path: Path) -> None:
    once = _files(town, tmp_path / "once", 50)
    twice = _files(town, tmp_path / "twice", 0, 50)
    assert {name: twice[name] for name in once} == once


def test_a_file_comes_on_working_days_at_half_past_four(town: Town, tmp_path: Path) -> None:
    # From Saturday 22:03 to Monday 16:03, and to 17:03.
    before = _files(town, tmp_path, 42)
    after = _files(town, tmp_path, 43)
    assert after.keys() - before.keys() == {"paten_2026-11-23.csv"}
    assert "paten_2026-11-22.csv" not in after


def test_a_csv_is_as_windows_writes_it(town: Town, tmp_path: Path) -> None:
    lines = _files(town, tmp_path, 0)["paten_2026-11-20.csv"].decode("cp1252").split("\r\n")
    assert "data simulasi" in lines[1]
    assert lines[3].startswith("No;Kecamatan;Jenis Layanan;Permohonan")
    assert lines[-2].startswith("TOTAL;")
