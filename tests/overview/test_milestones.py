"""Where the steps of the masterplan stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.formula import ReadingFormula
from lawang.domain.kpi import Direction, Grey, Horizon, KpiValue, Light, Span
from lawang.domain.programme import Annotation, Milestone, Programme
from lawang.overview.annotations import annotations_of
from lawang.overview.milestones import milestone_lines, progress_of
from lawang.overview.model import MilestoneLine, MilestoneState
from tests.kpi.desk import indicator

TODAY = date(2026, 11, 22)
KPI = indicator(ReadingFormula(source="uji", measure="level"), id="uji")


def value(number: float | None, grey: Grey | None = None) -> KpiValue:
    return KpiValue(
        kpi="uji", region="", horizon=Horizon.ending(Span.MONTH, date(2026, 11, 21)), value=number,
        target=None, score=None, light=Light.GREY if grey else Light.GREEN, grey=grey,
        observed_at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip


def line(city: City, now: KpiValue | None = None, **changes: Any) -> MilestoneLine:
    step = Milestone(
        id="langkah", name_id="Langkah", name_en="Step", dimension="living", owner="damkar",
        source="uji", **changes,
    )  # fmt: skip
    known = replace(city, kpis={"uji": KPI}, programme=Programme(milestones=(step,)))
    (found,) = milestone_lines(known, {"uji": now} if now else {}, TODAY)
    return found


@pytest.mark.parametrize(
    ("due", "state"),
    [
        (None, MilestoneState.UNDATED),
        (date(2026, 11, 21), MilestoneState.LATE),
        (date(2026, 11, 22), MilestoneState.DUE_SOON),
        (date(2026, 12, 22), MilestoneState.DUE_SOON),
        (date(2026, 12, 23), MilestoneState.ON_TIME),
    ],
)
def test_a_step_that_is_not_done_stands_by_its_day(
    city: City, due: date | None, state: MilestoneState
) -> None:
    assert line(city, due=due).state is state


def test_a_step_is_done_on_the_day_that_was_written_down(city: City) -> None:
    assert line(city, due=date(2026, 1, 1), done=TODAY).state is MilestoneState.DONE


def test_a_day_of_completion_to_come_is_not_done_yet(city: City) -> None:
    found = line(city, due=date(2026, 11, 30), done=date(2026, 11, 30))
    assert found.state is MilestoneState.DUE_SOON


def test_a_step_is_done_once_its_indicator_has_come_that_far(city: City) -> None:
    found = line(city, value(0.9), kpi="uji", reach=0.9, due=date(2026, 1, 1))
    assert (found.state, found.progress) == (MilestoneState.DONE, 1.0)
    assert found.value == value(0.9)


def test_a_step_whose_indicator_has_not_come_that_far_is_late_after_its_day(city: City) -> None:
    found = line(city, value(0.45), kpi="uji", reach=0.9, due=date(2026, 1, 1))
    assert (found.state, found.progress) == (MilestoneState.LATE, 0.5)


@pytest.mark.parametrize("grey", [Grey.NO_DATA, Grey.STALE, Grey.FEW])
def test_a_grey_indicator_is_unknown_and_never_done(city: City, grey: Grey) -> None:
    found = line(city, value(1.0, grey), kpi="uji", reach=0.9, due=date(2027, 1, 1))
    assert (found.state, found.progress) == (MilestoneState.UNKNOWN, None)


def test_an_indicator_of_which_nothing_is_known_is_unknown(city: City) -> None:
    assert line(city, None, kpi="uji", reach=0.9).state is MilestoneState.UNKNOWN


def test_an_indicator_without_a_target_still_tells_how_far_it_came(city: City) -> None:
    found = line(city, value(1.0, Grey.NO_TARGET), kpi="uji", reach=0.9)
    assert found.state is MilestoneState.DONE


@pytest.mark.parametrize(
    ("number", "reach", "progress"),
    [(20.0, 10.0, 0.5), (10.0, 10.0, 1.0), (5.0, 10.0, 2.0), (0.0, 0.0, 1.0), (3.0, 0.0, None)],
)
def test_where_less_is_better_the_way_is_measured_downwards(
    number: float, reach: float, progress: float | None
) -> None:
    assert progress_of(replace(KPI, direction=Direction.DOWN), number, reach) == progress


def test_the_pack_tells_every_step_of_its_own(city: City) -> None:
    found = milestone_lines(city, {}, TODAY)
    assert [each.milestone.id for each in found] == [each.id for each in city.programme.milestones]
    six = {each.milestone.dimension for each in found if each.milestone.simulated}
    assert six >= {"governance", "branding", "economy", "living", "society", "environment"}


def test_no_step_that_was_published_has_a_day_that_nobody_published(city: City) -> None:
    published = [each for each in city.programme.milestones if not each.simulated]
    assert published
    assert [each.id for each in published if each.due or each.done] == []
    assert all(each.source for each in published)


# --- notes ---------------------------------------------------------------------------------------


def test_notes_are_those_of_the_days_and_the_indicator_and_holidays(city: City) -> None:
    own = Annotation(first=date(2026, 8, 10), last=date(2026, 8, 20), text_id="a", text_en="a")
    other = replace(own, kpi="lain")
    past = replace(own, first=date(2026, 8, 1), last=date(2026, 8, 2))
    noted = replace(city, programme=Programme(annotations=(own, other, past)))
    found = annotations_of(noted, KPI, date(2026, 8, 15), date(2026, 8, 20))
    assert [(each.first, each.text_en) for each in found] == [
        (date(2026, 8, 10), "a"),
        (date(2026, 8, 17), "Independence Day"),
    ]


def test_a_monthly_figure_has_no_holidays(city: City) -> None:
    monthly = replace(KPI, due="month")
    assert annotations_of(city, monthly, date(2026, 8, 15), date(2026, 8, 20)) == ()
