"""The status of the city: one number from 1 (calm) to 5, its reasons, and how it moves.

It rises at once and falls late: a level is left only after nothing called for it for its `hold`,
and then to the highest that was called for in that time. A person may raise it or lower it for a
while. Raised, it is at least that; lowered, it stays low only while no more calls than did then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lawang.domain.alarm import SEVERITIES_WORST_FIRST, Alarm, AlarmSeverity

CALM = 1
HIGHEST = 5


def rank(severity: AlarmSeverity) -> int:
    """Place of a severity in rising order."""
    return -SEVERITIES_WORST_FIRST.index(severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAlarm:
    """What the walls and the status need to know of an alarm.

    `ended_at` is when it stopped to call for attention (over, acknowledged or shelved), None while
    it calls. `is_open`: not over and not shelved; one of which nothing is known any more is open.
    `region` is the code of a kecamatan or kelurahan, or "" for the city. A `silent` one was raised
    in a silence window of its rule: it counts, and takes no screen.
    """

    id: str
    severity: AlarmSeverity
    since: datetime
    rule: str = ""
    region: str = ""
    categories: tuple[str, ...] = ()
    ended_at: datetime | None = None
    is_open: bool = True
    silent: bool = False


def see(alarm: Alarm, categories: tuple[str, ...], silent: bool, now: datetime) -> SeenAlarm:
    """An alarm of the rules as the walls take it. When one was shelved is not kept with it, so a
    shelved one counts as having called for no longer than it took to show it."""
    shelved = alarm.is_shelved(now)
    ends = [each for each in (alarm.ended_at, alarm.acked_at) if each is not None]
    return SeenAlarm(
        id=str(alarm.id),
        severity=alarm.severity,
        since=alarm.active_at,
        rule=alarm.rule,
        region=alarm.region,
        categories=categories,
        ended_at=alarm.active_at if shelved else min(ends, default=None),
        is_open=alarm.state.is_open and not shelved,
        silent=silent,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What calls for a level; all that is given must hold.

    `alarms` is how many alarms of at least `severity` (of one of `rules` and in one of
    `categories`, if any are named) must be there; `sources_down` how many sources are down or
    refuse; `score_below` what the city's score (1 is on target) is below.
    """

    alarms: int | None = None
    severity: AlarmSeverity = AlarmSeverity.INFO
    rules: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources_down: int | None = None
    score_below: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level: its word, its colour's token, what is done at it, and what calls for it.

    Any one of `when` calls for it. `hold` is the least time nothing calls for it before it falls.
    """

    number: int
    word_id: str
    word_en: str
    colour: str
    actions_id: tuple[str, ...]
    actions_en: tuple[str, ...]
    when: tuple[Condition, ...] = ()
    hold: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRules:
    """The levels by number; empty in a pack that has no status."""

    levels: tuple[Level, ...] = ()

    def level(self, number: int) -> Level:
        """The level of that number. Raises LookupError."""
        for each in self.levels:
            if each.number == number:
                return each
        raise LookupError(f"no level {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFacts:
    """What is known of the city. None is what cannot be told now, and calls for nothing."""

    alarms: Sequence[SeenAlarm] | None = None
    sources_down: int | None = None
    score: float | None = None


class ReasonKind(StrEnum):
    """What a reason is about."""

    ALARMS = "alarms"
    SOURCES = "sources"
    SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that calls for a level: what was found, what it takes, and which alarms."""

    kind: ReasonKind
    level: int
    found: float
    needed: float
    severity: AlarmSeverity | None = None
    alarms: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the facts call for. `unknown` are the kinds of facts that could not be told."""

    level: int
    reasons: tuple[Reason, ...] = ()
    unknown: tuple[ReasonKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """The level in force by the rules. `lower_since` is since when less than it was called for,
    `lower_most` the highest called for since."""

    level: int
    since: datetime
    lower_since: datetime | None = None
    lower_most: int = CALM


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A level set by a person. `computed` is what the rules said at that moment."""

    level: int
    computed: int
    by: str
    reason: str
    since: datetime
    until: datetime

    def holds(self, computed: int, now: datetime) -> bool:
        """Whether it decides now: it has not ended, and the rules call for no more than it allows.

        A status that was lowered does not stay low over something new and worse.
        """
        if not self.since <= now < self.until:
            return False
        return computed <= max(self.level, self.computed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CityStatus:
    """The status at a moment. `override` is there only while it decides."""

    level: int
    since: datetime
    computed: Computed
    call: Call
    override: Override | None = None


_SILENT = {ReasonKind.ALARMS, ReasonKind.SOURCES}


def call_for(rules: StatusRules, facts: StatusFacts) -> Call:
    """The highest level that the facts call for, with everything that calls for it."""
    unknown = tuple(
        kind
        for kind, known in (
            (ReasonKind.ALARMS, facts.alarms is not None),
            (ReasonKind.SOURCES, facts.sources_down is not None),
            (ReasonKind.SCORE, facts.score is not None),
        )
        if not known and kind in _kinds(rules)
    )
    for level in sorted(rules.levels, key=lambda each: -each.number):
        reasons = [
            reason
            for condition in level.when
            for reason in _reasons(condition, level.number, facts) or ()
        ]
        if reasons:
            return Call(level=level.number, reasons=tuple(reasons), unknown=unknown)
    return Call(level=CALM, unknown=unknown)


def step(before: Computed | None, call: Call, now: datetime, rules: StatusRules) -> Computed:
    """The level in force now; the same value where nothing changed.

    While alarms or sources cannot be told it never falls: silence is not calm.
    """
    called = call.level
    if before is None or called > before.level:
        return Computed(level=called, since=now)
    if called == before.level or set(call.unknown) & _SILENT:
        return replace(before, lower_since=None, lower_most=CALM) if before.lower_since else before
    since = before.lower_since or now
    most = max(called, before.lower_most) if before.lower_since else called
    if now - since >= _hold(rules, before.level):
        return Computed(level=most, since=now)
    if (since, most) == (before.lower_since, before.lower_most):
        return before
    return replace(before, lower_since=since, lower_most=most)


def decide(computed: Computed, call: Call, override: Override | None, now: datetime) -> CityStatus:
    """The status, with the rules' say and a person's."""
    if override is None or not override.holds(computed.level, now):
        return CityStatus(level=computed.level, since=computed.since, computed=computed, call=call)
    since = computed.since if computed.level == override.level else override.since
    return CityStatus(
        level=override.level, since=since, computed=computed, call=call, override=override
    )


def counts(alarm: SeenAlarm, condition: Condition) -> bool:
    """Whether an alarm counts for a condition. One of which nothing is known any more does: that
    nobody hears of it does not make it over."""
    return (
        alarm.is_open
        and rank(alarm.severity) >= rank(condition.severity)
        and (not condition.rules or alarm.rule in condition.rules)
        and (not condition.categories or bool({*condition.categories} & {*alarm.categories}))
    )


def _reasons(condition: Condition, level: int, facts: StatusFacts) -> list[Reason] | None:
    """Why a condition holds, a reason for each part of it; None where it does not."""
    reasons = []
    if condition.alarms is not None:
        found = [each for each in facts.alarms or () if counts(each, condition)]
        if len(found) < condition.alarms:
            return None
        reasons.append(
            Reason(
                kind=ReasonKind.ALARMS,
                level=level,
                found=len(found),
                needed=condition.alarms,
                severity=condition.severity,
                alarms=tuple(sorted(each.id for each in found)),
                rules=condition.rules,
                categories=condition.categories,
            )
        )
    if condition.sources_down is not None:
        down = facts.sources_down
        if down is None or down < condition.sources_down:
            return None
        reasons.append(
            Reason(kind=ReasonKind.SOURCES, level=level, found=down, needed=condition.sources_down)
        )
    if condition.score_below is not None:
        score = facts.score
        if score is None or score >= condition.score_below:
            return None
        reasons.append(
            Reason(kind=ReasonKind.SCORE, level=level, found=score, needed=condition.score_below)
        )
    return reasons or None


def _kinds(rules: StatusRules) -> set[ReasonKind]:
    """The kinds of facts that the rules ask for."""
    conditions = [each for level in rules.levels for each in level.when]
    return {
        kind
        for kind, asked in (
            (ReasonKind.ALARMS, any(each.alarms is not None for each in conditions)),
            (ReasonKind.SOURCES, any(each.sources_down is not None for each in conditions)),
            (ReasonKind.SCORE, any(each.score_below is not None for each in conditions)),
        )
        if asked
    }


def _hold(rules: StatusRules, number: int) -> timedelta:
    try:
        return rules.level(number).hold
    except LookupError:
        # The level is gone from the pack since.
        return timedelta(0)
