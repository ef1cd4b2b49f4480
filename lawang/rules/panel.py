"""The board's panel `alarms`: what is wrong in the city now, and what nobody can tell.

Shelved ones, and those within a silence window of their rule, are counted but not announced. An
alarm's point is its gauge's, else the middle of its kecamatan; one of the whole city has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lawang.city import City
from lawang.domain.alarm import SEVERITIES_WORST_FIRST, Alarm, AlarmState
from lawang.rules.wording import name_region, name_subject, word
from lawang.store import schema
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
        points = self._points(shown)
        panel: Panel = {
            "sources": self._sources,
            "alarms": {str(alarm.id): self._entry(alarm, points) for alarm in shown},
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

    def _points(self, alarms: Sequence[Alarm]) -> dict[str, list[float]]:
        """[longitude, latitude] of the gauges that alarms are about, by the alarm's key."""
        about = {
            alarm.key: alarm.subject
            for alarm in alarms
            if self._city.rules[alarm.rule].series is not None
        }
        if not about:
            return {}
        table = schema.series
        with self._history.database.reading() as connection:
            rows = connection.execute(
                select(
                    table.c.source_id,
                    table.c.measure,
                    table.c.subject,
                    table.c.longitude,
                    table.c.latitude,
                ).where(
                    table.c.subject.in_(set(about.values())),
                    table.c.longitude.is_not(None),
                    table.c.latitude.is_not(None),
                )
            ).all()
        # An alarm about a series has the key of it.
        found = {"/".join(row[:3]): [row.longitude, row.latitude] for row in rows}
        return {key: point for key, point in found.items() if key in about}

    def _entry(self, alarm: Alarm, points: Mapping[str, list[float]]) -> Panel:
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
            entry |= {
                f"name_{language}": wording.name,
                f"text_{language}": wording.text,
                f"steps_{language}": list(wording.steps),
            }
        if alarm.region:
            entry["region"] = alarm.region
        region = self._city.gazetteer.get(alarm.region) if alarm.region else None
        if alarm.key in points:
            entry["p"] = points[alarm.key]
        elif region is not None:
            entry["p"] = [region.longitude, region.latitude]
        if alarm.value is not None:
            entry["value"] = alarm.value
        if alarm.observed_at is not None:
            entry["observed_at"] = alarm.observed_at.isoformat()
        if alarm.why:
            entry["why"] = alarm.why
        return entry
