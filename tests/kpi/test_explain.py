"""What an indicator is made of, by subject."""

from __future__ import annotations

from datetime import date

import pytest

from lawang.city import City
from lawang.domain.formula import Across, ReadingFormula
from lawang.domain.kpi import Combine, Horizon, Kpi, Span
from lawang.kpi.explain import Explainer, Part
from lawang.store.history import History
from tests.kpi.desk import SOURCE, Desk, after, indicator

DAY = date(2026, 3, 10)


@pytest.fixture
def desk(city: City, history: History) -> Desk:
    return Desk.of(city, history)


def parts(desk: Desk, kpi: Kpi) -> dict[str, Part]:
    found = Explainer(desk.city, desk.history).parts(kpi, Horizon.ending(Span.DAY, DAY), after(DAY))
    return {each.key: each for each in found}


def test_a_subject_without_a_name_is_called_by_its_kecamatan(desk: Desk) -> None:
    desk.read("flow", {DAY: 30.0}, "040", kecamatan="16.71.06")
    desk.read("flow", {DAY: 20.0}, "LRT", kecamatan=None)
    kpi = indicator(
        ReadingFormula(source=SOURCE, measure="flow", across=Across.SUM), combine=Combine.SUM
    )
    found = parts(desk, kpi)
    names = {each.code: each.name for each in desk.city.kecamatan}
    assert (found["040"].name, found["040"].code) == (names["16.71.06"], "040")
    assert (found["LRT"].name, found["LRT"].code) == ("LRT", "")
