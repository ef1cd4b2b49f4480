"""Which notes a trend shows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lawang.city import City
from lawang.domain.programme import Annotation
from lawang.overview.annotations import annotations_of, notes_between

LAST = date(2026, 11, 21)
HOLIDAY = Annotation(
    first=date(2026, 11, 10), last=date(2026, 11, 10), text_id="Libur", text_en="Day off",
    holiday=True,
)  # fmt: skip
OWN = Annotation(
    first=date(2026, 11, 3), last=date(2026, 11, 5), text_id="Banjir", text_en="A flood"
)


@pytest.mark.parametrize(("days", "shown"), [(100, (OWN, HOLIDAY)), (101, (OWN,)), (5, ())])
def test_holidays_are_noted_on_a_short_trend_only(days: int, shown: tuple[Annotation, ...]) -> None:
    first = LAST - timedelta(days=days - 1)
    assert notes_between((HOLIDAY, OWN), first, LAST) == shown


def test_the_holidays_of_a_daily_indicator_are_marked_as_such(city: City) -> None:
    found = annotations_of(city, city.kpis["pbb"], date(2026, 8, 1), date(2026, 8, 31))
    assert [each.first for each in found if each.holiday] == [date(2026, 8, 17), date(2026, 8, 25)]


def test_no_note_of_the_pack_says_twice_that_it_is_simulated(city: City) -> None:
    for each in city.programme.annotations:
        assert "simulasi" not in each.text_id
        assert "simulated" not in each.text_en
