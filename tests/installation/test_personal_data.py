"""No citizen in any store or on any page (UU 27/2022), looked for wherever data ends up.

Every simulated department that deals with persons knows invented ones: they are collected from its
own files and answers. Citizens write numbers into their reports besides. One whole installation
polls all of it, sound and spoilt; then everything it stored, printed and serves is searched.

A name within free text cannot be told from other words, so names are planted in fields only.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

import connectors
from connectors import registry
from connectors.http import client_for
from connectors.network import reach_of
from lawang.city import City, load_city
from lawang.connector import Cursor, FetchContext
from lawang.domain.clock import utc_now
from lawang.domain.privacy import mask
from lawang.settings import ROOT
from lawang.store.embedded import find_address
from simulator.city_life import Town
from simulator.people import somebody
from simulator.rescue import damkar, psc119
from simulator.settings import DEFAULT_SEED
from tests.installation.running import PALEMBANG, Demo, run_demo, wait_until

#: The installation is up for about a minute; the searches are quick.
pytestmark = pytest.mark.timeout(600)

_PATIENCE_S = 240.0
_MAX_BYTES = 50_000_000

#: Every invented name is one of each list; a store that holds one of these words holds a person.
NAME_WORDS = frozenset(
    word for number in range(2000) for word in somebody(random.Random(number)).name.lower().split()
)
#: Identity numbers and telephones of nobody, in every spelling; see `simulator.people`.
_NIK = re.compile(rb"9916[ .\-]?71[ .\-]?01(?:[ .\-]?\d){8}")
_PHONE = re.compile(rb"(?:\+?62[ .\-]?|0)812[ .\-]?0000[ .\-]?\d{4}")
_NAME = re.compile(rb"(?<![a-z])(?:" + b"|".join(w.encode() for w in sorted(NAME_WORDS)) + rb")")

#: Departments that deal with persons, by the source that reads them.
WITH_PERSONS = frozenset(
    {
        *("elapor", "satpolpp", "sp4n", "ekelurahan", "perizinan", "disdukcapil_layanan"),
        *("epuskesmas", "pbb", "ibu_hamil", "udara", "damkar", "psc119"),
        *("truk_sampah", "ambulans", "armada_damkar", "pengukur_air", "pengukur_hujan"),
    }
)
#: Where the persons of a department that is a database or files lie below the simulator's folder.
_FILES = {
    "elapor": "elapor.sqlite3",
    "satpolpp": "satpolpp.sqlite3",
    "sp4n": "sp4n.sqlite3",
    "epuskesmas": "epuskesmas.sqlite3",
    "pbb": "bapenda.sqlite3",
}
#: What citizens write into their reports: the text, and what of it nobody may find again.
WRITTEN = {
    "NIK saya 9916710101990001, tolong.": ["9916710101990001"],
    "KK 9916 7101 0199 0002 sudah dikirim": ["9916710101990002", "9916 7101 0199 0002"],
    "Hubungi 0812-0000-7701 atau +62 812 0000 7702": ["0812-0000-7701", "812 0000 7702"],
    "WA 081200007703 ya": ["081200007703"],
    "surel: korban.banjir@contoh.example": ["korban.banjir@contoh.example"],
}
#: What a citizen's app sends beside the report.
SENT_BESIDE = {
    "first_name": "Lestariningsih",
    "last_name": "Zulkarnain",
    "email": "lestariningsih@contoh.example",
    "phone": "0812-0000-7704",
    "device_id": "gawai-uji-7705",
    "account_id": "akun-uji-7706",
}


@dataclass
class Searched:
    """What departments told of persons, by source; and where data ended up, by place."""

    told: dict[str, bytes] = field(default_factory=dict)
    #: In lower case.
    places: dict[str, bytes] = field(default_factory=dict)
    never_polled: list[str] = field(default_factory=list)
    quarantined: int = 0
    sampled: int = 0


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    folder = tmp_path_factory.mktemp("persons")
    found = Searched()
    with run_demo(folder, "--factor", "0.3") as demo:
        filed = [demo.file(text, **SENT_BESIDE) for text in WRITTEN]
        _await_first_polls(demo)
        wait_until(lambda: all(demo.incident(each) for each in filed), _PATIENCE_S, "the reports")
        with _spoilt(demo):
            _poll_persons(demo)
        found.told = _persons_of_departments(demo)
        found.never_polled = sorted(
            each["id"] for each in _sources(demo) if each["last_success"] is None
        )
        _look_everywhere(demo, found)
        found.places["log"] = demo.program.output().encode()
    # Once more when all processes have ended and everything is on the disk.
    for file in sorted((folder / "data").rglob("*")):
        below = file.relative_to(folder / "data")
        if file.is_file() and below.parts[0] != "simulator":
            found.places[f"file {below}"] = file.read_bytes()
    found.places = {place: body.lower() for place, body in found.places.items()}
    return found


# --- what the departments know ---------------------------------------------------------------


def _persons_of_departments(demo: Demo) -> dict[str, bytes]:
    folder = demo.data_dir / "simulator"
    env = {
        "LAWANG_SIMULATOR_URL": f"http://127.0.0.1:{demo.port + 1}",
        "LAWANG_SIMULATOR_DIR": str(folder.resolve()),
        "LAWANG_SIMULATOR_MQTT": f"127.0.0.1:{demo.port + 2}",
    }
    city = load_city(PALEMBANG, simulated=True, env=env)
    told = {
        source_id: "\n".join(_dump(folder / name)).encode() for source_id, name in _FILES.items()
    }
    now, town = utc_now(), Town.of(city)
    for source_id, calls in (("damkar", damkar.Calls), ("psc119", psc119.Calls)):
        events = calls(town, DEFAULT_SEED, 0.3).between(now - timedelta(days=3), now)
        told[source_id] = json.dumps([each.payload for each in events]).encode()
    for source_id in WITH_PERSONS - told.keys():
        told[source_id] = asyncio.run(_ask(city, source_id))
    return told


async def _ask(city: City, source_id: str) -> bytes:
    """What a department answers to whoever asks it, spreadsheets unpacked."""
    source = city.sources[source_id]
    connector, options = registry.get(source.connector), registry.bind(source)
    network, rules = reach_of(source, options)
    timeout = timedelta(seconds=40)
    bodies: list[bytes] = []
    async with client_for(source, options, timeout=timeout) as client:
        # Without its name: a passer-by at the broker, who takes nothing from the poller.
        context = FetchContext(
            client,
            utc_now,
            timeout,
            _MAX_BYTES,
            every=timedelta(seconds=1),
            network=network,
            rules=rules,
        )
        async for answer in connector.fetch(options, Cursor(), context):
            bodies.append(_unpacked(answer.body))
            if connector.streams and answer.body:
                break
    return b"\n".join(bodies)


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(BytesIO(body)) as sheets:
        return b"\n".join(sheets.read(name) for name in sheets.namelist())


# --- having it polled ------------------------------------------------------------------------


def _sources(demo: Demo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        demo.web.get("/api/v1/sources").raise_for_status().json()["sources"]
    )
    return found


def _await_first_polls(demo: Demo) -> None:
    def missing() -> list[str]:
        return [each["id"] for each in _sources(demo) if each["last_success"] is None]

    wait_until(lambda: not missing(), _PATIENCE_S, "a first poll of every source", every_s=0.5)


def _poll_persons(demo: Demo) -> None:
    """Have every source that deals with persons polled once more, whatever its cadence."""
    began = datetime.now(UTC)

    def are_polled() -> bool:
        late = [
            each["id"]
            for each in _sources(demo)
            if each["id"] in WITH_PERSONS
            and (
                each["last_attempt"] is None or datetime.fromisoformat(each["last_attempt"]) < began
            )
        ]
        # One that was asked a moment ago says 429; one that is busy is asked again.
        for source_id in late:
            demo.web.post(f"/api/v1/sources/{source_id}/poll", json={})
        return not late

    wait_until(are_polled, _PATIENCE_S, "a poll of every source with persons", every_s=1)


@contextmanager
def _spoilt(demo: Demo) -> Iterator[None]:
    """Every department speaks in wrong types, so that quarantine and findings fill."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{demo.port + 1}", timeout=20, trust_env=False
    ) as simulator:
        departments = [each["id"] for each in simulator.get("/").json()["departments"]]
        for kind in ("wrong_types", "none"):
            for each in departments:
                simulator.post(f"/{each}/_fault", json={"kind": kind}).raise_for_status()
            if kind == "wrong_types":
                yield


# --- where data ends up ----------------------------------------------------------------------


def _look_everywhere(demo: Demo, found: Searched) -> None:
    file = demo.data_dir / "history.sqlite3"
    dump = _dump(file)
    found.quarantined = sum('INTO "quarantine"' in line for line in dump)
    found.sampled = sum('INTO "source_sample"' in line for line in dump)
    found.places["history, row by row"] = "\n".join(dump).encode()
    for side in ("", "-wal"):
        found.places[f"history{side}, byte by byte"] = Path(f"{file}{side}").read_bytes()
    address = find_address(demo.data_dir)
    assert address is not None
    found.places["live state"] = "\n".join(_values(address)).encode()
    for path in _addresses(demo):
        answer = demo.web.get(path)
        assert answer.status_code in (200, 404), path
        found.places[path] = answer.content
    found.places["/stream"] = _stream(demo)


def _dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        # A body of bytes is shown as hexadecimal, which would hide what it says.
        database.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return [
            f'INTO "{table}" ' + " | ".join(_shown(cell) for cell in row)
            for table in tables
            for row in database.execute(f'SELECT * FROM "{table}"')
        ]


def _shown(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _values(url: str) -> list[str]:
    """Every key of live state with what it holds."""
    with closing(redis.Redis.from_url(url, decode_responses=True)) as client:
        readers: dict[str, Any] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
            "list": lambda key: client.lrange(key, 0, -1),
        }
        kinds = {key: client.type(key) for key in client.scan_iter("*")}
        # One that ended between the two calls has no kind any more.
        return [f"{key} {readers[kind](key)}" for key, kind in kinds.items() if kind in readers]


def _addresses(demo: Demo) -> Iterator[str]:
    """Every page, and every address of the API that can be read."""
    yield from ("/", "/wall", "/sources", "/metrics", "/_dash-layout", "/_dash-dependencies")
    yield from (f"/mayor{page}" for page in ("", "/finance", "/overdue", "/ladder", "/brief"))
    # Pages that list the newest records behind a number.
    kpis = ("elapor_tepat_waktu", "damkar_15_menit", "surat_10_menit", "tunggu_puskesmas")
    yield from (f"/mayor/kpi/{kpi}" for kpi in kpis)
    described = demo.web.get("/api/v1/openapi.json").raise_for_status().json()["paths"]
    known = {
        "source_id": [each["id"] for each in _sources(demo)],
        "incident_id": [each["id"] for each in demo.incidents(source="elapor")[:40]],
        "day": [each["day"] for each in demo.web.get("/api/v1/briefs").json()["briefs"]],
    }
    for path, methods in described.items():
        if "get" not in methods or path.startswith("/ingest"):
            continue
        names = re.findall(r"{(\w+)}", path)
        if len(names) > 1:
            continue  # files of the morning brief: packed, and what the sentences beside them say
        if names:
            for value in known.get(names[0], ["1"]):
                yield path.replace(f"{{{names[0]}}}", str(value))
            continue
        parameters = {
            each["name"]: each["schema"].get("maximum")
            for each in methods["get"].get("parameters", [])
        }
        yield from _pages(demo, path, parameters)


def _pages(demo: Demo, path: str, parameters: dict[str, int | None]) -> Iterator[str]:
    """A list page after page, as long ones as it gives. `parameters` with their greatest values."""
    query = f"?limit={parameters['limit']}" if "limit" in parameters else ""
    yield path + query
    if "after" not in parameters:
        return
    answer = demo.web.get(path + query)
    while answer.status_code == 200 and (after := answer.json().get("next")):
        following = f"{path}{query or '?'}&after={httpx.QueryParams({'a': after})}".replace(
            "&after=a=", "&after="
        )
        yield following
        answer = demo.web.get(following)


def _stream(demo: Demo) -> bytes:
    """The first frames of the stream that screens follow."""
    taken = b""
    with demo.web.stream("GET", "/stream") as answer:
        assert answer.status_code == 200
        for chunk in answer.iter_bytes():
            taken += chunk
            if len(taken) > 200_000 or b'"alive"' in taken or b"heartbeat" in taken:
                break
            if b"\n\n" in taken and len(taken) > 20_000:
                break
    return taken


# --- what must be, so that the search means something ----------------------------------------


def test_no_source_was_left_out(searched: Searched) -> None:
    assert searched.never_polled == []


@pytest.mark.parametrize("source_id", sorted(WITH_PERSONS))
def test_the_department_does_know_persons(searched: Searched, source_id: str) -> None:
    told = searched.told[source_id].lower()
    assert _NAME.search(told)


def test_the_departments_know_numbers_of_persons(searched: Searched) -> None:
    told = b"\n".join(searched.told.values())
    assert len(set(_NIK.findall(told))) > 50
    assert len(set(_PHONE.findall(told))) > 50


def test_records_that_could_not_be_used_were_kept(searched: Searched) -> None:
    assert searched.quarantined > 20


def test_samples_were_kept(searched: Searched) -> None:
    assert searched.sampled > 20


def test_what_was_written_did_arrive(searched: Searched) -> None:
    assert b"nik saya [nik], tolong." in searched.places["history, row by row"]


# --- the search ------------------------------------------------------------------------------


def _where(searched: Searched, what: re.Pattern[bytes]) -> dict[str, bytes]:
    """Places that hold it, each with its first finding and some of what stands around it."""
    found = {}
    for place, body in searched.places.items():
        hit = what.search(body)
        if hit is not None:
            found[place] = body[max(0, hit.start() - 150) : hit.end() + 50]
    return found


def test_no_name_of_a_person_is_anywhere(searched: Searched) -> None:
    assert _where(searched, _NAME) == {}


def test_no_identity_number_is_anywhere(searched: Searched) -> None:
    assert _where(searched, _NIK) == {}


def test_no_telephone_number_is_anywhere(searched: Searched) -> None:
    assert _where(searched, _PHONE) == {}


@pytest.mark.parametrize("planted", [each for found in WRITTEN.values() for each in found])
def test_no_number_that_a_citizen_wrote_is_anywhere(searched: Searched, planted: str) -> None:
    assert _where(searched, re.compile(re.escape(planted.encode()))) == {}


@pytest.mark.parametrize("planted", SENT_BESIDE.values())
def test_nothing_that_an_app_sent_of_its_user_is_anywhere(searched: Searched, planted: str) -> None:
    assert _where(searched, re.compile(re.escape(planted.lower().encode()))) == {}


# --- recorded answers ------------------------------------------------------------------------

_SAMPLES = [
    file
    for root in (ROOT / "cities", Path(connectors.__file__).parent)
    for file in sorted(root.glob("**/samples/**/*"))
    if file.is_file()
]


def test_there_are_recorded_answers() -> None:
    assert len(_SAMPLES) > 100


def test_no_recorded_answer_means_a_person() -> None:
    """Recorded answers hold invented persons; what connectors make of them holds none.

    Free text is masked when it is settled, which is after `parse`.
    """
    for file in _SAMPLES:
        if file.name == "expected.json":
            body = mask(file.read_text(encoding="utf-8")).lower().encode()
            for pattern in (_NAME, _NIK, _PHONE):
                hit = pattern.search(body)
                assert hit is None, f"{file.relative_to(ROOT)}: {hit}"
