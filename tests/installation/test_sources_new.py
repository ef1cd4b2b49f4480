"""`lawang sources new` against the simulated departments: from an address to a file that loads."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.domain.clock import utc_now
from tests.installation.test_sources_command import PACK, Shell
from tests.simulator.conftest import HeldClock, Simulator, run_simulator


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    clock = HeldClock(utc_now() - timedelta(minutes=1))
    with run_simulator(tmp_path_factory.mktemp("departments"), clock) as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    pack = Path(shutil.copytree(PACK, tmp_path / "palembang"))
    return Shell(tmp_path, pack, {"LAWANG_UJI_KEY": "demo", "LAWANG_UJI_USER": "demo"})


def new(shell: Shell, connector: str, url: str, *words: str, opd: str = "diskominfo") -> Any:
    """Make source `uji` from flags alone, and return its file."""
    shell.env["LAWANG_UJI_PASSWORD"] = "demo"
    shell.env["LAWANG_UJI_URL"] = url
    done = shell.lawang(
        "sources", "new", "--id", "uji", "--opd", opd, "--connector", connector, "--url", url,
        "--yes", *words,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return tomllib.loads((shell.pack / "sources/uji.toml").read_text(encoding="utf-8"))


def test_a_json_api_is_mapped_by_its_keys_and_values(shell: Shell, simulator: Simulator) -> None:
    made = new(shell, "rest", f"{simulator.url}/satpolpp/api/laporan", "--auth", "header")
    assert made["yields"] == ["incidents"]
    assert made["connection"]["records"] == "data"
    assert made["connection"]["paging"]["kind"] in ("page", "link")
    assert made["fields"]["requested_at"] == "tanggal_lapor"
    assert made["fields"]["updated_at"] == "tanggal_ubah"
    assert made["fields"]["latitude"] == "lokasi.lat"
    assert made["fields"]["region"] == "join(' ', ['Kel.', lokasi.kelurahan])"
    assert made["formats"]["times"] == ["%d/%m/%Y %H.%M"]
    assert made["personal"]["drop"] == ["pelapor"]
    assert made["map"]["status"]["baru"] == "menunggu"


def test_the_new_file_checks_well_and_so_does_its_sample(
    shell: Shell, simulator: Simulator
) -> None:
    new(shell, "rest", f"{simulator.url}/satpolpp/api/laporan", "--auth", "header")
    assert shell.json("sources", "check", "uji")["is_good"] is True
    sample = shell.pack / "samples/uji/normal/input.json"
    found = shell.json("sources", "check", "uji", "--sample", str(sample))
    assert found["usable"] == found["records"] > 5


def test_the_sample_of_a_new_source_holds_no_reporter(shell: Shell, simulator: Simulator) -> None:
    new(shell, "rest", f"{simulator.url}/satpolpp/api/laporan", "--auth", "header")
    folder = shell.pack / "samples/uji/normal"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert "pelapor" not in json.loads((folder / "input.json").read_text("utf-8"))["data"][0]
    assert "0812-0000" not in text
    assert "demo" not in text


def test_neither_key_nor_address_is_written_into_the_file(
    shell: Shell, simulator: Simulator
) -> None:
    new(shell, "rest", f"{simulator.url}/satpolpp/api/laporan", "--auth", "header")
    text = (shell.pack / "sources/uji.toml").read_text(encoding="utf-8")
    assert "127.0.0.1" not in text
    assert "${LAWANG_UJI_URL}" in text
    assert "${LAWANG_UJI_KEY}" in text


def test_numbers_become_measures_with_units_and_periods(shell: Shell, simulator: Simulator) -> None:
    url = f"{simulator.url}/udara/api/data-jam"
    made = new(shell, "rest", url, "--auth", "basic", "--yields", "readings", opd="dlhk")
    assert {"pm25", "pm10", "so2"} <= made["measures"].keys()
    pm25 = made["measures"]["pm25"]
    assert (pm25["unit"], pm25["period"], pm25["kind"]) == ("µg/m³", "hour", "gauge")
    assert made["fields"]["observed_at"] == "waktu"
    assert {"nama", "hp"} <= set(made["personal"]["drop"])


def test_a_resource_of_ckan_is_mapped(shell: Shell, simulator: Simulator) -> None:
    resource = "5f0c1a52-6a1e-4f57-9d0b-1671a0000001"
    made = new(shell, "ckan", f"{simulator.url}/satudata/", "--resource", resource, opd="disdag")
    assert made["fields"]["observed_at"] == "tanggal"
    assert made["measures"]["harga"]["unit"] == "Rp"


def test_a_layer_of_arcgis_is_mapped(shell: Shell, simulator: Simulator) -> None:
    layer = f"{simulator.url}/pupr/arcgis/rest/services/PUPR/Pekerjaan/FeatureServer/0"
    made = new(shell, "arcgis", layer, "--token-env", "LAWANG_UJI_KEY", opd="pupr")
    assert made["fields"]["latitude"] == "_geometry.latitude"
    assert made["fields"]["requested_at"] == "TGL_USUL"
    assert shell.json("sources", "check", "uji")["is_good"] is True


def test_a_georeport_server_needs_its_words_mapped_only(shell: Shell, simulator: Simulator) -> None:
    made = new(shell, "open311", f"{simulator.url}/elapor/open311/v2/")
    assert "fields" not in made
    assert made["map"]["status"] == {"open": "menunggu", "closed": "selesai"}


def test_warnings_need_nothing_but_their_address(shell: Shell, simulator: Simulator) -> None:
    made = new(shell, "cap", f"{simulator.url}/bmkg/alerts/nowcast/id", opd="bpbd")
    assert made["yields"] == ["alerts"]
    assert shell.lawang("sources", "check", "uji").returncode == 0


def test_a_feed_in_protocol_buffers_is_connected_without_a_sample(
    shell: Shell, simulator: Simulator
) -> None:
    url = f"{simulator.url}/transmusi/gtfs-rt/vehicle-positions"
    made = new(shell, "gtfs_rt", url, "--token-env", "LAWANG_UJI_KEY", opd="dishub")
    assert made["yields"] == ["positions"]
    assert not (shell.pack / "samples/uji").exists()


def test_files_are_dated_by_their_names_where_no_column_does(
    shell: Shell, simulator: Simulator
) -> None:
    folder = shell.folder / "terima"
    folder.mkdir()
    for file in (simulator.data_dir / "drop/apbd").glob("apbd_pendapatan_*.csv"):
        shutil.copy2(file, folder)
    made = new(shell, "tabular", str(folder), "--pattern", "*.csv", opd="bpkad")
    assert made["fields"]["observed_at"] == "_name.tanggal"
    assert made["measures"]["realisasi"]["kind"] == "cumulative"
    assert made["formats"]["decimal"] == ","
    assert (shell.pack / "samples/uji/normal/input.csv").is_file()


@pytest.mark.parametrize("connector", ["mqtt", "webhook", "bmkg"])
def test_what_cannot_be_looked_at_gets_a_template_that_loads(shell: Shell, connector: str) -> None:
    url = {"mqtt": "mqtt://127.0.0.1:1", "bmkg": "https://data.bmkg.go.id/DataMKG/TEWS/"}
    words = ["--url", url[connector]] if connector in url else []
    done = shell.lawang(
        "sources", "new", "--id", "uji", "--opd", "bpbd", "--connector", connector, "--yes", *words
    )
    assert done.returncode == 0, done.stderr
    (line,) = [each for each in shell.json("sources", "list")["sources"] if each["id"] == "uji"]
    assert line["mistake"] == ""


def test_a_file_that_is_there_is_never_overwritten(shell: Shell, simulator: Simulator) -> None:
    url = f"{simulator.url}/satpolpp/api/laporan"
    new(shell, "rest", url, "--auth", "header")
    before = (shell.pack / "sources/uji.toml").read_text(encoding="utf-8")
    done = shell.lawang(
        "sources", "new", "--id", "uji", "--opd", "pupr", "--connector", "rest", "--url", url,
        "--yes",
    )  # fmt: skip
    assert done.returncode == 2
    assert "never overwritten" in done.stderr
    assert (shell.pack / "sources/uji.toml").read_text(encoding="utf-8") == before


def test_nothing_is_written_when_no_answer_comes(shell: Shell) -> None:
    done = shell.lawang(
        "sources", "new", "--id", "uji", "--opd", "pupr", "--connector", "rest", "--yes",
        "--url", "http://127.0.0.1:1/",
    )  # fmt: skip
    assert done.returncode == 2
    assert "unreachable" in done.stderr
    assert not (shell.pack / "sources/uji.toml").exists()


def test_a_missing_key_is_asked_for_by_the_name_of_its_variable(shell: Shell) -> None:
    del shell.env["LAWANG_UJI_KEY"]
    done = shell.lawang(
        "sources", "new", "--id", "uji", "--opd", "pupr", "--connector", "rest", "--yes",
        "--url", "http://127.0.0.1:1/", "--auth", "header",
    )  # fmt: skip
    assert done.returncode == 2
    assert "LAWANG_UJI_KEY_FILE" in done.stderr
