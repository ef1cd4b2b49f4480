"""The panel `indicators`: how the city stands, small enough to be sent to every screen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lawang.city import City
from lawang.domain.formula import sources_of
from lawang.domain.kpi import RollUp, Span
from lawang.kpi.cells import last_complete_day
from lawang.overview.read import OverviewReader
from lawang.store.history import History

#: Time alone turns an indicator grey: how old a computation of the same facts may be.
_LOOK_AGAIN = timedelta(minutes=5)
#: The horizon of the dimensions, which are shown over one.
_SPAN = Span.MONTH

Panel = dict[str, Any]


class IndicatorsPanel:
    """Computes the panel when facts or the day have changed, else gives what it has. Blocking.

    Not thread-safe: the board alone asks. What is not known is left out.
    """

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._reader = OverviewReader(city, history)
        self._sources = sorted(
            {
                name
                for kpi in city.kpis.values()
                for name in sources_of(kpi.formula) or tuple(city.sources)
                if name in city.sources
            }
        )
        self._made_of: tuple[object, ...] = ()
        self._made_at: datetime | None = None
        self._panel: Panel = {}

    def __call__(self, now: datetime) -> Panel:
        """The payload as of `now`; empty in a city without indicators. StoreError when history
        is away."""
        if not self._city.kpis:
            return {}
        made_of = (self._reader.version(now), last_complete_day(now, self._city.timezone))
        is_young = self._made_at is not None and now - self._made_at < _LOOK_AGAIN
        if made_of != self._made_of or not is_young:
            panel = self._compute(now)
            # The same said at another moment is nothing new to anybody.
            if {**panel, "at": ""} != {**self._panel, "at": ""}:
                self._panel = panel
            self._made_of, self._made_at = made_of, now
        return self._panel

    def _compute(self, now: datetime) -> Panel:
        overview = self._reader.read(now, {}, span=_SPAN)
        return {
            "sources": self._sources,
            "version": overview.version,
            "last": overview.last.isoformat(),
            "at": now.isoformat(),
            "simulated": overview.simulated,
            "city": {span.value: _told(overview.scores[span][0]) for span in Span},
            "dimensions": {each.id: _told(each) for each in overview.scores[_SPAN][1:]},
        }


def _told(roll_up: RollUp) -> Panel:
    told: Panel = {
        "light": roll_up.light.value,
        "counting": roll_up.counting,
        "total": roll_up.total,
    }
    if roll_up.score is not None:
        told["score"] = round(roll_up.score, 4)
    if roll_up.change is not None:
        # Nought has one sign.
        told["change"] = round(roll_up.change, 4) + 0.0
    return told
