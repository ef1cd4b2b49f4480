"""Killing the poller at any moment loses nothing and doubles nothing.

Fifty real `lawang poll` processes are ended by kill -9, one after the other, at seeded moments from
before they have the clock to well after their first polls, the first big ones among them. All the
while departments of every kind go on: they are asked (e-lapor, e-kelurahan, refuse trucks), read
from a database (clinics) and a folder (PATEN), published by a broker (gauges), and pushed (fires).
Then time stands still for them, a last poller comes to rest, and what it has is compared with what
the departments themselves say.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import os
import random
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho
import pytest
import redis
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import Engine, func, select

from connectors import registry
from connectors.http import client_for
from connectors.network import reach_of
from lawang.city import City, load_city
from lawang.connector import Cursor, FetchContext
from lawang.domain.clock import utc_now
from lawang.domain.facts import Facts
from lawang.domain.incident import Status
from lawang.polling.settle import settle
from lawang.store import schema
from lawang.store.embedded import EmbeddedValkey
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History, IncidentFilter
from lawang.store.live import Keys, LiveStore
from lawang.store.readings import ReadingFilter
from lawang.store.records import RequestFilter
from simulator.app import create_app
from simulator.gauges.broker import PASSWORD
from simulator.serve import address_of, build_server, listen
from simulator.settings import SimulatorSettings
from tests.installation.running import (
    PALEMBANG,
    drop_what_names_sources,
    free_ports,
    start,
    wait_until,
)

pytestmark = pytest.mark.timeout(600)

KILLS = 50
SEED = 1671
#: Longest life after the clock was taken; the first polls of all sources begin within the interval.
_LONGEST_S, _EVERY_S = 1.4, 1.2
_PATIENCE_S = 180.0
_EVERYTHING = 1_000_000
_MAX_BYTES = 50_000_000

ASKED, READ, HEARD, PUSHED = (
    ("elapor", "ekelurahan", "truk_sampah"),
    ("epuskesmas", "paten"),
    "pengukur_air",
    "damkar",
)
SOURCES = (*ASKED, *READ, HEARD, PUSHED)
#: The turns of a call as the brigade tells them, and as we word them.
TURNS = {
    "DITERIMA": Status.WAITING,
    "MELUNCUR": Status.DISPOSITION,
    "TIBA": Status.IN_PROGRESS,
    "SELESAI": Status.DONE,
}


class StoppableClock:
    """The present, until it is stopped."""

    def __init__(self) -> None:
        self.stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return self.stopped_at or datetime.now(UTC)

    def stop(self) -> None:
        self.stopped_at = datetime.now(UTC)


@dataclass
class Truth:
    """What citizens and gauges said, as they know it themselves."""

    filed: list[str] = field(default_factory=list)
    #: (call, turn) as they were taken by the door, in order.
    pushed: list[tuple[str, str]] = field(default_factory=list)
    #: (gauge, its time) -> cm, and when a bystander at the broker heard it.
    published: dict[tuple[str, datetime], tuple[float, datetime]] = field(default_factory=dict)


@dataclass
class Aftermath:
    """A city whose poller was killed again and again, at rest."""

    city: City
    history: History
    engine: Engine
    truth: Truth
    told: dict[str, Facts]
    killed: int
    phases: set[str]
    took_s: float
    output: str


# --- the installation ----------------------------------------------------------------------------


def _pack(folder: Path, name: str, quick: bool) -> Path:
    """Palembang with our sources alone; the quick one polls all of them every 1.2 s."""
    pack = Path(shutil.copytree(PALEMBANG, folder / name / "palembang"))
    drop_what_names_sources(pack)
    for file in (pack / "sources").glob("*.toml"):
        if file.stem not in SOURCES:
            file.unlink()
        elif quick:
            head, mark, simulated = file.read_text(encoding="utf-8").partition("\n[simulated]\n")
            simulated = re.sub(r"(?m)^every_s = .*$", f"every_s = {_EVERY_S}", simulated)
            simulated = re.sub(r"(?m)^timeout_s = .*$", f"timeout_s = {_EVERY_S - 0.1}", simulated)
            file.write_text(head + mark + simulated, encoding="utf-8")
    return pack


@contextmanager
def _departments(
    folder: Path, clock: StoppableClock, push_url: str, mqtt_port: int
) -> Iterator[str]:
    """The simulated departments in a thread, five times as lively as usual; their address."""
    with listen("127.0.0.1", 0) as listener:
        settings = SimulatorSettings(
            data_dir=folder,
            pack_dir=PALEMBANG,
            clock=clock,
            tick_s=0.2,
            factor=0.3,
            base_url=address_of(listener),
            mqtt_port=mqtt_port,
            push_url=push_url,
        )
        server = build_server(create_app(settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), 60, "the departments")
            yield settings.base_url
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


@contextmanager
def _citizens(simulator: str, web: str, truth: Truth) -> Iterator[None]:
    """Somebody files reports and calls the brigade, several times a second."""
    ending = threading.Event()

    def live() -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            number = 0
            while not ending.wait(0.1):
                number += 1
                call = f"DK-UJI-{number // len(TURNS):04d}"
                turn = list(TURNS)[number % len(TURNS)]
                if number >= len(TURNS):
                    _push(client, web, call, turn)
                    truth.pushed.append((call, turn))
                if number % 3 == 0:
                    truth.filed.append(_file(client, simulator, number))

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(60)
        assert not thread.is_alive()


def _file(client: httpx.Client, simulator: str, number: int) -> str:
    form = {
        "api_key": "demo",
        "service_code": "BJR",
        "lat": "-2.9761",
        "long": "104.7754",
        "description": f"Laporan uji ke-{number}.",
    }
    answer = client.post(f"{simulator}/elapor/open311/v2/requests.json", data=form)
    return str(answer.raise_for_status().json()[0]["service_request_id"])


def _push(client: httpx.Client, web: str, call: str, turn: str) -> None:
    """Send one turn of a call as the brigade does; AssertionError if it is not taken."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    message = {
        "type": "kejadian",
        "nomor": call,
        "jenis": "KBK",
        "uraian": "Kebakaran uji",
        "status": turn,
        "waktu_lapor": now,
        "waktu_status": now,
        "lokasi": {"lat": -2.9761, "lng": 104.7754},
    }
    body = json.dumps(message).encode()
    timestamp = str(int(time.time()))
    signed = hmac.new(b"demo", timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "idempotency-key": f"{call}-{turn}",
        "x-lawang-timestamp": timestamp,
        "x-lawang-signature": f"sha256={signed}",
    }
    while True:
        answer = client.post(f"{web}/ingest/damkar", content=body, headers=headers)
        if answer.status_code == 202:
            return
        # Busy or asked too often: a department tries again, until it is told that we have it.
        assert answer.status_code in (429, 503), answer.text
        time.sleep(0.1)


@contextmanager
def _bystander(port: int, truth: Truth) -> Iterator[None]:
    """Another client at the broker, who writes down what the gauges say."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="saksi")
    client.username_pw_set("saksi", PASSWORD)
    subscribed = threading.Event()

    def hear(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        said = json.loads(message.payload)
        if message.topic.startswith("bpbd/tma/") and not message.retain:
            key = said["id"], datetime.fromisoformat(said["waktu"])
            truth.published.setdefault(key, (said["tinggi_cm"], datetime.now(UTC)))

    def follow(*_: Any) -> None:
        client.subscribe("bpbd/tma/+/data", qos=1)

    client.on_connect = follow
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = hear
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert subscribed.wait(60)
        yield
    finally:
        client.disconnect()
        client.loop_stop()


# --- lives and deaths ----------------------------------------------------------------------------


def _live(settings: dict[str, str], log: str) -> None:
    """What a forked child does: be `lawang poll`."""
    os.environ.update(settings)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(out, 1)
    os.dup2(out, 2)
    import cli

    cli.poll(data_dir=None)


def _forks() -> ForkServerContext:
    """Where lives come from: a process that has imported all of the program already.

    Importing takes two seconds of this machine, fifty times; nothing else is shared.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "cli", "lawang.polling.service", "connectors.sql"])
    return context


def _kill_one_after_another(
    settings: dict[str, str], folder: Path, valkey_url: str, keys: Keys
) -> tuple[int, set[str]]:
    """Fifty lives; how many were ended while alive, and in which phase."""
    rng = random.Random(SEED)
    context = _forks()
    killed, phases = 0, set()
    with closing(redis.Redis.from_url(valkey_url)) as server:
        for number in range(KILLS):
            log = folder / f"life-{number:02d}.txt"
            process = context.Process(target=_live, args=(settings, str(log)))
            process.start()
            if rng.random() < 0.1:
                phases.add("before the clock")
                process.join(rng.uniform(0, 0.6))
            else:
                phases.add("with the clock")
                _await_clock(process, log)
                process.join(rng.uniform(0, _LONGEST_S))
            killed += process.is_alive()
            process.kill()
            process.join()
            # The lease of the dead runs out in ten seconds; that is tested elsewhere.
            server.delete(keys.lease("clock"))
    return killed, phases


def _await_clock(process: Any, log: Path) -> None:
    began = time.monotonic()
    while not (log.exists() and b"holds the clock" in log.read_bytes()):
        assert process.is_alive(), log.read_text(encoding="utf-8")
        assert time.monotonic() - began < _PATIENCE_S, "no clock"
        time.sleep(0.005)


# --- what the departments themselves say --------------------------------------------------------


async def _ask(city: City, source_id: str, history: History, stopped: datetime) -> Facts:
    """Everything that a department has, read at once by nobody's cursor.

    What is pushed is judged as of when the departments stopped: they have been silent since.
    """
    source = city.sources[source_id]
    connector, options = registry.get(source.connector), registry.bind(source)
    network, rules = reach_of(source, options)
    timeout = timedelta(seconds=60)
    facts = Facts(zone=city.timezone)
    async with client_for(source, options, timeout=timeout) as client:
        context = FetchContext(
            client,
            (lambda: stopped) if source_id == PUSHED else utc_now,
            timeout,
            _MAX_BYTES,
            source_id=source_id,
            every=timedelta(seconds=10),
            inbox=history.inbox,
            network=network,
            rules=rules,
        )
        async for answer in connector.fetch(options, Cursor(), context):
            found = settle(
                connector.parse(options, answer),
                source,
                city,
                fetched_at=answer.fetched_at,
                simulated=True,
                delivery=answer.delivery,
            )
            for kind in ("incidents", "readings", "positions", "requests", "rejects"):
                getattr(facts, kind).extend(getattr(found, kind))
    return facts


def _behind(city: City, history: History, live: LiveStore, truth: Truth, since: datetime) -> str:
    """What the last poller has not done yet, in words; "" when it is at rest."""
    states = live.source_states()
    for source_id in SOURCES:
        state = states.get(source_id)
        if state is None or state.last_success is None or state.last_success < since:
            return f"{source_id} {state and (state.error_kind, state.error_detail)}"
        if state.last_attempt is None or state.last_attempt < since:
            return f"{source_id} was not attempted"
    if int(history.cursor(PUSHED).validators.get("inbox", 0)) < _last_number(history, PUSHED):
        return "pushed messages wait"
    if missing := _unheard(history, truth):
        return f"{len(missing)} readings of gauges"
    return ""


def _last_number(history: History, source_id: str) -> int:
    waiting = history.inbox.waiting(source_id, 0, _EVERYTHING)
    return waiting[-1].number if waiting else 0


def _stored_readings(history: History, source_id: str) -> dict[tuple[str, str, datetime], float]:
    found = history.readings.readings(ReadingFilter(sources=[source_id]), _EVERYTHING)
    return {(each.measure, each.subject, each.at): each.value for _, each in found}


def _unheard(history: History, truth: Truth) -> dict[tuple[str, datetime], float]:
    """What was published since our session began at the broker, and is not in history."""
    found = history.readings.readings(ReadingFilter(sources=[HEARD]), _EVERYTHING)
    stored = {(each.subject, each.at): each.value for _, each in found}
    began = min((each.fetched_at for _, each in found), default=datetime.max.replace(tzinfo=UTC))
    return {
        key: value
        for key, (value, heard_at) in list(truth.published.items())
        if heard_at > began and stored.get(key) != value
    }


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("killed")
    data = folder / "data"
    data.mkdir()
    web_port = free_ports()
    web_url, mqtt_port = f"http://127.0.0.1:{web_port}", web_port + 1
    clock, truth = StoppableClock(), Truth()
    began = time.monotonic()
    with ExitStack() as stack:
        valkey = EmbeddedValkey(data)
        valkey.start()
        stack.callback(valkey.stop)
        quick, patient = _pack(folder, "quick", True), _pack(folder, "patient", False)
        engine = open_engine(f"sqlite:///{data / 'history.sqlite3'}")
        migrate(engine)
        history = stack.enter_context(closing(History(engine)))
        simulated = data / "simulator"
        url = stack.enter_context(_departments(simulated, clock, web_url, mqtt_port))
        settings = {
            "LAWANG_REDIS_URL": valkey.url,
            "LAWANG_DATA_DIR": str(data),
            "LAWANG_CITY": str(quick),
            "LAWANG_PORT": str(web_port),
            "LAWANG_SIMULATOR_URL": url,
            "LAWANG_SIMULATOR_DIR": str(simulated),
            "LAWANG_SIMULATOR_MQTT": f"127.0.0.1:{mqtt_port}",
        }
        web = start(folder / "web.txt", "web", **settings)
        stack.callback(web.end)
        wait_until(lambda: httpx.get(f"{web_url}/healthz").status_code == 200, 120, "the web")
        city = load_city(patient, simulated=True, env=settings)
        live = stack.enter_context(closing(LiveStore(valkey.url, city.slug)))
        with _bystander(mqtt_port, truth):
            with _citizens(url, web_url, truth):
                killed, phases = _kill_one_after_another(settings, folder, valkey.url, live.keys)
            clock.stop()
            stopped = utc_now()
            last = start(folder / "last.txt", "poll", **{**settings, "LAWANG_CITY": str(patient)})
            stack.callback(last.end)

            def is_at_rest() -> bool:
                assert last.is_running(), last.output()
                return not _behind(city, history, live, truth, stopped)

            try:
                wait_until(is_at_rest, _PATIENCE_S, "a poller at rest", every_s=0.5)
            except AssertionError as error:
                behind = _behind(city, history, live, truth, stopped)
                raise AssertionError(f"{behind}: {last.output()[-3000:]}") from error
        last.end()
        told = {
            source_id: asyncio.run(_ask(city, source_id, history, stopped))
            for source_id in (*ASKED, *READ, PUSHED)
        }
        took_s = time.monotonic() - began
        yield Aftermath(city, history, engine, truth, told, killed, phases, took_s, last.output())


# --- what must be, so that the comparison means something ----------------------------------------


def test_pollers_were_killed_before_and_with_the_clock(aftermath: Aftermath) -> None:
    assert aftermath.killed == KILLS
    assert aftermath.phases == {"before the clock", "with the clock"}


def test_a_lot_was_going_on(aftermath: Aftermath) -> None:
    truth = aftermath.truth
    assert min(len(truth.filed), len(truth.pushed), len(truth.published)) > 50
    for source_id, facts in aftermath.told.items():
        records = facts.incidents + facts.readings + facts.positions
        assert len(records) + len(facts.requests) > 20, source_id


# --- nothing is lost, nothing differs -------------------------------------------------------------


def test_every_report_is_known_as_its_department_tells_it(aftermath: Aftermath) -> None:
    def seen(items: Any) -> dict[str, tuple[Any, ...]]:
        return {
            each.external_id: (each.status, each.category, each.description, each.requested_at)
            for each in items
            if each.source_id == "elapor"
        }

    stored = aftermath.history.incidents(IncidentFilter(), limit=_EVERYTHING)
    assert seen(stored) == seen(aftermath.told["elapor"].incidents)
    assert set(aftermath.truth.filed) <= seen(stored).keys()


def test_every_letter_is_known_as_its_office_tells_it(aftermath: Aftermath) -> None:
    def seen(items: Any) -> dict[str, tuple[Any, ...]]:
        return {
            each.external_id: (each.status, each.service, each.requested_at, each.closed_at)
            for each in items
        }

    stored = aftermath.history.records.requests(RequestFilter(), _EVERYTHING)
    assert seen(stored) == seen(aftermath.told["ekelurahan"].requests)


def test_every_truck_stands_where_its_department_says(aftermath: Aftermath) -> None:
    def seen(items: Any) -> dict[str, tuple[Any, ...]]:
        return {
            each.external_id: (each.latitude, each.longitude, each.status, each.observed_at)
            for each in items
        }

    stored = aftermath.history.records.positions(["truk_sampah"])
    assert seen(stored) == seen(aftermath.told["truk_sampah"].positions)


@pytest.mark.parametrize("source_id", READ)
def test_every_reading_is_known_with_its_value(aftermath: Aftermath, source_id: str) -> None:
    told = {
        (each.measure, each.subject, each.at): each.value
        for each in aftermath.told[source_id].readings
    }
    assert _stored_readings(aftermath.history, source_id) == told


def test_every_message_of_a_gauge_was_heard(aftermath: Aftermath) -> None:
    assert _unheard(aftermath.history, aftermath.truth) == {}


def test_every_call_that_the_door_took_is_known(aftermath: Aftermath) -> None:
    told = dict(aftermath.truth.pushed)
    stored = aftermath.history.incidents(IncidentFilter(sources=["damkar"]), limit=_EVERYTHING)
    assert {each.external_id: each.status for each in stored if each.external_id in told} == {
        call: TURNS[turn] for call, turn in told.items()
    }


def test_the_inbox_was_taken_up_to_its_last_number(aftermath: Aftermath) -> None:
    history = aftermath.history
    taken = history.cursor(PUSHED).validators["inbox"]
    assert int(taken) == _last_number(history, PUSHED)


# --- nothing is doubled ---------------------------------------------------------------------------


def test_each_turn_of_a_call_happened_once(aftermath: Aftermath) -> None:
    turns: dict[str, list[str]] = {}
    for call, turn in aftermath.truth.pushed:
        turns.setdefault(call, []).append(TURNS[turn].value)
    logged = {
        call: [
            event.changes["status"]
            for event in aftermath.history.events_of(f"damkar:{call}")
            if "status" in event.changes
        ]
        for call in turns
    }
    assert logged == turns


def test_no_event_says_what_the_one_before_it_said(aftermath: Aftermath) -> None:
    table = schema.incident_event
    with aftermath.engine.connect() as connection:
        rows = connection.execute(
            select(table).order_by(table.c.incident_id, table.c.version)
        ).all()
    begun = [row.incident_id for row in rows if row.version == 1]
    assert len(begun) == len(set(begun)) == len({row.incident_id for row in rows})
    doubled = [
        (one.incident_id, other.changes)
        for one, other in pairwise(rows)
        if one.incident_id == other.incident_id
        and one.changes == other.changes
        and one.status == other.status
    ]
    assert doubled == []


def test_nothing_that_was_read_twice_was_taken_for_a_correction(aftermath: Aftermath) -> None:
    for source_id in (*READ, HEARD):
        assert aftermath.history.readings.corrections(source_id) == [], source_id


def test_nothing_sound_was_quarantined(aftermath: Aftermath) -> None:
    for source_id in SOURCES:
        assert aftermath.history.quarantined(source_id) == [], source_id


def test_the_totals_are_those_of_counting_everything(aftermath: Aftermath) -> None:
    for source_id in SOURCES:
        state = aftermath.history.source_state(source_id)
        assert state is not None
        counts = aftermath.history.records.counts(source_id)
        assert {name: getattr(state, name) for name in counts} == counts, source_id


def test_no_cursor_stands_past_what_is_stored(aftermath: Aftermath) -> None:
    newest = {"elapor": schema.incident, "ekelurahan": schema.service_request}
    for source_id, table in newest.items():
        with aftermath.engine.connect() as connection:
            stored = connection.execute(
                # Of what says itself when it changed.
                select(func.max(table.c.observed_at)).where(
                    table.c.source_id == source_id, table.c.observed_estimated.is_(False)
                )
            ).scalar_one()
        assert aftermath.history.cursor(source_id).watermark == stored, source_id


def test_the_last_poller_had_nothing_to_complain_of(aftermath: Aftermath) -> None:
    for word in ("crash", "Traceback", "not recorded"):
        assert word not in aftermath.output
