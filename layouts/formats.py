"""Numbers, money, days and ages as people of a language write them. Babel knows how.

Indonesian: Rp1,23 T; 87,5%; 21 Nov 2026; 14.05 WIB. English: Rp1.23T; 87.5%; 14:05 WIB.
A missing value is an en dash, never a nought.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_decimal

MISSING = "–"
#: The locale of each language of the interface; British dates, as the rest of the page says them.
_LOCALES = {"id": "id", "en": "en_GB"}
_MONEY = "Rp"
_PERCENT = "%"
_ARITHMETIC = 1e-6


def number(value: float | None, language: str, digits: int = 0) -> str:
    """A plain number with at most so many decimals: 1.234,5 (id), 1,234.5 (en)."""
    if value is None:
        return MISSING
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(value, pattern, locale=_LOCALES[language])


def compact(value: float | None, language: str) -> str:
    """A number in at most four digits: 1,23 T; 263,2 M; 12,3 rb (id), 1.23T (en)."""
    if value is None:
        return MISSING
    size = abs(value)
    while size >= 1000:
        size /= 1000
    digits = 2 if size < 10 else 1 if size < 1000 else 0
    text = format_compact_decimal(value, locale=_LOCALES[language], fraction_digits=digits)
    return text.replace("\xa0", "\u202f") if language == "id" else text


def rupiah(value: float | None, language: str) -> str:
    """Money in short: Rp1,23 T (triliun), Rp263,2 M (miliar); in English Rp1.23T, Rp263.2B."""
    if value is None:
        return MISSING
    sign = "-" if value < 0 else ""
    return f"{sign}{_MONEY}{compact(abs(value), language)}"


def rupiah_whole(value: float | None, language: str) -> str:
    """Money to the last rupiah: Rp1.234.567."""
    if value is None:
        return MISSING
    sign = "-" if value < 0 else ""
    return f"{sign}{_MONEY}{number(abs(value), language)}"


def percent(share: float | None, language: str, digits: int = 1) -> str:
    """A share of 1 as percent: 87,5%."""
    return MISSING if share is None else f"{number(share * 100, language, digits)}%"


def figure(value: float | None, unit: str, language: str) -> str:
    """A value in an indicator's unit. `%` means that values are shares from 0 to 1."""
    if value is None:
        return MISSING
    if unit == _PERCENT:
        return percent(value, language)
    if unit.startswith(_MONEY):
        per = unit.removeprefix(_MONEY)
        shown = rupiah(value, language) if not per else rupiah_whole(round(value), language)
        return f"{shown}{per}"
    shown = compact(value, language) if abs(value) >= 100_000 else plain(value, language)
    return f"{shown}\u202f{unit}" if unit else shown


def plain(value: float, language: str) -> str:
    """A number with as many decimals as its size is worth: 0,12; 8,5; 1.234."""
    size = abs(value)
    return number(value, language, 2 if size < 1 else 1 if size < 100 else 0)


def score(value: float | None, language: str) -> str:
    """A score with two decimals, always: 1,00 is on target.

    Cut off, not rounded: 0.9991 is 0,99, for it has not reached the 1,00 that makes a light green.
    """
    if value is None:
        return MISSING
    # What arithmetic loses (0.29 * 100 is 28.999...) takes no hundredth away.
    cut = math.floor(value * 100 + _ARITHMETIC) / 100
    return format_decimal(cut, "0.00", locale=_LOCALES[language])


def signed(value: float | None, language: str, digits: int = 2) -> str:
    """A change with its sign: +0,03; −0,12; ±0."""
    if value is None:
        return MISSING
    rounded = round(value, digits)
    if rounded == 0:
        return "±0"
    pattern = "0." + "0" * digits if digits else "0"
    text = format_decimal(abs(rounded), pattern, locale=_LOCALES[language])
    return f"{'+' if rounded > 0 else '−'}{text}"


def day(value: date | None, language: str) -> str:
    """21 Nov 2026."""
    return MISSING if value is None else format_date(value, "d MMM y", locale=_LOCALES[language])


def long_day(value: date, language: str) -> str:
    """Sabtu, 21 November 2026."""
    return format_date(value, "EEEE, d MMMM y", locale=_LOCALES[language])


def month(value: date, language: str) -> str:
    """Nov 2026."""
    return format_date(value, "MMM y", locale=_LOCALES[language])


def short_month(value: date, language: str) -> str:
    """Nov; in January the year instead, for the axis of a chart."""
    pattern = "y" if value.month == 1 else "MMM"
    return format_date(value, pattern, locale=_LOCALES[language])


def weekday(value: date, language: str) -> str:
    """Sen, Rab (id); Mon, Wed (en)."""
    return format_date(value, "EEE", locale=_LOCALES[language])


def moment(value: datetime | None, language: str, zone: ZoneInfo) -> str:
    """21 Nov 2026 14.05 WIB, in the city's own time."""
    if value is None:
        return MISSING
    return f"{day(value.astimezone(zone).date(), language)} {clock(value, language, zone)}"


def clock(value: datetime, language: str, zone: ZoneInfo) -> str:
    """14.05 WIB (id), 14:05 WIB (en)."""
    local = value.astimezone(zone)
    pattern = "HH.mm" if language == "id" else "HH:mm"
    return f"{format_datetime(local, pattern, locale=_LOCALES[language])} {local.tzname()}"
