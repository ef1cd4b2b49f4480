"""The calendar of the simulated city: how much of a thing a day or an hour has.

Two figures here are Palembang's own: on 21 February 2025 PBB-P2 stood at 0.86% of its year and the
hotel tax at 19.22%; on 19 November 2025 spending stood at 64.54% of the budget. The curves through
them, and all other factors, are the simulation's. Days are local days of the city.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays

#: Share of the year that has come in by the end of (month, day); straight between those.
Curve = Sequence[tuple[int, int, float]]

#: Most of PBB is paid in the weeks before it falls due at the end of September.
_PBB: Curve = (
    (2, 21, 0.0086),
    (3, 31, 0.03),
    (4, 30, 0.07),
    (5, 31, 0.13),
    (6, 30, 0.21),
    (7, 31, 0.32),
    (8, 31, 0.49),
    (9, 15, 0.66),
    (9, 30, 0.91),
    (10, 31, 0.95),
    (11, 30, 0.975),
    (12, 31, 1.0),
)
#: Every other local tax, by the name it has in the finance figures.
_TAXES: Mapping[str, Curve] = MappingProxyType(
    {
        "pbb": _PBB,
        "hotel": ((2, 21, 0.1922), (6, 30, 0.51), (9, 30, 0.745), (12, 31, 1.0)),
        "restoran": ((2, 21, 0.145), (4, 30, 0.34), (9, 30, 0.75), (12, 31, 1.0)),
        "hiburan": ((2, 21, 0.16), (6, 30, 0.49), (7, 31, 0.59), (12, 31, 1.0)),
        "parkir": ((2, 21, 0.14), (6, 30, 0.49), (12, 31, 1.0)),
        "listrik": ((2, 21, 0.135), (6, 30, 0.49), (9, 30, 0.745), (12, 31, 1.0)),
        "bphtb": ((2, 21, 0.09), (6, 30, 0.40), (9, 30, 0.64), (11, 30, 0.85), (12, 31, 1.0)),
        "reklame": ((2, 21, 0.17), (6, 30, 0.52), (12, 31, 1.0)),
    }
)
TAXES: tuple[str, ...] = tuple(_TAXES)

#: Tenders take the spring, bills come in December, and some of a budget is never spent.
_SPENDING: Curve = (
    (1, 31, 0.012),
    (2, 28, 0.045),
    (3, 31, 0.095),
    (6, 30, 0.29),
    (9, 30, 0.49),
    (10, 31, 0.585),
    (11, 19, 0.6454),
    (11, 30, 0.695),
    (12, 15, 0.80),
    (12, 31, 0.94),
)

#: Opening hours 08-16: how busy a counter is, by local hour; a dip at noon.
_COUNTER = {8: 1.25, 9: 1.5, 10: 1.4, 11: 1.1, 12: 0.45, 13: 0.95, 14: 0.8, 15: 0.55}
_COUNTER_DAYS = (1.25, 1.1, 1.0, 0.95, 0.7)
#: Around 1 Syawal: the joint leave, when offices are closed, and the weeks of catching up.
_LEAVE_BEFORE, _LEAVE_AFTER = 2, 6
_RUSH_UNTIL = 28


def pbb_share(day: date) -> float:
    """The part of a year's PBB-P2 that has been paid by the end of the day, 0 to 1."""
    return tax_share("pbb", day)


def tax_share(tax: str, day: date) -> float:
    """The part of a year's take of one of `TAXES` that has come in by the end of the day."""
    return _along(_TAXES[tax], day)


def spending_share(day: date) -> float:
    """The part of the year's budget that has been spent by the end of the day, 0 to 0.94."""
    return _along(_SPENDING, day)


def payday_factor(day: date) -> float:
    """How much is bought and paid against an average day: most from the 25th to the 2nd."""
    return 1.4 if day.day >= 25 or day.day <= 2 else 0.87


def eid(year: int) -> date:
    """1 Syawal (the first one) of a year, as the calendar of public holidays has it."""
    return min(day for day in _holidays(year) if "Eid al-Fitr" in _holidays(year)[day])


def days_from_eid(day: date) -> int:
    """Days since the nearest 1 Syawal; negative before it."""
    spans = [(day - eid(year)).days for year in (day.year - 1, day.year, day.year + 1)]
    return min(spans, key=abs)


def is_working_day(day: date) -> bool:
    """Whether offices open: Monday to Friday, no public holiday, no joint leave of Lebaran."""
    at_leave = -_LEAVE_BEFORE <= days_from_eid(day) <= _LEAVE_AFTER
    return day.weekday() < 5 and day not in _holidays(day.year) and not at_leave


def is_school_day(day: date) -> bool:
    """Whether schools teach: a working day of a term.

    Terms: mid-July to mid-December, early January to the third week of June. Lebaran takes the
    fortnight around it.
    """
    date_of_year = (day.month, day.day)
    in_term = (7, 14) <= date_of_year <= (12, 19) or (1, 5) <= date_of_year <= (6, 20)
    return in_term and is_working_day(day) and not -7 <= days_from_eid(day) <= 7


def lebaran_factor(day: date) -> float:
    """How many come to the counters against an ordinary day, because of Lebaran alone.

    0 while offices are closed for it; then those who came home catch up (e-KTP most of all), less
    week by week; the last fasting weeks are quiet.
    """
    days = days_from_eid(day)
    if -_LEAVE_BEFORE <= days <= _LEAVE_AFTER:
        return 0.0
    if _LEAVE_AFTER < days <= _RUSH_UNTIL:
        return 1.0 + 0.7 * (_RUSH_UNTIL - days) / (_RUSH_UNTIL - _LEAVE_AFTER)
    return 0.8 if -30 <= days < 0 else 1.0


def office_factor(at: datetime, timezone: ZoneInfo) -> float:
    """How busy a public counter is at an instant, against the mean of its opening hours.

    0 unless a working day's 08:00-16:00; busy on Mondays and before noon, empty during Friday
    prayers. Lebaran is in it.
    """
    local = at.astimezone(timezone)
    day = local.date()
    if local.hour not in _COUNTER or not is_working_day(day):
        return 0.0
    friday_prayer = day.weekday() == 4 and local.hour == 12
    hour = 0.1 if friday_prayer else _COUNTER[local.hour]
    return hour * _COUNTER_DAYS[day.weekday()] * lebaran_factor(day)


@cache
def _holidays(year: int) -> Mapping[date, str]:
    return dict(holidays.country_holidays("ID", years=year, language="en_US").items())


def _along(curve: Curve, day: date) -> float:
    before, share = date(day.year - 1, 12, 31), 0.0
    for month, day_of_month, reached in curve:
        after = date(day.year, month, day_of_month)
        if day <= after:
            return share + (reached - share) * ((day - before) / (after - before))
        before, share = after, reached
    return share
