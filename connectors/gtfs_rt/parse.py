"""Turns a feed's entities into positions, readings and bulletins. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime, timedelta

from google.transit import gtfs_realtime_pb2 as gtfs

from connectors.gtfs_rt.alerts import read_alert
from connectors.gtfs_rt.delays import delay_of
from connectors.gtfs_rt.feed import open_feed, read_instant, told_at
from connectors.gtfs_rt.options import GtfsRealtimeOptions
from lawang.connector import Answer, Parsed
from lawang.domain.incident import Reject
from lawang.domain.measure import Measurement
from lawang.domain.position import Fix
from lawang.domain.values import read_identity, read_word

DELAY = "keterlambatan"
#: The word for a vehicle that is on no trip; the schema has none.
NO_TRIP = "NO_TRIP"
_KMH = 3.6


def parse_answer(options: GtfsRealtimeOptions, answer: Answer) -> Parsed:
    """What the feed's entities mean; `connectors.gtfs_rt.feed.open_feed` names the errors."""
    feed = open_feed(answer.body)
    at = told_at(feed)
    fixes: dict[str, Fix] = {}
    parsed = Parsed(watermark=at)
    trips: list[tuple[str, gtfs.TripUpdate]] = []
    for entity in feed.entity:
        if entity.is_deleted:
            continue
        if "positions" in options.yields and entity.HasField("vehicle"):
            fix = _fix(entity, options, at)
            if isinstance(fix, Reject):
                parsed.rejects.append(fix)
            else:
                fixes[fix.external_id] = fix
        if "readings" in options.yields and entity.HasField("trip_update"):
            trips.append((entity.id, entity.trip_update))
        if "alerts" in options.yields and entity.HasField("alert"):
            parsed.bulletins.append(read_alert(entity, options, at or answer.fetched_at))
    measurements = _delays(trips, at or answer.fetched_at, parsed.rejects)
    return Parsed(
        fixes=list(fixes.values()),
        measurements=measurements,
        bulletins=parsed.bulletins,
        rejects=parsed.rejects,
        watermark=at,
    )


def _fix(
    entity: gtfs.FeedEntity, options: GtfsRealtimeOptions, at: datetime | None
) -> Fix | Reject:
    told = entity.vehicle
    identity = read_identity(told.vehicle.id or entity.id)
    if identity is None:
        return Reject(reason="no_id", detail="a vehicle without id")
    if not told.HasField("position"):
        return Reject(reason="bad_place", detail="no position", external_id=identity)
    position = told.position
    on_trip = told.HasField("trip") and bool(told.trip.trip_id or told.trip.route_id)
    facts: dict[str, str | None] = {
        "trayek": read_word(told.trip.route_id),
        "perjalanan": read_word(told.trip.trip_id),
        "label": read_word(told.vehicle.label),
        "kepadatan": gtfs.VehiclePosition.OccupancyStatus.Name(told.occupancy_status)
        if told.HasField("occupancy_status")
        else None,
    }
    place = _degrees(position.latitude, position.longitude)
    return Fix(
        external_id=identity,
        kind=options.vehicle_kind,
        name=read_word(told.vehicle.label) or identity,
        latitude=place[0],
        longitude=place[1],
        heading=_number(position.bearing) if position.HasField("bearing") else None,
        speed_kmh=_number(position.speed * _KMH) if position.HasField("speed") else None,
        # The schema's own default is IN_TRANSIT_TO.
        status=gtfs.VehiclePosition.VehicleStopStatus.Name(told.current_status)
        if on_trip
        else NO_TRIP,
        observed_at=read_instant(told.timestamp) or at,
        facts={name: value for name, value in facts.items() if value},
    )


def _degrees(latitude: float, longitude: float) -> tuple[float | None, float | None]:
    """Single precision is good to about a metre; its further digits are noise."""
    # NaN is in no range either.
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None, None
    return round(latitude, 5), round(longitude, 5)


def _number(value: float) -> float | None:
    return round(value, 1) if math.isfinite(value) else None


def _delays(
    trips: list[tuple[str, gtfs.TripUpdate]], at: datetime, rejects: list[Reject]
) -> list[Measurement]:
    """The mean delay of each route's trips under way, in seconds; early is less than nothing."""
    by_route: dict[str, list[int]] = defaultdict(list)
    newest: dict[str, datetime] = {}
    for entity_id, update in trips:
        route = read_identity(update.trip.route_id or None)
        delay_s = delay_of(update, at)
        if delay_s is None:
            continue
        if route is None:
            rejects.append(
                Reject(
                    reason="no_id",
                    detail="trip.route_id is missing",
                    external_id=read_identity(entity_id),
                )
            )
            continue
        if abs(delay_s) > timedelta(days=1).total_seconds():
            detail = "a delay of more than a day"
            rejects.append(Reject(reason="bad_value", detail=detail, external_id=route))
            continue
        by_route[route].append(delay_s)
        told = read_instant(update.timestamp) or at
        newest[route] = max(told, newest.get(route, told))
    return [
        Measurement(
            measure=DELAY,
            value=round(sum(delays) / len(delays), 1),
            at=at,
            subject=route,
            subject_name=route,
            observed_at=newest[route],
        )
        for route, delays in sorted(by_route.items())
    ]
