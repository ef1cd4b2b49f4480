"""One step of a rule: how a watch stood, what the facts say now -> how it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from lawang.domain.alarm import Judgement, Transition, TransitionKind, Watch, WatchState
from lawang.domain.rule import Combination, Rule, ScreenFault
from lawang.rules.facts import Ended, Facts
from lawang.rules.judge import VANISHED, Place, judge, judge_combination

WatchKey = tuple[str, str]  # rule, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One watch after a step, what it was judged by, and what changed (often nothing)."""

    rule: Rule
    watch: Watch
    judgement: Judgement
    transitions: tuple[Transition, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What one evaluation of some rules came to; `faults` are rules that stumbled."""

    changes: list[Change] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)

    @property
    def transitions(self) -> list[Transition]:
        return [each for change in self.changes for each in change.transitions]


def step(rule: Rule, watch: Watch | None, judgement: Judgement, now: datetime) -> Change:
    """Advance one watch by one judgement.

    A condition has to hold for `rule.for_s` on the clock before it is an alarm, counted from when
    the facts show that it began; what is not known breaks that count. An open alarm ends only on
    the far side of its hysteresis, and never because nobody can tell.
    """
    before = watch or _fresh(rule, judgement, now)
    if judgement.holds is None:
        after, kind = _lose(before, judgement)
    elif judgement.holds:
        after, kind = _hold(rule, before, judgement, now)
    else:
        after, kind = _relax(before, judgement)
    if after.state is not before.state:
        after = replace(after, since=now)
    after = replace(after, region=judgement.region or after.region, why=judgement.why)
    return Change(
        rule=rule,
        watch=after,
        judgement=judgement,
        transitions=() if kind is None else (_transition(kind, after, judgement, now),),
    )


def _fresh(rule: Rule, judgement: Judgement, now: datetime) -> Watch:
    return Watch(
        rule=rule.id,
        key=judgement.key,
        state=WatchState.NORMAL,
        since=now,
        region=judgement.region,
    )


def _lose(before: Watch, judgement: Judgement) -> tuple[Watch, TransitionKind | None]:
    after = replace(before, state=WatchState.UNKNOWN, began_at=_kept_beginning(before))
    if before.state is WatchState.UNKNOWN:
        return after, None
    return after, TransitionKind.UNKNOWN if before.raised_at else TransitionKind.BLIND


def _kept_beginning(before: Watch) -> datetime | None:
    """What was only pending begins anew: nobody knows that it went on."""
    return before.began_at if before.raised_at else None


def _hold(
    rule: Rule, before: Watch, judgement: Judgement, now: datetime
) -> tuple[Watch, TransitionKind | None]:
    if before.raised_at is not None:
        after = replace(before, state=WatchState.ACTIVE)
        known = before.state is WatchState.UNKNOWN
        return after, TransitionKind.KNOWN if known else None
    if before.quieted and before.quieted == judgement.mark:
        after = replace(before, state=WatchState.NORMAL, began_at=None)
        seen = before.state is WatchState.UNKNOWN
        return after, TransitionKind.SEEN if seen else None
    began = judgement.since or now
    if before.began_at is not None and not judgement.broken:
        began = min(before.began_at, began)
    if (now - began).total_seconds() >= rule.for_s:
        after = replace(before, state=WatchState.ACTIVE, began_at=began, raised_at=now, quieted="")
        return after, TransitionKind.RAISED
    after = replace(before, state=WatchState.PENDING, began_at=began, quieted="")
    return after, None if before.state is WatchState.PENDING else TransitionKind.PENDING


def _relax(before: Watch, judgement: Judgement) -> tuple[Watch, TransitionKind | None]:
    if before.raised_at is not None and not judgement.clears:
        # Between the two marks of the hysteresis: it goes on.
        after = replace(before, state=WatchState.ACTIVE)
        known = before.state is WatchState.UNKNOWN
        return after, TransitionKind.KNOWN if known else None
    after = replace(before, state=WatchState.NORMAL, began_at=None, raised_at=None, quieted="")
    kinds = {
        WatchState.PENDING: TransitionKind.LAPSED,
        WatchState.UNKNOWN: TransitionKind.SEEN,
        WatchState.ACTIVE: TransitionKind.CLEARED,
    }
    return after, TransitionKind.CLEARED if before.raised_at else kinds.get(before.state)


def _transition(
    kind: TransitionKind, watch: Watch, judgement: Judgement, now: datetime
) -> Transition:
    return Transition(
        rule=watch.rule,
        key=watch.key,
        kind=kind,
        at=now,
        value=judgement.value,
        region=watch.region,
        why=judgement.why,
    )


def evaluate(
    rules: Sequence[Rule],
    facts: Facts,
    watches: Mapping[WatchKey, Watch],
    place: Place,
    now: datetime,
) -> Outcome:
    """Evaluate rules, combinations last. A rule that stumbles is left as it was, and named.

    `watches` are all that are not trivial, those of other rules too: combinations look at them.
    """
    outcome = Outcome()
    present = dict(watches)
    ended: list[Ended] = list(facts.ended)
    for rule in sorted(rules, key=lambda each: isinstance(each.condition, Combination)):
        try:
            judgements = (
                judge_combination(rule, present.values(), ended, place, now)
                if isinstance(rule.condition, Combination)
                else judge(rule, facts, place, now)
            )
            changes = _step_all(rule, judgements, watches, now)
        except Exception as error:
            outcome.faults[rule.id] = error
            continue
        for change in changes:
            present[rule.id, change.watch.key] = change.watch
            if any(each.kind is TransitionKind.CLEARED for each in change.transitions):
                ended.append(Ended(rule.id, change.watch.region, now))
        outcome.changes += changes
    return outcome


def _step_all(
    rule: Rule,
    judgements: Iterable[Judgement],
    watches: Mapping[WatchKey, Watch],
    now: datetime,
) -> list[Change]:
    changes = {
        each.key: step(rule, watches.get((rule.id, each.key)), each, now) for each in judgements
    }
    for (rule_id, key), watch in watches.items():
        if rule_id != rule.id or key in changes:
            continue
        gone = Judgement(key=key, holds=None, region=watch.region, why=VANISHED)
        if isinstance(rule.condition, ScreenFault):
            # A person took the wall out of the programme: that says what a silence does not.
            over = Judgement(key=key, holds=False, clears=True, region=watch.region)
            changes[key] = step(rule, watch, over, now)
        elif watch.raised_at is not None:
            # What it was about is not there any more; an open alarm of it is not over by that.
            changes[key] = step(rule, watch, gone, now)
        else:
            forgotten = replace(watch, state=WatchState.NORMAL, began_at=None, quieted="")
            changes[key] = Change(rule=rule, watch=forgotten, judgement=gone)
    return list(changes.values())
