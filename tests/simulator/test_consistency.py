"""One cloudburst and one fire, as every department tells of them through its own source file.

Departments exchange nothing; here a whole simulator runs, and what the city reads of them over
HTTP, MQTT and pushed messages is laid side by side.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shapely import Point
from shapely.geometry import shape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import registry
from connectors.http import client_for
from connectors.mqtt.options import MqttOptions
from connectors.webhook.options import WebhookOptions
from connectors.webhook.receiver import Receiver
from lawang.city import City, load_city
from lawang.connector import Cursor, FetchContext, Parsed
from lawang.domain.alert import MessageType
from lawang.store.engine import migrate, open_engine
from lawang.store.inbox import Inbox
from simulator.app import create_app
from simulator.city_life import Town, distance_km
from simulator.elapor.services import RAIN_CODES
from simulator.happenings import Happenings
from simulator.rescue.bases import fire_posts
from simulator.serve import address_of, build_server, listen
from simulator.settings import SimulatorSettings
from simulator.store import Store
from tests.connectors.broker import free_port, listening
from tests.simulator.conftest import PACK, HeldClock

#: A Thursday, 07:05 WIB: buses run, and the seed has no storm of its own for ten hours.
ONSET = datetime(2026, 11, 19, 0, 5, tzinfo=UTC)
#: Rain over Ilir Timur II and III, on the north bank; a fire in Seberang Ulu I, on the south bank.
WET, BURNING = ("16.71.06", "16.71.18"), "16.71.02"
RAIN_MINUTES = 90
MOMENTS = {"before": -10, "onset": 1, "soon": 25, "height": 60, "late": 110, "after": 420}
#: The rain gauges and the canal gauge within the rain, and some that are far from it.
WET_RAIN, WET_CANAL = ("CH-07", "CH-12"), "TMA-10"
DRY_RAIN, DRY_CANAL = ("CH-01", "CH-02", "CH-10"), "TMA-12"
PATIENCE_S = 60.0
MINUTE = timedelta(minutes=1)


@dataclass
class Seen:
    """What one look at all departments brought: the records by source and kind."""

    at: datetime
    parsed: dict[str, list[Parsed]] = field(default_factory=dict)

    def all(self, source_id: str, kind: str) -> list[Any]:
        return [each for parsed in self.parsed[source_id] for each in getattr(parsed, kind)]

    def values(self, source_id: str, measure: str) -> dict[str, float]:
        """The newest value of each subject."""
        found = [each for each in self.all(source_id, "measurements") if each.measure == measure]
        return {each.subject: each.value for each in sorted(found, key=lambda each: each.at)}


@dataclass
class World:
    """A running simulator with broker and door, and the city that reads it."""

    folder: Path
    clock: HeldClock
    city: City
    inbox: Inbox
    keys: list[str]

    def look(self, at: datetime) -> Seen:
        """Put the clock to `at` and read everything once it has come to pass."""
        self.clock.now = at
        store = Store(self.folder / "elapor.sqlite3")
        wait_for(lambda: store.advanced_to() == at, "e-lapor lives on")
        wait_for(lambda: self.keys.count(f"heartbeat-{at.isoformat()}") == 2, "all was pushed")
        return asyncio.run(self._read(Seen(at)))

    async def _read(self, seen: Seen) -> Seen:
        for source_id in (
            "elapor",
            "bmkg_peringatan",
            "transmusi_jadwal",
            "transmusi_info",
            "udara",
            "armada_damkar",
            "ambulans",
            "damkar",
            "psc119",
        ):
            seen.parsed[source_id] = await self._poll(source_id)
        for source_id in ("pengukur_air", "pengukur_hujan"):
            seen.parsed[source_id] = [await self._listen(source_id, seen.at)]
        return seen

    async def _poll(self, source_id: str) -> list[Parsed]:
        source = self.city.sources[source_id]
        connector, options = registry.get(source.connector), registry.bind(source)
        patience = timedelta(seconds=PATIENCE_S)
        async with client_for(source, options, timeout=patience) as client:
            context = FetchContext(
                client,
                self.clock,
                patience,
                20_000_000,
                source_id=source_id,
                every=MINUTE,
                inbox=self.inbox,
            )
            answers = [each async for each in connector.fetch(options, Cursor(), context)]
        return [connector.parse(options, each) for each in answers]

    async def _listen(self, source_id: str, at: datetime) -> Parsed:
        """The reading of each of the twelve gauges at that moment."""
        options = registry.bind(self.city.sources[source_id])
        assert isinstance(options, MqttOptions)
        quick = options.model_copy(update={"batch_s": 0.1})
        heard, fresh = Parsed(), set[str]()
        async with listening(quick, clock=self.clock, source_id=source_id) as ears:
            async with asyncio.timeout(PATIENCE_S):
                while len(fresh) < 12:
                    _, parsed = await ears.heard()
                    heard.rejects.extend(parsed.rejects)
                    for each in parsed.measurements:
                        if each.at == at:
                            heard.measurements.append(each)
                            fresh.add(each.subject)
        return heard


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A server in a thread; yields its address."""
    with listen("127.0.0.1", 0) as listener:
        server = build_server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_for(lambda: server.started or not thread.is_alive(), "the server starts")
            yield address_of(listener)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextmanager
def a_world(folder: Path) -> Iterator[World]:
    happenings = Happenings(folder / "happenings.jsonl")
    for kecamatan in WET:
        happenings.rain(kecamatan, ONSET, mm_h=70, minutes=RAIN_MINUTES)
    happenings.blaze(BURNING, ONSET, "besar")
    clock = HeldClock(ONSET + MOMENTS["before"] * MINUTE)
    engine = open_engine(f"sqlite:///{folder / 'history.sqlite3'}")
    migrate(engine)
    inbox, keys = Inbox(engine), list[str]()
    port = free_port()

    with serving(door(inbox, keys, clock)) as push_url:
        settings = SimulatorSettings(
            data_dir=folder,
            pack_dir=PACK,
            clock=clock,
            tick_s=0.1,
            mqtt_port=port,
            push_url=push_url,
        )
        with serving(create_app(settings)) as url:
            env = {
                "LAWANG_SIMULATOR_URL": url,
                "LAWANG_SIMULATOR_DIR": str(folder),
                "LAWANG_SIMULATOR_MQTT": f"127.0.0.1:{port}",
            }
            city = load_city(PACK, simulated=True, env=env)
            yield World(folder, clock, city, inbox, keys)
    engine.dispose()


def door(inbox: Inbox, keys: list[str], clock: HeldClock) -> Starlette:
    """Takes what is pushed, with the receiver and the inbox of the centre."""
    city = load_city(PACK, simulated=True, env={})
    receivers = {}
    for source_id in ("damkar", "psc119"):
        options = registry.bind(city.sources[source_id])
        assert isinstance(options, WebhookOptions)
        receivers[source_id] = Receiver(city.sources[source_id], options)

    async def take(request: Request) -> Response:
        receiver = receivers[request.path_params["source"]]
        body, key = await request.body(), request.headers["idempotency-key"]
        heartbeat = receiver.is_heartbeat(body)
        clean = receiver.clean(body)
        inbox.put(receiver.source_id, key, clean, "application/json", clock(), heartbeat)
        keys.append(key)
        return Response(status_code=202)

    return Starlette(routes=[Route("/ingest/{source}", take, methods=["POST"])])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen: {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """What was seen at each of `MOMENTS`."""
    with a_world(tmp_path_factory.mktemp("world")) as world:
        return {name: world.look(ONSET + after * MINUTE) for name, after in MOMENTS.items()}


# --- rain ---------------------------------------------------------------------------------------


def warnings_of(seen: Seen) -> list[Any]:
    """The warnings about the storm of this day that were out by then."""
    found = seen.all("bmkg_peringatan", "bulletins")
    return [each for each in found if each.onset_at == ONSET]


def test_nothing_is_rejected(day: dict[str, Seen]) -> None:
    # e-lapor has some records on purpose that lack what they need; none of the others has.
    for seen in day.values():
        for source_id in seen.parsed.keys() - {"elapor"}:
            assert seen.all(source_id, "rejects") == [], source_id


def test_a_warning_of_the_storm_is_issued_at_its_onset(day: dict[str, Seen]) -> None:
    assert warnings_of(day["before"]) == []
    issued = warnings_of(day["onset"])
    assert {each.sent_at for each in issued} == {ONSET}
    assert {area for each in issued for area in each.areas} >= set(WET)


def test_a_warning_covers_its_kecamatan(day: dict[str, Seen], town: Town) -> None:
    for code in WET:
        (warning,) = [each for each in warnings_of(day["onset"]) if code in each.areas]
        polygon = shape(warning.geometry)
        for place in town.in_kecamatan(code):
            assert polygon.covers(Point(place.longitude, place.latitude)), place.name


def test_a_warning_is_over_with_the_rain(day: dict[str, Seen]) -> None:
    ended = ONSET + timedelta(minutes=RAIN_MINUTES)
    for each in warnings_of(day["after"]):
        assert each.expires_at <= ended + timedelta(hours=1)
    assert any(each.message_type is MessageType.UPDATE for each in warnings_of(day["late"]))


def test_the_rain_gauges_there_measure_it_and_those_elsewhere_do_not(day: dict[str, Seen]) -> None:
    falling = {name: seen.values("pengukur_hujan", "curah_hujan") for name, seen in day.items()}
    for gauge in WET_RAIN:
        assert falling["before"][gauge] == 0
        # 70 mm in an hour at its height is about 12 mm in ten minutes.
        assert 8 < falling["height"][gauge] < 13
        assert falling["after"][gauge] == 0
    for gauge in DRY_RAIN:
        assert all(each[gauge] == 0 for each in falling.values())


def test_canals_there_rise_after_the_rain_and_drain_later(day: dict[str, Seen]) -> None:
    # What the river pushes back into every canal is taken off: one far away shows it.
    levels = {name: seen.values("pengukur_air", "tinggi_air") for name, seen in day.items()}
    rise = {name: each[WET_CANAL] - each[DRY_CANAL] for name, each in levels.items()}
    assert rise["onset"] - rise["before"] < 2
    assert rise["height"] - rise["before"] > 20
    assert rise["late"] > rise["height"]
    assert rise["after"] - rise["before"] < 0.5 * (rise["late"] - rise["before"])


def test_people_there_report_flooding_within_the_hour(day: dict[str, Seen], town: Town) -> None:
    def soaked(name: str, kecamatan: bool) -> int:
        return sum(
            each.category in RAIN_CODES
            and each.latitude is not None
            and ONSET <= each.requested_at <= ONSET + timedelta(hours=1)
            and (town.at(each.latitude, each.longitude)[0] in WET) is kecamatan
            for each in day[name].all("elapor", "reports")
        )

    assert soaked("onset", kecamatan=True) == 0
    assert soaked("height", kecamatan=True) >= 5
    assert soaked("height", kecamatan=True) > 2 * soaked("height", kecamatan=False)


def test_buses_through_it_are_late_and_recover(day: dict[str, Seen]) -> None:
    late = {name: seen.values("transmusi_jadwal", "keterlambatan") for name, seen in day.items()}
    worst = {name: max(each.values()) for name, each in late.items()}
    assert worst["height"] > 2 * worst["before"]
    assert worst["after"] < 0.5 * worst["height"]


def test_an_alert_tells_of_flooded_stops_while_they_are(day: dict[str, Seen]) -> None:
    def told(name: str) -> list[Any]:
        return day[name].all("transmusi_info", "bulletins")

    assert told("before") == told("onset") == []
    assert told("late")
    assert all("tergenang" in each.headline for each in told("late"))
    assert len(told("after")) < len(told("late"))


def test_rain_washes_the_dust_out_of_the_air_there(day: dict[str, Seen]) -> None:
    def fell_to(station: str) -> float:
        hours = {
            each.at: each.value
            for each in day["after"].all("udara", "measurements")
            if each.measure == "pm25" and each.subject == station
        }
        before, after = ONSET.replace(minute=0), ONSET.replace(minute=0) + timedelta(hours=2)
        return float(hours[after] / hours[before - timedelta(hours=1)])

    assert fell_to("PLB-03") < 0.6 * fell_to("PLB-05")


# --- fire ---------------------------------------------------------------------------------------


def fire_calls(seen: Seen, source_id: str) -> list[Any]:
    """The calls about the fire that was made, at the last status of each."""
    last = {each.external_id: each for each in seen.all(source_id, "reports")}
    return [each for name, each in last.items() if "-B1" in name]


def test_the_brigade_is_called_once_and_its_call_ends(day: dict[str, Seen], town: Town) -> None:
    assert fire_calls(day["before"], "damkar") == []
    (call,) = fire_calls(day["height"], "damkar")
    assert call.category == "KBK"
    assert call.status == "TIBA"
    assert town.by_code[call.region].kecamatan == BURNING
    (ended,) = fire_calls(day["after"], "damkar")
    assert ended.status == "SELESAI"


def test_engines_stand_where_the_brigade_was_called_to(day: dict[str, Seen]) -> None:
    (call,) = fire_calls(day["height"], "damkar")

    def at_fire(name: str) -> int:
        fixes = day[name].all("armada_damkar", "fixes")
        return sum(
            distance_km(each.latitude, each.longitude, call.latitude, call.longitude) < 0.05
            and each.facts.get("kejadian", call.external_id) == call.external_id
            for each in fixes
        )

    assert at_fire("before") == at_fire("after") == 0
    assert 9 <= at_fire("height") <= 16


def test_ambulances_are_called_to_a_large_fire_in_the_same_kelurahan(day: dict[str, Seen]) -> None:
    (fire,) = fire_calls(day["height"], "damkar")
    calls = fire_calls(day["height"], "psc119")
    assert len(calls) == 3
    assert {each.region for each in calls} == {fire.region}
    sent = [
        each
        for each in day["soon"].all("ambulans", "fixes")
        if distance_km(each.latitude, each.longitude, fire.latitude, fire.longitude) < 3
        and each.status in ("EN_ROUTE", "ON_SCENE")
    ]
    assert sent


def test_people_report_the_smoke_in_the_same_kelurahan(day: dict[str, Seen], town: Town) -> None:
    (fire,) = fire_calls(day["height"], "damkar")
    smoke = [each for each in day["height"].all("elapor", "reports") if "-B1-A" in each.external_id]
    assert len(smoke) >= 3
    assert {town.at(each.latitude, each.longitude)[1] for each in smoke} == {fire.region}
    assert all(each.requested_at > ONSET for each in smoke)


def test_the_brigade_arrives_as_soon_as_an_engine_can(day: dict[str, Seen], town: Town) -> None:
    turns = [each for each in day["after"].all("damkar", "reports") if "-B1" in each.external_id]
    told = {each.status: each.updated_at for each in turns}
    assert list(told) == ["DITERIMA", "MELUNCUR", "TIBA", "PADAM", "SELESAI"]
    fire = turns[0]
    way_km = min(
        distance_km(post.latitude, post.longitude, fire.latitude, fire.longitude)
        for post in fire_posts(town)
    )
    driving = told["TIBA"] - told["MELUNCUR"]
    assert driving > timedelta(hours=way_km / 60)
    assert told["TIBA"] - told["DITERIMA"] < timedelta(minutes=15)
