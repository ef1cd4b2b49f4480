"""A department that takes reports of a few kinds and knows who filed them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator import life
from simulator.city_life import Town
from simulator.lifecycle import lifecycle, promised
from simulator.people import some_names, some_phone
from simulator.store import NewReport, Quirk, Reporter, Store
from simulator.texts import write

_QUIRKS = {
    Quirk.NONE: 0.91,
    Quirk.NO_POINT: 0.05,
    Quirk.TEXT_POINT: 0.03,
    Quirk.SWAPPED: 0.01,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of report. `share` is its part of all, `median_days` how long half of them take.

    `problems` and `terse` are what citizens write of it (see `texts.write`).
    """

    code: str
    name: str
    agency: str
    share: float
    median_days: float
    problems: Sequence[str]
    terse: Sequence[str]


class Desk(life.Life):
    """The seeded life of one such department."""

    def __init__(
        self,
        store: Store,
        town: Town,
        seed: int,
        factor: float,
        *,
        rhythm: life.Rhythm,
        kinds: Sequence[Kind],
        verifies: bool = False,
    ) -> None:
        super().__init__(store, town, seed, factor)
        self.rhythm = rhythm
        self._kinds = kinds
        self._verifies = verifies

    def _report(self, report_id: str, at: datetime) -> NewReport:
        rng = self._random("report", report_id)
        kind = rng.choices(self._kinds, [kind.share for kind in self._kinds])[0]
        place = self._place(rng, kind.code)
        spot = self._spot(rng, place)
        latitude, longitude = self._town.point_in(place, rng)
        return NewReport(
            id=report_id,
            service_code=kind.code,
            service_name=kind.name,
            description=write(rng, kind.problems, kind.terse, spot),
            address=spot.address,
            latitude=latitude,
            longitude=longitude,
            requested_at=at,
            expected_at=promised(at, self._town.timezone),
            quirk=rng.choices(list(_QUIRKS), list(_QUIRKS.values()))[0],
            moves=lifecycle(
                rng, at, kind, place.name, self._town.timezone, verifies=self._verifies
            ),
            reporter=_somebody(rng),
        )


def _somebody(rng: random.Random) -> Reporter:
    first_name, last_name = some_names(rng)
    return Reporter(first_name=first_name, last_name=last_name, phone=some_phone(rng))
