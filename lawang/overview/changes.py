"""What moved between two looks: each indicator as it was judged then against now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from lawang.domain.kpi import KpiValue
from lawang.overview.model import Change, ChangeKind, Changes

#: A score that moved by less, under the same light, is not worth a look.
LEAST_MOVE = 0.05
#: Differences of sums of parts are not exact: a move of 0.05 is not missed for its last digit.
_ROUNDING = 1e-9


def compare(
    since: date | None,
    city: float | None,
    before: Mapping[str, KpiValue],
    after: Mapping[str, KpiValue],
) -> Changes:
    """What became better and worse, the largest move first; `city` is the city's score then.

    An indicator that counted then and does not now is lost, the other way round regained; these
    move by the score that went or came.
    """
    found = [
        change
        for kpi, value in after.items()
        if kpi in before and (change := _change(before[kpi], value)) is not None
    ]
    found.sort(key=lambda each: (-_size(each), each.kpi))
    return Changes(
        since=since,
        city=city,
        worse=tuple(each for each in found if each.worse),
        better=tuple(each for each in found if not each.worse),
    )


def _change(before: KpiValue, after: KpiValue) -> Change | None:
    kind: ChangeKind | None = None
    if before.counts and after.counts:
        if before.light is not after.light:
            kind = ChangeKind.LIGHT
        elif abs(_score(after) - _score(before)) >= LEAST_MOVE - _ROUNDING:
            kind = ChangeKind.SCORE
    elif before.counts:
        kind = ChangeKind.LOST
    elif after.counts:
        kind = ChangeKind.REGAINED
    return None if kind is None else Change(kpi=after.kpi, kind=kind, before=before, after=after)


def _size(change: Change) -> float:
    if change.kind is ChangeKind.LOST:
        return _score(change.before)
    if change.kind is ChangeKind.REGAINED:
        return _score(change.after)
    return abs(_score(change.after) - _score(change.before))


def _score(value: KpiValue) -> float:
    return value.score or 0.0
