"""Notes at the days of an indicator's trend: the pack's own, and public holidays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from lawang.city import City
from lawang.domain.kpi import Kpi
from lawang.domain.programme import Annotation
from lawang.domain.workdays import holidays_between

_BY_DAY = frozenset({"hour", "day"})
#: Over more days than these the holidays of a trend lie upon each other and explain nothing.
_HOLIDAYS_DAYS = 100


def annotations_of(city: City, kpi: Kpi, first: date, last: date) -> tuple[Annotation, ...]:
    """What is to be noted between two days, oldest first.

    Holidays only where a single day tells: on a figure by the week or month they mean nothing.
    """
    own = [
        each
        for each in city.programme.annotations
        if each.kpi in ("", kpi.id) and each.first <= last and each.last >= first
    ]
    if kpi.due in _BY_DAY:
        own += [
            Annotation(first=day, last=day, text_id=name_id, text_en=name_en, holiday=True)
            for day, (name_id, name_en) in holidays_between(first, last).items()
        ]
    return tuple(sorted(own, key=lambda each: (each.first, each.last, each.text_en)))


def notes_between(
    annotations: Iterable[Annotation], first: date, last: date
) -> tuple[Annotation, ...]:
    """The notes that a trend of these days shows, oldest first; holidays only on a short one."""
    short = (last - first).days < _HOLIDAYS_DAYS
    found = [
        each
        for each in annotations
        if each.first <= last and each.last >= first and (short or not each.holiday)
    ]
    return tuple(sorted(found, key=lambda each: (each.first, each.last, each.text_en)))
