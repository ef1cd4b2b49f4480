"""Where the steps of the masterplan stand, worked out from dates and indicators. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from lawang.city import City
from lawang.domain.kpi import Direction, Grey, Kpi, KpiValue
from lawang.domain.programme import Milestone
from lawang.overview.model import MilestoneLine, MilestoneState

#: From how long before its day on a step is due soon.
SOON = timedelta(days=30)


def milestone_lines(
    city: City, values: Mapping[str, KpiValue], today: date
) -> tuple[MilestoneLine, ...]:
    """Every step of the pack, in its order. `values` are the indicators over one horizon.

    A step is done on the day that somebody wrote down as `done`, or once its indicator has come to
    `reach`. An indicator that is grey tells neither: the step is unknown, never done, whatever the
    number says; being without a target is no matter, as `reach` takes its place.
    """
    return tuple(_line(city, each, values, today) for each in city.programme.milestones)


def _line(
    city: City, milestone: Milestone, values: Mapping[str, KpiValue], today: date
) -> MilestoneLine:
    kpi = city.kpis.get(milestone.kpi)
    value = values.get(milestone.kpi)
    progress = None
    is_known = True
    if kpi is not None and milestone.reach is not None:
        is_known = (
            value is not None and value.value is not None and value.grey in (None, Grey.NO_TARGET)
        )
        if is_known and value is not None and value.value is not None:
            progress = progress_of(kpi, value.value, milestone.reach)
    return MilestoneLine(
        milestone=milestone,
        state=_state(milestone, today, progress, is_known=is_known),
        progress=progress,
        value=value if kpi is not None else None,
    )


def progress_of(kpi: Kpi, value: float, reach: float) -> float | None:
    """How far a value has come, 1 being reached; less is better where the indicator says so.

    None where that is no share: a step to 0 that is not there yet.
    """
    if kpi.direction is Direction.UP:
        if reach > 0:
            return max(0.0, value / reach)
        return 1.0 if value >= reach else None
    if value <= reach:
        return 1.0 if value <= 0 else max(1.0, reach / value)
    return reach / value if reach > 0 else None


def _state(
    milestone: Milestone, today: date, progress: float | None, *, is_known: bool
) -> MilestoneState:
    is_over = milestone.done is not None and milestone.done <= today
    if is_over or (progress is not None and progress >= 1):
        return MilestoneState.DONE
    if not is_known:
        return MilestoneState.UNKNOWN
    if milestone.due is None:
        return MilestoneState.UNDATED
    if milestone.due < today:
        return MilestoneState.LATE
    return MilestoneState.DUE_SOON if milestone.due - today <= SOON else MilestoneState.ON_TIME
