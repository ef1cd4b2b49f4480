"""Vehicles that drive to the calls of a rescue service, wherever these are taken and pushed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

from simulator.armada.trips import Call, Fix, Point, Trip, dispatch, stand
from simulator.city_life import Town
from simulator.rescue import calls


class Responders:
    """One vehicle at each of `bases`. `sent` tells what a call means for them, if anything."""

    def __init__(
        self,
        town: Town,
        log: calls.CallLog,
        bases: Sequence[Point],
        speed_kmh: float,
        sent: Callable[[calls.Call], Call | None],
    ) -> None:
        self._town = town
        self._log = log
        self._bases = bases
        self._speed_kmh = speed_kmh
        self._sent = sent
        self._known: tuple[object, list[list[Trip]]] = (None, [])

    def fixes(self, at: datetime) -> list[Fix]:
        """Every vehicle's place, in the order of the bases."""
        return [
            stand(base, own, at, self._speed_kmh)
            for base, own in zip(self._bases, self._trips(at), strict=True)
        ]

    def _trips(self, at: datetime) -> list[list[Trip]]:
        """All trips of today and yesterday, made again when there is something new."""
        day = at.astimezone(self._town.timezone).date()
        begin = datetime.combine(day - timedelta(days=1), time(), self._town.timezone)
        since = begin.astimezone(UTC)
        stand_of = (day, len(self._town.happenings.blazes))
        if self._known[0] != stand_of:
            made = map(self._sent, self._log.made(since, since + timedelta(days=2)))
            tasks = [call for call in made if call is not None]
            self._known = stand_of, dispatch(tasks, self._bases, self._speed_kmh)
        return self._known[1]


def between(call: calls.Call, left: str, *over: str, units: int = 1) -> Call | None:
    """A call as one for which vehicles are away from status word `left` until one of `over`."""
    begin, end = call.when(left), call.when(*over)
    if begin is None or end is None:
        return None
    return Call(call.number, begin, (call.latitude, call.longitude), units, end)
