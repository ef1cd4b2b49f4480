"""The simulated register holds persons, all of them invented."""

from __future__ import annotations

from datetime import date

from simulator.city_life import Town
from simulator.ibu_hamil.register import PUSKESMAS, puskesmas_of, visits_in

_MONDAY = date(2026, 11, 9)


def test_there_are_as_many_puskesmas_as_in_the_city(town: Town) -> None:
    assert len(set(puskesmas_of(town))) == PUSKESMAS == 42


def test_everybody_in_it_is_invented(town: Town) -> None:
    visits = visits_in(town, 1671, 1.0, _MONDAY)
    assert len(visits) > 100
    assert all(each.who.nik.startswith("9916710101") for each in visits)
    assert all(each.who.phone.startswith("0812-0000-") for each in visits)


def test_a_week_can_be_made_again(town: Town) -> None:
    assert visits_in(town, 1671, 1.0, _MONDAY) == visits_in(town, 1671, 1.0, _MONDAY)


def test_visits_lie_in_their_week(town: Town) -> None:
    days = {each.day for each in visits_in(town, 1671, 1.0, _MONDAY)}
    assert min(days) >= _MONDAY
    assert (max(days) - _MONDAY).days < 7
