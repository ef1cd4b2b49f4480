"""Satpol PP's own API, and the life behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.city_life import Town
from simulator.desk import Desk
from simulator.life import BACKFILL, Rhythm
from simulator.satpolpp import PER_DAY
from simulator.satpolpp.kinds import KINDS
from simulator.store import Query, Store, StoredReport
from tests.simulator.conftest import NOW, HeldClock, Simulator, run_simulator

EVERYTHING = Query(limit=1_000_000)
KEY = {"X-Api-Key": "demo"}

Make = Callable[..., tuple[Store, Desk]]


@pytest.fixture
def make(tmp_path: Path, town: Town) -> Iterator[Make]:
    stores: list[Store] = []

    def make(seed: int = 1671, file: str | None = None) -> tuple[Store, Desk]:
        store = Store(tmp_path / (file or f"{len(stores)}.sqlite3"))
        stores.append(store)
        rhythm = Rhythm("PP", PER_DAY, ("satpolpp",))
        return store, Desk(store, town, seed, 1.0, rhythm=rhythm, kinds=KINDS)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def reports(make: Make) -> list[StoredReport]:
    """Sixty days of an ordinary Satpol PP."""
    store, life = make()
    life.advance(NOW)
    return store.find(EVERYTHING)


@pytest.fixture
def client(simulator: Simulator) -> Iterator[httpx.Client]:
    """A client that shows the key."""
    base = f"{simulator.url}/satpolpp/"
    with httpx.Client(base_url=base, headers=KEY, timeout=40, trust_env=False) as client:
        yield client
        client.post("_fault", json={"kind": "none"})


def fault(client: httpx.Client, kind: str) -> None:
    client.post("_fault", json={"kind": kind}).raise_for_status()


def rows(client: httpx.Client, **query: object) -> list[dict[str, Any]]:
    asked = {name: str(value) for name, value in query.items()}
    answer = client.get("api/laporan", params=asked).raise_for_status()
    listed: list[dict[str, Any]] = answer.json()["data"]
    return listed


def written_at(text: str) -> datetime:
    return datetime.strptime(f"{text} +0700", "%d/%m/%Y %H.%M %z")


# --- life -----------------------------------------------------------------------------------


def test_one_seed_and_clock_give_one_life(make: Make) -> None:
    (first, life), (second, again) = make(), make()
    life.advance(NOW)
    again.advance(NOW)
    assert first.dump() == second.dump()


def test_another_seed_gives_another_life(make: Make) -> None:
    (first, life), (second, other) = make(seed=1), make(seed=2)
    life.advance(NOW)
    other.advance(NOW)
    assert first.dump() != second.dump()


def test_it_does_not_matter_in_how_many_steps_time_passes(make: Make) -> None:
    (first, leaping), (second, ticking) = make(), make()
    for life in (leaping, ticking):
        life.advance(NOW)
    leaping.advance(NOW + timedelta(hours=30))
    for minutes in range(7, 30 * 60 + 1, 7):
        ticking.advance(NOW + timedelta(minutes=minutes))
    ticking.advance(NOW + timedelta(hours=30))
    assert first.dump() == second.dump()


def test_a_later_start_fills_the_gap(make: Make) -> None:
    kept, life = make()
    life.advance(NOW)
    life.advance(NOW + timedelta(days=3))
    stopped, life = make(file="stopped.sqlite3")
    life.advance(NOW)
    stopped.close()
    resumed, life = make(file="stopped.sqlite3")
    life.advance(NOW + timedelta(days=3))
    assert resumed.dump() == kept.dump()


def test_there_are_two_to_six_reports_a_day(reports: list[StoredReport]) -> None:
    assert 3 < len(reports) / BACKFILL.days < 5
    days = Counter(report.requested_at.date() for report in reports)
    usual = [day for day, count in days.items() if 2 <= count <= 6]
    assert len(usual) > 0.7 * len(days)


def test_every_kind_is_reported(reports: list[StoredReport]) -> None:
    assert {report.service_code for report in reports} == {kind.code for kind in KINDS}


def test_most_old_reports_are_closed(reports: list[StoredReport]) -> None:
    old = [report for report in reports if report.requested_at < NOW - timedelta(days=30)]
    assert sum(not report.is_open for report in old) > 0.9 * len(old)


# --- the interface --------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "lain"}, {"Authorization": "Bearer demo"}])
def test_without_the_key_there_is_no_answer(simulator: Simulator, headers: dict[str, str]) -> None:
    address = f"{simulator.url}/satpolpp/api/laporan"
    answer = httpx.get(address, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert "data" not in answer.json()


def test_a_report_has_the_departments_own_fields(client: httpx.Client) -> None:
    report = rows(client)[0]
    assert report.keys() == {
        "id", "nomor", "jenis", "uraian", "lokasi", "status", "tanggal_lapor", "tanggal_ubah",
        "tanggal_selesai", "tanggal_verifikasi", "pelapor",
    }  # fmt: skip
    assert report["lokasi"].keys() == {"alamat", "kecamatan", "kelurahan", "lat", "lng"}
    assert report["pelapor"].keys() == {"nama", "telepon"}


def test_the_newest_report_comes_first(client: httpx.Client) -> None:
    times = [written_at(report["tanggal_lapor"]) for report in rows(client)]
    assert times == sorted(times, reverse=True)
    assert times[0] <= NOW


def test_pages_hold_every_report_once(client: httpx.Client) -> None:
    total = client.get("api/laporan").json()["halaman"]["total"]
    pages = [rows(client, page=page) for page in range(1, total + 1)]
    assert [len(page) for page in pages[:-1]] == [50] * (total - 1)
    numbers = [report["nomor"] for page in pages for report in page]
    assert len(numbers) == len(set(numbers)) > 150
    assert rows(client, page=total + 1) == []


def test_the_page_size_can_be_asked_for(client: httpx.Client) -> None:
    answer = client.get("api/laporan", params={"page": 2, "per_page": 7}).json()
    assert len(answer["data"]) == 7
    assert answer["halaman"]["sekarang"] == 2


def test_only_what_changed_is_told_if_so_asked(client: httpx.Client) -> None:
    since = NOW - timedelta(days=2)
    changed = rows(client, diubah_sejak=since.isoformat(), per_page=200)
    times = [written_at(report["tanggal_ubah"]) for report in changed]
    assert times == sorted(times)
    assert since - timedelta(minutes=1) < times[0]
    everything = [each for page in range(1, 9) for each in rows(client, page=page)]
    later = [each for each in everything if written_at(each["tanggal_ubah"]) > since]
    assert {each["nomor"] for each in later} <= {each["nomor"] for each in changed}


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=-1", "diubah_sejak=kemarin"])
def test_what_cannot_be_is_refused_in_a_sentence(client: httpx.Client, query: str) -> None:
    answer = client.get(f"api/laporan?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["pesan"]


def test_statuses_are_the_departments_four_words(client: httpx.Client) -> None:
    found = {report["status"] for page in range(1, 6) for report in rows(client, page=page)}
    assert found == {"BARU", "DIPROSES", "SELESAI", "DITOLAK"}


def test_answers_are_marked_as_simulated(client: httpx.Client) -> None:
    assert client.get("api/laporan").headers["x-simulated"] == "true"


def test_life_goes_on_while_it_serves(tmp_path: Path) -> None:
    clock = HeldClock(NOW)
    with run_simulator(tmp_path, clock) as running:
        address = f"{running.url}/satpolpp/api/laporan"
        before = httpx.get(address, headers=KEY, trust_env=False).json()["data"]
    clock.forward(days=2)
    with run_simulator(tmp_path, clock) as running:
        address = f"{running.url}/satpolpp/api/laporan"
        after = httpx.get(address, headers=KEY, trust_env=False).json()["data"]
    new = {report["nomor"] for report in after} - {report["nomor"] for report in before}
    assert new
    assert all(
        written_at(each["tanggal_lapor"]) > NOW - timedelta(minutes=1)
        for each in after
        if each["nomor"] in new
    )


# --- faults ---------------------------------------------------------------------------------


def test_off_hangs_up_without_an_answer(client: httpx.Client) -> None:
    fault(client, "off")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("api/laporan")


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("429", 429), ("auth", 403)])
def test_refusing_faults_have_their_status(client: httpx.Client, kind: str, status: int) -> None:
    fault(client, kind)
    assert client.get("api/laporan").status_code == status


def test_truncated_is_the_beginning_of_the_true_answer(client: httpx.Client) -> None:
    whole = client.get("api/laporan").content
    fault(client, "truncated")
    assert client.get("api/laporan").content == whole[: len(whole) // 2]


def test_wrong_types_stand_beside_good_records(client: httpx.Client) -> None:
    true = rows(client)
    fault(client, "wrong_types")
    spoilt: list[Any] = rows(client)
    assert any(isinstance(each, str) for each in spoilt)
    assert any(isinstance(each, dict) and isinstance(each["lokasi"], list) for each in spoilt)
    good = [
        here
        for here, there in zip(spoilt, true, strict=True)
        if isinstance(here, dict) and {**here, "id": there["id"]} == there
    ]
    assert 0.5 * len(true) < len(good) < len(true)


def test_clock_skew_shifts_all_times(client: httpx.Client) -> None:
    before = [written_at(report["tanggal_ubah"]) for report in rows(client)]
    fault(client, "clock_skew")
    after = [written_at(report["tanggal_ubah"]) for report in rows(client)]
    assert after == [at + timedelta(hours=2) for at in before]


def test_a_fault_of_one_department_spares_the_others(
    client: httpx.Client, simulator: Simulator
) -> None:
    fault(client, "500")
    assert simulator.api.get("requests.json").status_code == 200
