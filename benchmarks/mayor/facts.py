"""Years of made-up daily facts for every indicator of the pack, written as the product keeps them.

The definitions (targets, cohorts, directions) are the pack's, the figures are drawn by a generator
with a fixed seed and scatter around the targets. Rows go into the table day by day, all indicators
of one day together, as a city that runs for years writes them; a bulk import by indicator would lie
closer together and be faster to read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lawang.city import City
from lawang.domain.formula import (
    IncidentFormula,
    QualityFormula,
    ReachedFormula,
    RequestFormula,
    is_share,
)
from lawang.domain.kpi import Combine, Kpi
from lawang.kpi.cells import ONE_DAY, day_start

#: How many indicators have facts by kecamatan.
PLACED = 60
#: One day in so many is missing of what is no part of the finances, nor by kecamatan of any.
_GAP = 50
#: Days before the last that are never missing, so that nothing is stale.
_SURE = 7
_SEED = 2016
_Numbers = npt.NDArray[np.float64]
_Row = tuple[str, str, str, float, float, int, str]


@dataclass(frozen=True, slots=True)
class _Series:
    """One indicator in one region ("" is the city), by days; `is_known` tells missing ones."""

    kpi: str
    region: str
    num: _Numbers
    den: _Numbers
    n: npt.NDArray[np.int64]
    is_known: npt.NDArray[np.bool_]


def placed_kpis(city: City) -> list[str]:
    """The indicators that get facts by kecamatan: those of the districts' page and those of
    records, which have a place, then others in the order of the pack, but for finance."""
    finance = _finance(city)
    by_records = (IncidentFormula, RequestFormula, ReachedFormula)
    order = [
        *(name for name in city.programme.districts if name in city.kpis),
        *(name for name, kpi in city.kpis.items() if isinstance(kpi.formula, by_records)),
        *(
            name
            for name, kpi in city.kpis.items()
            if name not in finance and not isinstance(kpi.formula, QualityFormula)
        ),
    ]
    return list(dict.fromkeys(order))[:PLACED]


def fill(file: Path, city: City, last: date, days: int) -> int:
    """Write that many days up to `last` into a migrated history; how many rows there are then."""
    random = np.random.default_rng(_SEED)
    placed = set(placed_kpis(city))
    every = [
        series
        for kpi in city.kpis.values()
        for series in _draw(kpi, city, last, days, kpi.id in placed, random)
    ]
    connection = sqlite3.connect(file)
    try:
        # The file is new: nothing is lost if the machine falls, and the index fits into memory.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-1500000")
        connection.executemany(
            "INSERT INTO kpi_day (kpi, region, day, num, den, n, observed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            _rows(every, city, last, days),
        )
        connection.executemany(
            "INSERT INTO kpi_revision (kpi, number) VALUES (?, 1)", [(name,) for name in city.kpis]
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return int(connection.execute("SELECT count(*) FROM kpi_day").fetchone()[0])
    finally:
        connection.close()


def _rows(every: list[_Series], city: City, last: date, days: int) -> Iterator[_Row]:
    """All series of each day, the oldest day first."""
    keys = [(each.kpi, each.region) for each in every]
    table = [
        np.stack([getattr(each, name) for each in every], axis=1)
        for name in ("num", "den", "n", "is_known")
    ]
    for place in range(days):
        day = last - timedelta(days=days - 1 - place)
        text = day.isoformat()
        # An evening of the city, so that the fact is of that day in every zone.
        at = _text_of(day_start(day, city.timezone) + timedelta(hours=20))
        columns = (each[place].tolist() for each in table)
        for (kpi, region), num, den, n, is_known in zip(keys, *columns, strict=True):
            if is_known:
                yield kpi, region, text, num, den, n, at


def _text_of(at: datetime) -> str:
    """An instant as history writes it into SQLite: UTC without its zone."""
    offset = at.utcoffset() or timedelta()
    return (at.replace(tzinfo=None) - offset).isoformat(" ", "microseconds")


def _draw(
    kpi: Kpi, city: City, last: date, days: int, placed: bool, random: np.random.Generator
) -> Iterator[_Series]:
    regions = [each.code for each in city.kecamatan] if placed else []
    level = _level(kpi, last)
    gaps = 0 if kpi.id in _finance(city) else _GAP
    whole = _one(kpi, "", level, max(60, 2 * kpi.minimum), days, gaps, random)
    parts = [_one(kpi, code, level, 8, days, _GAP, random) for code in regions]
    yield whole
    yield from parts


def _one(
    kpi: Kpi,
    region: str,
    level: float,
    cohort: int,
    days: int,
    gaps: int,
    random: np.random.Generator,
) -> _Series:
    """Figures about `level`, drifting over the years and scattering from day to day."""
    years = np.arange(days) / 365.25
    drift = 1.0 + 0.06 * np.sin(years * 1.7 + random.uniform(0, 6))
    scatter = random.normal(1.0, 0.08, days).clip(0.5, 1.5)
    n = random.poisson(cohort, days) + 1
    den = n.astype(np.float64)
    value = level * drift * scatter
    if kpi.combine is Combine.SUM:
        num, den = value if not region else value / 18, np.ones(days)
    elif is_share(kpi.formula):
        num = np.minimum(np.round(value * den), den)
    else:
        num = value * den
    is_known = np.ones(days, dtype=np.bool_)
    if gaps:
        is_known = random.integers(0, gaps, days) > 0
        is_known[-_SURE:] = True
    return _Series(kpi.id, region, num, den, n, is_known)


def _level(kpi: Kpi, last: date) -> float:
    """About what a day is to bring; where nothing is asked for, some figure."""
    if kpi.target is None:
        return 1.0
    if kpi.combine is Combine.SUM:
        amount = kpi.target.amount(last - 90 * ONE_DAY, last)
        return 100.0 if amount is None else amount / 91
    return kpi.target.at(last) or 1.0


def _finance(city: City) -> set[str]:
    programme = city.programme.finance
    if programme is None:
        return set()
    return {programme.revenue, programme.spending, programme.own_revenue, *programme.items}
