"""What the facts of a moment say of each thing that a rule watches. Pure.

Silence is never a good sign: where the source is not fresh, or the series has vanished, what would
be "no" is "nobody can tell". What is already enough for a "yes" stays one: a surge that is counted
does not grow smaller by reports that are missing.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from lawang.domain.alarm import Judgement, Watch, WatchState
from lawang.domain.alert import Alert, Severity
from lawang.domain.health import Cadence, Health, SourceState, health
from lawang.domain.rule import (
    Absence,
    CapWarning,
    Combination,
    OfSeries,
    Rate,
    Rule,
    ScreenFault,
    Surge,
    Threshold,
)
from lawang.domain.screen import DARK_AFTER, Beat, ScreenState, judge_screen
from lawang.rules.facts import Ended, Facts, Report, Sample, Series, Wall, windows

NOT_HEARD = "not_heard"
VANISHED = "vanished"
TOO_LITTLE = "too_little"
#: A surge is over where the tail is this many times what began it.
CLEARS_AT_TIMES_P = 10.0
_MARK_MAX = 80
_WORST_FIRST = (Severity.EXTREME, Severity.SEVERE, Severity.MODERATE, Severity.MINOR)


@dataclass(frozen=True, slots=True)
class Place:
    """What of the city the rules have to know: cadences of its sources, codes of its kecamatan."""

    cadences: Mapping[str, Cadence]
    kecamatan: tuple[str, ...]


def judge(rule: Rule, facts: Facts, place: Place, now: datetime) -> list[Judgement]:
    """Judge everything that a rule watches; combinations are judged by `judge_combination`."""
    condition = rule.condition
    if isinstance(condition, Threshold | Rate):
        found = [
            _judge_series(rule, condition, series, facts, place, now)
            for series in _series(condition.series, facts)
        ]
    elif isinstance(condition, Absence):
        found = _judge_absence(condition, facts, place, now)
    elif isinstance(condition, Surge):
        found = _judge_surge(rule.id, condition, facts, place, now)
    elif isinstance(condition, CapWarning):
        found = [_judge_warnings(condition, facts, place, now)]
    elif isinstance(condition, ScreenFault):
        found = _judge_screens(condition, facts, now)
    else:
        raise TypeError("a combination is judged by what its members came to")
    return [_in_region(each, rule.region) for each in found]


def _in_region(judgement: Judgement, region: str) -> Judgement:
    mark = judgement.mark
    if len(mark) > _MARK_MAX:
        mark = hashlib.sha256(mark.encode()).hexdigest()
    return replace(judgement, mark=mark, region=region or judgement.region)


def _series(wanted: OfSeries, facts: Facts) -> list[Series]:
    known = facts.series.get((wanted.source, wanted.measure), ())
    return [each for each in known if wanted.takes(each.subject)]


def is_heard(source: str, facts: Facts, place: Place, now: datetime) -> bool:
    """Whether a source can be believed. One late poll is no silence yet."""
    state = facts.states.get(source) or SourceState(source_id=source)
    found = health(state, place.cadences[source], now)
    return found in (Health.FRESH, Health.LATE)


# --- series --------------------------------------------------------------------------------------


def _judge_series(
    rule: Rule,
    condition: Threshold | Rate,
    series: Series,
    facts: Facts,
    place: Place,
    now: datetime,
) -> Judgement:
    about = Judgement(
        key=series.key,
        holds=None,
        region=series.kecamatan,
        subject=series.subject,
        subject_name=series.subject_name,
        simulated=series.simulated,
    )
    if not series.samples:
        return replace(about, why=VANISHED)
    newest = series.samples[-1]
    about = replace(
        about,
        value=newest.value,
        at=newest.observed_at,
        mark=f"{newest.at.isoformat()}={newest.value!r}",
    )
    if not is_heard(series.source, facts, place, now):
        return replace(about, why=NOT_HEARD)
    if (now - newest.observed_at).total_seconds() > condition.series.vanishes_after_s:
        return replace(about, why=VANISHED)
    if isinstance(condition, Threshold):
        return _judge_threshold(condition, series.samples, about)
    return _judge_rate(condition, series.samples, about, rule.for_s)


def _judge_threshold(
    condition: Threshold, samples: Sequence[Sample], about: Judgement
) -> Judgement:
    value = samples[-1].value
    since, broken = _run(samples, lambda sample: _is_beyond(condition, sample.value))
    return replace(
        about,
        holds=since is not None,
        clears=(
            value <= condition.clears_at
            if condition.over is not None
            else value >= condition.clears_at
        )
        and since is None,
        since=since,
        broken=broken,
    )


def _is_beyond(condition: Threshold, value: float) -> bool:
    if condition.over is not None:
        return value > condition.over
    return condition.under is not None and value < condition.under


def _run(
    samples: Sequence[Sample], holds: Callable[[Sample], bool]
) -> tuple[datetime | None, bool]:
    """When the unbroken run up to the newest sample began, and whether something broke it before;
    None where the newest one does not hold."""
    since: datetime | None = None
    for sample in reversed(samples):
        if not holds(sample):
            return since, since is not None
        since = sample.observed_at
    return since, False


def _judge_rate(
    condition: Rate, samples: Sequence[Sample], about: Judgement, for_s: float
) -> Judgement:
    changes = _changes(condition, samples, for_s)
    if not changes:
        return replace(about, value=None, why=TOO_LITTLE)
    limit = condition.rises if condition.rises is not None else condition.falls
    assert limit is not None
    change = changes[-1].value
    since, broken = _run(changes, lambda each: each.value > limit)
    return replace(
        about,
        value=change,
        holds=since is not None,
        clears=since is None and change <= condition.clears_at,
        since=since,
        broken=broken,
    )


def _changes(condition: Rate, samples: Sequence[Sample], for_s: float) -> list[Sample]:
    """At each sample (the last `for_s` of them), the change within the window that ends there.

    Nothing where the newest sample has no other one in its window.
    """
    window = timedelta(seconds=condition.within_s)
    newest = samples[-1].observed_at
    found: list[Sample] = []
    start = 0
    for place, sample in enumerate(samples):
        while samples[start].observed_at < sample.observed_at - window:
            start += 1
        if (newest - sample.observed_at).total_seconds() > for_s and place < len(samples) - 1:
            continue
        inside = samples[start : place + 1]
        if len(inside) < 2:
            continue
        found.append(sample._replace(value=_change(condition, inside)))
    if found and found[-1].at != samples[-1].at:
        return []
    return found


def _change(condition: Rate, inside: Sequence[Sample]) -> float:
    values = [each.value for each in inside]
    if condition.adds_up:
        # After a reset the total is all that came since then.
        return sum(
            later - earlier if later >= earlier else later for earlier, later in pairwise(values)
        )
    if condition.rises is not None:
        return values[-1] - min(values)
    return max(values) - values[-1]


# --- absence -------------------------------------------------------------------------------------


def _judge_absence(
    condition: Absence, facts: Facts, place: Place, now: datetime
) -> list[Judgement]:
    limit = timedelta(seconds=condition.silent_s)
    if condition.series is not None:
        return [
            _judge_silence(
                Judgement(
                    key=each.key,
                    holds=None,
                    region=each.kecamatan,
                    subject=each.subject,
                    subject_name=each.subject_name,
                    simulated=each.simulated,
                ),
                each.samples[-1].observed_at if each.samples else None,
                limit,
                facts,
                now,
            )
            for each in _series(condition.series, facts)
        ]
    states = {source: facts.states.get(source) for source in condition.sources}
    if condition.share is not None:
        return [_judge_many(condition.share, states, limit, facts, now)]
    ((source, state),) = states.items()
    about = Judgement(
        key=source, holds=None, subject=source, simulated=state is not None and state.simulated
    )
    return [_judge_silence(about, _last_heard(state), limit, facts, now)]


def _judge_silence(
    about: Judgement, heard: datetime | None, limit: timedelta, facts: Facts, now: datetime
) -> Judgement:
    if heard is None:
        return replace(about, why=NOT_HEARD)
    about = replace(
        about, value=(now - heard).total_seconds() / 60, at=heard, mark=heard.isoformat()
    )
    if now - heard <= limit:
        return replace(about, holds=False, clears=True)
    listened = max(heard, facts.awake_since or heard)
    if now - listened <= limit:
        # Silent by its age, but for most of it nobody listened.
        return replace(about, why=NOT_HEARD)
    return replace(about, holds=True, since=heard + limit)


def _judge_many(
    share: float,
    states: Mapping[str, SourceState | None],
    limit: timedelta,
    facts: Facts,
    now: datetime,
) -> Judgement:
    # One that was never tried is neither silent nor heard: it may not be connected yet.
    heard = {source: at for source, state in states.items() if (at := _last_heard(state))}
    if not heard:
        return Judgement(key="", holds=None, why=TOO_LITTLE)
    awake = facts.awake_since
    silent = sorted(source for source, at in heard.items() if now - at > limit)
    truly = [each for each in silent if now - max(heard[each], awake or heard[each]) > limit]
    about = Judgement(
        key="",
        holds=None,
        value=float(len(silent)),
        at=max(heard.values()),
        mark=",".join(silent),
        simulated=any(state is not None and state.simulated for state in states.values()),
    )
    if len(truly) / len(heard) >= share:
        return replace(about, holds=True, since=now)
    if len(silent) / len(heard) >= share:
        return replace(about, why=NOT_HEARD)
    return replace(about, holds=False, clears=True)


def _last_heard(state: SourceState | None) -> datetime | None:
    """When it was heard last; of one that never answered, when its silence began."""
    if state is None:
        return None
    return state.last_success or state.failing_since


# --- surges --------------------------------------------------------------------------------------


def poisson_tail(count: int, mean: float) -> float:
    """P(X >= count) of a Poisson variable X with this mean."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if count > mean:
        # Above the mean the tail itself is summed: 1 minus the rest would lose it in rounding.
        term = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
        total, k = term, count
        while term > total * 1e-17:
            k += 1
            term *= mean / k
            total += term
        return min(1.0, total)
    term = rest = math.exp(-mean)
    for k in range(1, count):
        term *= mean / k
        rest += term
    return max(0.0, 1.0 - rest)


def usual(total: int, weeks: int) -> float:
    """The usual number of a window, of `total` in that of `weeks` weeks (see `Surge`)."""
    return (total + 0.5) / weeks


def _judge_surge(
    rule_id: str, condition: Surge, facts: Facts, place: Place, now: datetime
) -> list[Judgement]:
    reports = facts.reports[rule_id]
    present, *before = windows(condition, now)
    weeks = [each for each in before if reports.first is not None and reports.first <= each[0]]
    heard = all(is_heard(source, facts, place, now) for source in condition.sources)
    now_by, past_by = _by_place(reports.items, present, condition), Counter[str]()
    for window in weeks:
        for key, then in _by_place(reports.items, window, condition).items():
            past_by[key] += len(then)
    found: list[Judgement] = []
    for key in place.kecamatan if condition.by_kecamatan else ("",):
        came = now_by.get(key, [])
        about = Judgement(
            key=key,
            holds=None,
            value=float(len(came)),
            at=max(came, default=None),
            mark=f"{len(came)}@{max(came).isoformat() if came else ''}",
            region=key,
            simulated=reports.simulated,
        )
        if len(weeks) < condition.least_weeks:
            found.append(replace(about, why=TOO_LITTLE))
            continue
        tail = poisson_tail(len(came), usual(past_by[key], len(weeks)))
        if len(came) >= condition.least and tail <= condition.p:
            found.append(replace(about, holds=True, since=now))
        elif not heard:
            found.append(replace(about, why=NOT_HEARD))
        else:
            over = len(came) < condition.least or tail > CLEARS_AT_TIMES_P * condition.p
            found.append(replace(about, holds=False, clears=over))
    return found


def _by_place(
    items: Iterable[Report], window: tuple[datetime, datetime], condition: Surge
) -> dict[str, list[datetime]]:
    start, end = window
    found: dict[str, list[datetime]] = defaultdict(list)
    for item in items:
        if start < item.requested_at <= end:
            found[item.kecamatan if condition.by_kecamatan else ""].append(item.requested_at)
    return found


# --- warnings of others --------------------------------------------------------------------------


def _judge_warnings(condition: CapWarning, facts: Facts, place: Place, now: datetime) -> Judgement:
    meant = _WORST_FIRST[: _WORST_FIRST.index(condition.least) + 1]
    found = [
        each
        for each in facts.warnings
        if each.source_id in condition.sources
        and each.severity in meant
        and each.touches_city
        and each.is_in_force(now)
        and (not condition.regions or set(each.regions) & set(condition.regions))
    ]
    if found:
        first = min(found, key=lambda each: (_WORST_FIRST.index(each.severity), each.sent_at))
        regions = {code for each in found for code in each.regions}
        return Judgement(
            key="",
            holds=True,
            value=float(len(found)),
            at=max(each.sent_at for each in found),
            since=min(each.sent_at for each in found),
            mark=",".join(sorted(each.id for each in found)),
            region=regions.pop() if len(regions) == 1 else "",
            subject=first.id,
            subject_name=_headline(first),
            simulated=any(each.simulated for each in found),
        )
    heard = all(is_heard(source, facts, place, now) for source in condition.sources)
    if not heard:
        return Judgement(key="", holds=None, why=NOT_HEARD)
    return Judgement(key="", holds=False, clears=True, value=0.0, at=now)


def _headline(alert: Alert) -> str:
    return " ".join((alert.headline or alert.event).split())[:200]


# --- screens -------------------------------------------------------------------------------------


def _judge_screens(condition: ScreenFault, facts: Facts, now: datetime) -> list[Judgement]:
    return [
        _judge_screen(condition, wall, wall.beat, facts, now)
        for wall in facts.walls
        if wall.beat is not None and (not condition.screens or wall.id in condition.screens)
    ]


def _judge_screen(
    condition: ScreenFault, wall: Wall, beat: Beat, facts: Facts, now: datetime
) -> Judgement:
    """By its last heartbeat; `value` is how many minutes ago that was."""
    state = judge_screen(beat, "", now)
    about = Judgement(
        key=wall.id,
        holds=None,
        subject=wall.id,
        subject_name=wall.name,
        value=(now - beat.seen_at).total_seconds() / 60,
        at=beat.seen_at,
        mark=f"{state.value}@{beat.seen_at.isoformat()}",
    )
    if state is ScreenState.DARK:
        listened = max(beat.seen_at, facts.awake_since or beat.seen_at)
        if now - listened <= DARK_AFTER:
            # Dark by its age, but for most of it nobody listened.
            return replace(about, why=NOT_HEARD)
        if state not in condition.states:
            return replace(about, why=NOT_HEARD)
        return replace(about, holds=True, since=listened + DARK_AFTER)
    if state is ScreenState.FROZEN and state in condition.states:
        return replace(about, holds=True)
    return replace(about, holds=False, clears=True)


# --- combinations --------------------------------------------------------------------------------


def judge_combination(
    rule: Rule,
    watches: Iterable[Watch],
    ended: Iterable[Ended],
    place: Place,
    now: datetime,
) -> list[Judgement]:
    """Judge a combination by how its members stand (`watches`) and what of theirs ended lately."""
    condition = rule.condition
    assert isinstance(condition, Combination)
    oldest = now - timedelta(seconds=condition.within_s)
    mine = [each for each in watches if each.rule in condition.rules]
    lately = [each for each in ended if each.rule in condition.rules and each.ended_at >= oldest]
    keys = place.kecamatan if condition.same_region else ("",)
    found = []
    for key in keys:
        here = [each for each in mine if not key or each.region in ("", key)]
        yes = {each.rule for each in here if each.state is WatchState.ACTIVE}
        yes |= {each.rule for each in lately if not key or each.region in ("", key)}
        maybe = {each.rule for each in here if each.state is WatchState.UNKNOWN} - yes
        raised = [each for each in here if each.raised_at is not None]
        since = [each.raised_at for each in raised if each.rule in yes and each.raised_at]
        marks = sorted(f"{each.rule}:{each.key}:{each.raised_at}" for each in raised)
        about = Judgement(
            key=key,
            holds=False,
            clears=True,
            value=float(len(yes)),
            at=now,
            region=key,
            mark="|".join(marks),
        )
        if len(yes) >= condition.least:
            # It began when the last of them that was needed did.
            begun = sorted(since)[-1] if since else now
            about = replace(about, holds=True, clears=False, since=begun)
        elif len(yes) + len(maybe) >= condition.least:
            about = replace(about, holds=None, clears=False, why=NOT_HEARD)
        found.append(_in_region(about, rule.region))
    return found
