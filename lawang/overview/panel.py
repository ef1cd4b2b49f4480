"""The panels made of the overview: how the city stands, and the scenes that say more of it.

All of them come from one reading of the overview, so that it is worked out once a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from lawang.city import City
from lawang.domain.kpi import RollUp, Span
from lawang.kpi.cells import ONE_DAY, last_complete_day
from lawang.overview.model import Overview
from lawang.overview.morning import MorningReader
from lawang.overview.read import OverviewReader
from lawang.overview.scenes import (
    Panel,
    finance_panel,
    health_panel,
    services_panel,
    sources_of_all,
)
from lawang.store.history import History

#: Time alone turns an indicator grey: how old a computation of the same facts may be.
_LOOK_AGAIN = timedelta(minutes=5)
#: The horizon of the dimensions, which are shown over one.
_SPAN = Span.MONTH


class OverviewPanels:
    """Computes the panels when facts or the day have changed, else gives what it has. Blocking.

    Not thread-safe: the board alone asks. What is not known is left out.
    """

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._reader = OverviewReader(city, history)
        self._morning = MorningReader(city, history)
        self._made_of: tuple[str, date] | None = None
        self._made_at: datetime | None = None
        self._panels: dict[str, Panel] = {}

    def __call__(self, now: datetime) -> Mapping[str, Panel]:
        """The payloads as of `now`, by the panels' names; none in a city without indicators.
        StoreError when history is away."""
        if not self._city.kpis:
            return {}
        made_of = (self._reader.version(now), last_complete_day(now, self._city.timezone))
        is_young = self._made_at is not None and now - self._made_at < _LOOK_AGAIN
        if made_of != self._made_of or not is_young:
            before = self._panels
            self._panels = {
                # The same said at another moment is nothing new to anybody.
                name: before[name] if _says_the_same(panel, before.get(name)) else panel
                for name, panel in self._compute(now).items()
            }
            self._made_of, self._made_at = made_of, now
        return self._panels

    def _compute(self, now: datetime) -> dict[str, Panel]:
        yesterday = last_complete_day(now, self._city.timezone)
        overview = self._reader.read(now, {}, span=_SPAN, since=yesterday - ONE_DAY)
        city = self._city
        return {
            "indicators": indicators_panel(city, overview, now),
            "services": services_panel(city, overview, now),
            "finance": finance_panel(city, overview, now),
            "health": health_panel(city, overview, now),
            "morning": self._morning.read(overview, now),
        }


def _says_the_same(panel: Panel, before: Panel | None) -> bool:
    return before is not None and {**panel, "at": ""} == {**before, "at": ""}


def indicators_panel(city: City, overview: Overview, now: datetime) -> Panel:
    """How the city and its dimensions stand, small enough to be sent to every screen."""
    return {
        "sources": sorted(set(sources_of_all(city.kpis.values(), city))),
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
