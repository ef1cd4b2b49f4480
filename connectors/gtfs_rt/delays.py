"""How late one trip is."""

from __future__ import annotations

from datetime import datetime

from google.transit import gtfs_realtime_pb2 as gtfs

_NOT_RUNNING = frozenset(
    {
        gtfs.TripDescriptor.ScheduleRelationship.CANCELED,
        gtfs.TripDescriptor.ScheduleRelationship.DELETED,
    }
)
_SKIPPED = frozenset(
    {
        gtfs.TripUpdate.StopTimeUpdate.ScheduleRelationship.SKIPPED,
        gtfs.TripUpdate.StopTimeUpdate.ScheduleRelationship.NO_DATA,
    }
)


def delay_of(update: gtfs.TripUpdate, at: datetime) -> int | None:
    """Seconds late, negative when early; None for a trip that does not run or does not say.

    The trip's own delay where it is stated; else that at the first stop still to come by the times
    given, or at the first stop where none is given.
    """
    if update.trip.schedule_relationship in _NOT_RUNNING:
        return None
    if update.HasField("delay"):
        return update.delay
    stated: list[tuple[int, int]] = []
    for stop in update.stop_time_update:
        if stop.schedule_relationship in _SKIPPED:
            continue
        event = stop.arrival if stop.HasField("arrival") else stop.departure
        if event.HasField("delay"):
            stated.append((event.time, event.delay))
    now = at.timestamp()
    ahead = [delay for time, delay in stated if time >= now]
    if ahead:
        return ahead[0]
    if not stated:
        return None
    # All times past: the last stop is the newest word. No times at all: the next stop is first.
    return stated[-1][1] if any(time for time, _ in stated) else stated[0][1]
