"""The three feeds, in the protocol buffers of GTFS-Realtime 2.0.

The key is printed in the log: it guards nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from google.transit import gtfs_realtime_pb2 as gtfs
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.city_life import Town
from simulator.faults import Faults
from simulator.settings import SimulatorSettings
from simulator.transmusi.fleet import SPEED_KMH, Bus, Closure, Fleet
from simulator.weather import Weather

API_KEY = "demo"
_STUCK_S = 1_800.0
_KMH = 3.6
_LOADS = (
    gtfs.VehiclePosition.OccupancyStatus.MANY_SEATS_AVAILABLE,
    gtfs.VehiclePosition.OccupancyStatus.FEW_SEATS_AVAILABLE,
    gtfs.VehiclePosition.OccupancyStatus.STANDING_ROOM_ONLY,
    gtfs.VehiclePosition.OccupancyStatus.FULL,
)

Write = Callable[[gtfs.FeedMessage, datetime, timedelta], None]


class Api:
    """The endpoints; a skewed clock (see `Faults`) shifts all times they speak."""

    def __init__(self, town: Town, settings: SimulatorSettings, faults: Faults) -> None:
        self._clock = settings.clock
        self._faults = faults
        weather = Weather(town, settings.seed)
        self._fleet = Fleet(town, weather, settings.seed, settings.factor)

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [
            Route("/gtfs-rt/vehicle-positions", self._feed(self._write_vehicles)),
            Route("/gtfs-rt/trip-updates", self._feed(self._write_trips)),
            Route("/gtfs-rt/alerts", self._feed(self._write_alerts)),
        ]

    def _feed(self, write: Write) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            shown = request.headers.get("x-api-key", "").encode()
            if not hmac.compare_digest(shown, API_KEY.encode()):
                return JSONResponse({"pesan": "X-Api-Key tidak ada atau tidak berlaku."}, 401)
            at = self._clock()
            fault = self._faults.present
            if fault.kind == "stuck":
                at -= timedelta(seconds=fault.amount or _STUCK_S)
            feed = gtfs.FeedMessage()
            feed.header.gtfs_realtime_version = "2.0"
            feed.header.incrementality = gtfs.FeedHeader.FULL_DATASET
            feed.header.timestamp = _seconds(at + self._faults.skew)
            write(feed, at, self._faults.skew)
            return Response(feed.SerializeToString(), media_type="application/x-protobuf")

        return answer

    def _write_vehicles(self, feed: gtfs.FeedMessage, at: datetime, skew: timedelta) -> None:
        for bus in self._fleet.buses(at):
            entity = feed.entity.add(id=bus.id)
            told = entity.vehicle
            told.vehicle.id, told.vehicle.label = bus.id, bus.label
            told.position.latitude = bus.latitude
            told.position.longitude = bus.longitude
            told.position.bearing = bus.bearing
            told.position.speed = bus.speed_kmh / _KMH
            told.timestamp = _seconds(at + skew)
            told.current_status = (
                gtfs.VehiclePosition.STOPPED_AT
                if bus.stands
                else gtfs.VehiclePosition.IN_TRANSIT_TO
            )
            if bus.trip is not None:
                _describe_trip(told.trip, bus)
                told.stop_id = bus.corridor.stops[bus.next_stop].code
                told.occupancy_status = _LOADS[min(3, int(bus.load * 4))]

    def _write_trips(self, feed: gtfs.FeedMessage, at: datetime, skew: timedelta) -> None:
        for bus in self._fleet.buses(at):
            if bus.trip is None:
                continue
            update = feed.entity.add(id=bus.trip).trip_update
            _describe_trip(update.trip, bus)
            update.vehicle.id, update.vehicle.label = bus.id, bus.label
            update.timestamp = _seconds(at + skew)
            for stop, ahead_km in _ahead(bus):
                event = update.stop_time_update.add(stop_id=bus.corridor.stops[stop].code)
                event.arrival.delay = bus.delay_s
                event.arrival.time = _seconds(at + skew + timedelta(hours=ahead_km / SPEED_KMH))

    def _write_alerts(self, feed: gtfs.FeedMessage, at: datetime, skew: timedelta) -> None:
        for closure in self._fleet.closures(at):
            _write_alert(feed.entity.add(id=closure.key).alert, closure, skew)


def _write_alert(alert: gtfs.Alert, closure: Closure, skew: timedelta) -> None:
    alert.active_period.add(start=_seconds(closure.since + skew))
    alert.cause = gtfs.Alert.WEATHER
    alert.effect = gtfs.Alert.DETOUR
    informed = alert.informed_entity.add(route_id=closure.corridor.id)
    informed.stop_id = closure.stop.code
    name, route = closure.stop.name, f"{closure.corridor.id} ({closure.corridor.name})"
    for text, language, words in (
        (alert.header_text, "en", f"{route}: detour, flooding at {name} (simulated)"),
        (alert.header_text, "id", f"{route}: dialihkan, jalan di {name} tergenang (simulasi)"),
        (alert.description_text, "en", f"The stop {name} is not served while water stands there."),
        (alert.description_text, "id", f"Halte {name} tidak dilayani selama jalan tergenang."),
    ):
        text.translation.add(text=words, language=language)


def _describe_trip(trip: gtfs.TripDescriptor, bus: Bus) -> None:
    trip.trip_id = bus.trip or ""
    trip.route_id = bus.corridor.id
    trip.direction_id = int(bus.back)


def _ahead(bus: Bus) -> list[tuple[int, float]]:
    """The next stops of a bus, four at most, with how far each is along the road."""
    marks = bus.corridor.marks_km
    step = -1 if bus.back else 1
    stops = range(bus.next_stop, -1 if bus.back else len(marks), step)
    return [(stop, abs(marks[stop] - marks[bus.next_stop])) for stop in list(stops)[:4]]


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
