"""Rules and alerts as tables for a person at a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.text import Text

from lawang.city import City
from lawang.domain.alarm import AlarmSeverity, Transition, TransitionKind
from rules_cli.listing import Standing, describe, text_of
from sources_cli.tables import console, moment, say, table

_STYLES = {
    AlarmSeverity.CRITICAL: "bold red",
    AlarmSeverity.MAJOR: "red",
    AlarmSeverity.MINOR: "yellow",
    AlarmSeverity.INFO: "dim",
}
_SHOWN = 30


def print_rules(city: City) -> None:
    """Print all rules, one a row."""
    shown = table(None, "rule", "severity", "owner", "when", "figures")
    for rule in city.rules.values():
        shown.add_row(
            Text(rule.id, style="bold"),
            Text(rule.severity.value, style=_STYLES[rule.severity]),
            Text(city.opds[rule.owner].name),
            Text(describe(rule)),
            Text("simulated" if rule.simulated else rule.basis),
        )
    screen = console()
    screen.print(shown)
    say(screen, f"{len(city.rules)} rules.", "dim")


def print_state(standing: Standing, now: datetime) -> None:
    """Print the open alerts, and how much is pending or cannot be told."""
    screen, city = console(), standing.city
    if standing.alarms:
        shown = table(None, "alert", "severity", "state", "since", "text", "seen by")
        for alarm in standing.alarms:
            state = f"{alarm.state.value}{', shelved' if alarm.is_shelved(now) else ''}"
            shown.add_row(
                str(alarm.id),
                Text(alarm.severity.value, style=_STYLES[alarm.severity]),
                Text(state),
                moment(alarm.began_at, city),
                Text(text_of(alarm, city)),
                Text(alarm.acked_by or ""),
            )
        screen.print(shown)
    else:
        say(screen, "No alert is open.")
    for each in standing.pending[:_SHOWN]:
        say(screen, f"pending: {each.rule} {each.key} since {moment(each.since, city)}", "yellow")
    blind = standing.blind
    for each in blind[:_SHOWN]:
        say(screen, f"cannot be told: {each.rule} {each.key} ({each.why})", "dim")
    if len(blind) > _SHOWN:
        say(screen, f"and {len(blind) - _SHOWN} more that cannot be told", "dim")


def print_transitions(found: Iterable[Transition], city: City) -> None:
    """Print what changed, one a row."""
    shown = table(None, "at", "rule", "key", "became", "value", "why")
    count = raised = 0
    for each in found:
        count += 1
        raised += each.kind is TransitionKind.RAISED
        shown.add_row(
            moment(each.at, city),
            Text(each.rule, style="bold"),
            Text(each.key),
            each.kind.value,
            "" if each.value is None else f"{each.value:g}",
            each.why,
        )
    screen = console()
    if count:
        screen.print(shown)
    say(screen, f"{count} transitions, {raised} alerts raised.", "dim")


def print_difference(extra: Iterable[dict[str, Any]], missing: Iterable[dict[str, Any]]) -> None:
    """Print what came but was not expected (+), and what was expected but did not come (-)."""
    screen = console()
    for sign, lines in (("+", extra), ("-", missing)):
        for line in lines:
            say(screen, f"{sign} {json.dumps(line, ensure_ascii=False)}", "bold red")
