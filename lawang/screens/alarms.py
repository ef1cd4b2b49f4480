"""The alarms of the city's rules, as the walls and the status take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from lawang.city import City
from lawang.domain.status import SeenAlarm, see
from lawang.screens.programme import ALARMS_BACK
from lawang.store.alarms import AlarmFilter
from lawang.store.history import History

#: More alarms than this in two days are an alarm of their own; the newest are looked at.
_MOST = 2000


def alarms_of(city: City, history: History) -> Callable[[datetime], Sequence[SeenAlarm] | None]:
    """What tells the alarms that are open or were raised lately; None where a pack has no rules.

    It blocks, and raises StoreError.
    """

    def read(at: datetime) -> Sequence[SeenAlarm] | None:
        if not city.rules:
            return None
        lately = history.alarms.find(AlarmFilter(), _MOST)
        found = {
            each.id: each
            for each in (*lately, *history.alarms.open())
            if each.state.is_open or each.active_at >= at - ALARMS_BACK
        }
        seen = []
        for alarm in found.values():
            rule = city.rules.get(alarm.rule)
            categories = tuple(getattr(rule.condition, "categories", ())) if rule else ()
            silent = rule is not None and rule.is_silent(alarm.active_at, city.timezone)
            seen.append(see(alarm, categories, silent, at))
        return seen

    return read
