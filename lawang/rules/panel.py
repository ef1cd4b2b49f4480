"""The board's panel `alarms`: what is wrong in the city now, and what nobody can tell.

Shelved ones, and those within a silence window of their rule, are counted but not announced.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lawang.city import City
from lawang.domain.alarm import SEVERITIES_WORST_FIRST, Alarm, AlarmState
from lawang.rules.wording import name_region, name_subject, word
from lawang.store.history import History

Panel = dict[str, Any]


class AlarmsPanel:
    """Makes the payload from history; call it with the time. Raises StoreError."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._history = history
        sources = {each for rule in city.rules.values() for each in rule.sources}
        self._sources = sorted(sources)

    def __call__(self, now: datetime) -> Panel:
        shown: list[Alarm] = []
        shelved = silenced = 0
        for alarm in self._history.alarms.open():
            rule = self._city.rules.get(alarm.rule)
            if rule is None:
                continue
            if alarm.is_shelved(now):
                shelved += 1
            elif rule.is_silent(now, self._city.timezone):
                silenced += 1
            else:
                shown.append(alarm)
        panel: Panel = {
            "sources": self._sources,
            "alarms": {str(alarm.id): self._entry(alarm) for alarm in shown},
            "unknown": sum(alarm.state is AlarmState.UNKNOWN for alarm in shown),
            "shelved": shelved,
            "silenced": silenced,
            "blind": self._history.alarms.blind(),
            "rules": len(self._city.rules),
        }
        if shown:
            panel["worst"] = next(
                severity.value
                for severity in SEVERITIES_WORST_FIRST
                if any(alarm.severity is severity for alarm in shown)
            )
        return panel

    def _entry(self, alarm: Alarm) -> Panel:
        rule = self._city.rules[alarm.rule]
        entry: Panel = {
            "rule": alarm.rule,
            "severity": alarm.severity.value,
            "state": alarm.state.value,
            "owner": rule.owner,
            "began_at": alarm.began_at.isoformat(),
            "active_at": alarm.active_at.isoformat(),
            "acked": alarm.acked_at is not None,
            "simulated": alarm.simulated,
            "subject": name_subject(alarm, self._city),
            "region_name": name_region(alarm.region, self._city),
        }
        for language in ("id", "en"):
            wording = word(alarm, rule, self._city, language)
            entry |= {f"name_{language}": wording.name, f"text_{language}": wording.text}
        if alarm.region:
            entry["region"] = alarm.region
        if alarm.value is not None:
            entry["value"] = alarm.value
        if alarm.observed_at is not None:
            entry["observed_at"] = alarm.observed_at.isoformat()
        if alarm.why:
            entry["why"] = alarm.why
        return entry
