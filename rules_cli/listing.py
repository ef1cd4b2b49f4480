"""`lawang rules list | state`: the work, without the printing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lawang.city import City, load_city
from lawang.domain.alarm import Alarm, Watch, WatchState
from lawang.domain.errors import LawangError, SettingsError, StoreError
from lawang.domain.rule import (
    Absence,
    CapWarning,
    Combination,
    Rate,
    Rule,
    ScreenFault,
    Surge,
    Threshold,
)
from lawang.rules.wording import word
from lawang.settings import Settings
from lawang.store.engine import is_current
from sources_cli.explain import explain
from sources_cli.stored import history_for_reading


@dataclass(frozen=True, slots=True)
class Standing:
    """Open alerts, and what else is not simply normal."""

    city: City
    alarms: list[Alarm]
    watches: list[Watch]

    @property
    def pending(self) -> list[Watch]:
        return [each for each in self.watches if each.state is WatchState.PENDING]

    @property
    def blind(self) -> list[Watch]:
        return [
            each
            for each in self.watches
            if each.state is WatchState.UNKNOWN and each.raised_at is None
        ]


def read_city(settings: Settings) -> City:
    """The city with its rules. Raises PackError; SettingsError where there are none."""
    city = load_city(settings.pack_dir, settings.data_dir, simulated=settings.demo)
    if not city.rules:
        raise SettingsError(f"the pack {settings.pack_dir} has no rules.toml: nothing is watched")
    return city


def read_state(settings: Settings) -> Standing:
    """How the rules stand in history. Nothing is written. Raises LawangError."""
    city = read_city(settings)
    try:
        with history_for_reading(settings) as history:
            if not is_current(history.database.engine):
                raise SettingsError(
                    "history here is of an older version: start `lawang up` or `lawang poll` once"
                )
            watches = sorted(
                history.alarms.watches().values(), key=lambda each: (each.rule, each.key)
            )
            return Standing(city, history.alarms.open(), watches)
    except StoreError as error:
        raise LawangError(explain(error.kind, error.detail)) from None


def describe(rule: Rule) -> str:
    """When a rule raises an alert, in a line of English."""
    condition = rule.condition
    held = f", for {rule.for_s:g} s" if rule.for_s else ""
    if isinstance(condition, Threshold):
        side = (
            f"over {condition.over:g}"
            if condition.over is not None
            else f"under {condition.under:g}"
        )
        about = f"{condition.series.source}.{condition.series.measure}"
        return f"{about} {side}, clears at {condition.clears_at:g}{held}"
    if isinstance(condition, Rate):
        change = (
            f"rises {condition.rises:g}"
            if condition.rises is not None
            else f"falls {condition.falls:g}"
        )
        about = f"{condition.series.source}.{condition.series.measure}"
        return f"{about} {change} within {condition.within_s:g} s{held}"
    if isinstance(condition, Absence):
        about = (
            f"each of {condition.series.source}.{condition.series.measure}"
            if condition.series is not None
            else f"{condition.share:.0%} of {len(condition.sources)} sources"
            if condition.share is not None
            else condition.sources[0]
        )
        return f"{about} silent for {condition.silent_s:g} s{held}"
    if isinstance(condition, Surge):
        where = "by kecamatan" if condition.by_kecamatan else "in the city"
        return (
            f"{condition.least} or more {', '.join(condition.categories)} {where} within "
            f"{condition.within_s:g} s, P <= {condition.p:g} over {condition.weeks} weeks{held}"
        )
    if isinstance(condition, CapWarning):
        return f"a warning of {', '.join(condition.sources)}, {condition.least.value} or worse"
    if isinstance(condition, ScreenFault):
        walls = ", ".join(condition.screens) or "any screen"
        return f"{walls} {' or '.join(condition.states)}{held} (not told by recorded history)"
    assert isinstance(condition, Combination)
    where = " in one kecamatan" if condition.same_region else ""
    return (
        f"{condition.least} of {', '.join(condition.rules)} within {condition.within_s:g} s{where}"
    )


def rules_to_plain(city: City) -> list[dict[str, Any]]:
    """A JSON-ready list."""
    return [
        {
            "id": rule.id,
            "name_id": rule.name_id,
            "name_en": rule.name_en,
            "severity": rule.severity.value,
            "owner": rule.owner,
            "when": describe(rule),
            "simulated": rule.simulated,
            "basis": rule.basis,
            "steps_id": list(rule.steps_id),
            "steps_en": list(rule.steps_en),
            "silences": len(rule.silences),
        }
        for rule in city.rules.values()
    ]


def state_to_plain(standing: Standing, now: datetime) -> dict[str, Any]:
    """A JSON-ready mapping."""
    return {
        "at": now.isoformat(),
        "alerts": [
            {
                "id": alarm.id,
                "rule": alarm.rule,
                "key": alarm.key,
                "state": alarm.state.value,
                "severity": alarm.severity.value,
                "text": text_of(alarm, standing.city),
                "active_at": alarm.active_at.isoformat(),
                "acked_by": alarm.acked_by,
                "shelved": alarm.is_shelved(now),
            }
            for alarm in standing.alarms
        ],
        "pending": [_watch_to_plain(each) for each in standing.pending],
        "unknown": [_watch_to_plain(each) for each in standing.blind],
    }


def text_of(alarm: Alarm, city: City) -> str:
    """Its sentence in Indonesian; the rule's id where the rule is gone."""
    rule = city.rules.get(alarm.rule)
    return word(alarm, rule, city, "id").text if rule is not None else alarm.rule


def _watch_to_plain(watch: Watch) -> dict[str, Any]:
    return {
        "rule": watch.rule,
        "key": watch.key,
        "since": watch.since.isoformat(),
        "why": watch.why,
    }
