"""The same figures the plain way: daily facts in a DataFrame, worked out anew for every request.

As one writes the callback of a dashboard: read what is needed by SQL, `groupby`, divide, compare.
Nothing is kept between requests but, in the second way, the whole table. Targets are asked of the
indicators' definitions, which are the same for both; everything else is worked out here, by pandas
and NumPy, without the product's own arithmetic.

It is spared what the product does as well: what moved a score, drafts of what will come, small
charts, what is overdue, and the page itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Engine, create_engine

from lawang.city import City
from lawang.domain.kpi import Combine, Direction, Horizon, Kpi, Span

#: Value, target, score and whether it counts; None where there is none.
Figure = tuple[float | None, float | None, float | None, bool]
_COLUMNS = "kpi, region, day, num, den, n, observed_at"
_MOST = 1.5


@dataclass(frozen=True, slots=True)
class FirstView:
    """All indicators over all horizons with those before, and the scores: the city ("") first."""

    now: Mapping[tuple[Span, str], Figure]
    before: Mapping[tuple[Span, str], Figure]
    scores: Mapping[tuple[Span, str], float | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """One indicator: each known day's value and target, and the kecamatan over a month."""

    trend: list[tuple[date, float, float | None]]
    kecamatan: Mapping[str, float | None]


class PandasWay:
    """Asks by SQL for each request; where `keep`, the whole table is read once and filtered."""

    def __init__(self, file: Path, city: City, *, keep: bool = False) -> None:
        self._city = city
        self._engine: Engine = create_engine(f"sqlite:///{file}")
        self._kept = self._load() if keep else None

    def close(self) -> None:
        """Give the file back."""
        self._engine.dispose()

    @property
    def kept_bytes(self) -> int:
        """What the kept table needs in memory."""
        return 0 if self._kept is None else int(self._kept.memory_usage(deep=True).sum())

    def first_view(self, last: date, now: pd.Timestamp) -> FirstView:
        """The figures of the first page, as of an instant."""
        frame = self._city_since(date(last.year - 1, 1, 1) - timedelta(days=31))
        found: dict[tuple[Span, str], Figure] = {}
        past: dict[tuple[Span, str], Figure] = {}
        scores: dict[tuple[Span, str], float | None] = {}
        for span in Span:
            horizon = Horizon.ending(span, last)
            table = self._judge(frame, horizon, now)
            before = horizon.previous()
            end = pd.Timestamp(before.last + timedelta(days=1), tz=str(self._city.timezone))
            earlier = self._judge(frame, before, end)
            found |= {(span, str(name)): _figure(row) for name, row in table.iterrows()}
            past |= {(span, str(name)): _figure(row) for name, row in earlier.iterrows()}
            scores |= {(span, name): score for name, score in self._roll_up(table).items()}
        return FirstView(found, past, scores)

    def open(self, kpi: Kpi, last: date, days: int, span: Span) -> Opened:
        """One indicator's days and its kecamatan."""
        horizon = Horizon.ending(span, last)
        first = min(last - timedelta(days=days - 1), horizon.first)
        frame = self._one_since(kpi.id, first)
        city = frame[frame["region"] == ""].sort_values("day")
        if kpi.combine is Combine.SUM:
            values = city["num"]
        else:
            city = city[city["den"] != 0]
            values = city["num"] / city["den"]
        on = [each.date() for each in city["day"]]
        trend = [
            (day, float(value), _target_of_day(kpi, day))
            for day, value in zip(on, values, strict=True)
        ]
        regions = frame[frame["region"] != ""]
        if kpi.combine is Combine.LAST:
            sums = (
                regions.sort_values("day").groupby("region", observed=True)[["num", "den"]].last()
            )
        else:
            within = regions[regions["day"] >= pd.Timestamp(horizon.first)]
            sums = within.groupby("region", observed=True)[["num", "den"]].sum()
        by_region = sums["num"] if kpi.combine is Combine.SUM else sums["num"] / sums["den"]
        return Opened(trend, {str(code): _number(value) for code, value in by_region.items()})

    # --- reading -------------------------------------------------------------------------------

    def _city_since(self, first: date) -> pd.DataFrame:
        if self._kept is not None:
            kept = self._kept
            return kept[(kept["region"] == "") & (kept["day"] >= pd.Timestamp(first))]
        # The names help SQLite to use the primary key; without them it reads the whole table.
        names = ", ".join(f"'{name}'" for name in self._city.kpis)
        return self._read(f"kpi IN ({names}) AND region = '' AND day >= ?", (first.isoformat(),))

    def _one_since(self, kpi: str, first: date) -> pd.DataFrame:
        if self._kept is not None:
            kept = self._kept
            return kept[(kept["kpi"] == kpi) & (kept["day"] >= pd.Timestamp(first))]
        codes = ", ".join(f"'{each.code}'" for each in self._city.kecamatan)
        return self._read(
            f"kpi = ? AND region IN ('', {codes}) AND day >= ?", (kpi, first.isoformat())
        )

    def _read(self, where: str, values: tuple[str, ...]) -> pd.DataFrame:
        frame = pd.read_sql(
            f"SELECT {_COLUMNS} FROM kpi_day WHERE {where}", self._engine, params=values
        )
        return _typed(frame)

    def _load(self) -> pd.DataFrame:
        statement = f"SELECT {_COLUMNS} FROM kpi_day"
        parts = pd.read_sql(statement, self._engine, chunksize=400_000)
        frame = pd.concat([_typed(part) for part in parts], ignore_index=True)
        return frame.astype({"kpi": "category", "region": "category"})

    # --- working out ---------------------------------------------------------------------------

    def _judge(self, frame: pd.DataFrame, horizon: Horizon, now: pd.Timestamp) -> pd.DataFrame:
        """Value, target, score and whether it counts of each indicator over one horizon."""
        kpis = self._city.kpis
        frame = frame[frame["day"] <= pd.Timestamp(horizon.last)]
        within = frame[frame["day"] >= pd.Timestamp(horizon.first)]
        table = within.groupby("kpi", observed=True).agg(
            num=("num", "sum"),
            den=("den", "sum"),
            n=("n", "sum"),
            days=("day", "size"),
            newest=("day", "max"),
            observed_at=("observed_at", "max"),
        )
        states = [name for name, kpi in kpis.items() if kpi.combine is Combine.LAST]
        newest = frame[frame["kpi"].isin(states)].sort_values("day")
        latest = newest.groupby("kpi", observed=True).last()
        latest = latest.assign(days=1, newest=latest["day"])[list(table.columns)]
        table = pd.concat([table[~table.index.isin(states)], latest])
        table.index = table.index.astype(str)
        table = table.reindex(list(kpis))
        combine = np.array([kpi.combine.value for kpi in kpis.values()])
        is_down = np.array([kpi.direction is Direction.DOWN for kpi in kpis.values()])
        known: dict[str, list[date]] = {}
        short = table.index[(table["days"] < horizon.days) & (combine == "sum")]
        for name, days in within[within["kpi"].isin(short)].groupby("kpi", observed=True)["day"]:
            known[str(name)] = [each.date() for each in days]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(combine == "sum", table["num"], table["num"] / table["den"])
            target = np.array(
                [
                    _target(kpis[name], horizon, known.get(name), row.newest)
                    for name, row in zip(table.index, table.itertuples(), strict=True)
                ],
                dtype=float,
            )
            up = np.where(
                target == 0,
                np.where(value == 0, 1.0, np.where(value > 0, _MOST, 0.0)),
                value / target,
            )
            down = np.where(value <= 0, np.where(value == target, 1.0, _MOST), target / value)
        score = np.clip(np.where(is_down, down, up), 0.0, _MOST)
        score[np.isnan(value) | np.isnan(target)] = np.nan
        age = now - table["observed_at"]
        stale_after = pd.Series([kpi.stale_after for kpi in kpis.values()], index=table.index)
        minimum = np.array([kpi.minimum for kpi in kpis.values()])
        counts = ~np.isnan(score) & ~(age > stale_after).to_numpy() & (table["n"] >= minimum)
        return pd.DataFrame(
            {"value": value, "target": target, "score": score, "counts": counts}, index=table.index
        )

    def _roll_up(self, table: pd.DataFrame) -> dict[str, float | None]:
        """The weighted mean of what counts, by dimension and of the dimensions."""
        kpis = self._city.kpis
        counting = table[table["counts"]]
        weight = pd.Series({name: kpis[name].weight for name in counting.index})
        dimension = pd.Series({name: kpis[name].dimension for name in counting.index})
        if counting.empty:
            return {"": None, **dict.fromkeys(self._city.dimensions)}
        weighed = (counting["score"] * weight).groupby(dimension).sum()
        scores = weighed / weight.groupby(dimension).sum()
        shares = pd.Series({name: self._city.dimensions[name].weight for name in scores.index})
        whole = float((scores * shares).sum() / shares.sum())
        return {"": whole, **{name: _number(scores.get(name)) for name in self._city.dimensions}}


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(
        day=pd.to_datetime(frame["day"]),
        observed_at=pd.to_datetime(frame["observed_at"], utc=True),
    )


def _target(
    kpi: Kpi, horizon: Horizon, known: list[date] | None, newest: pd.Timestamp
) -> float | None:
    if kpi.target is None or pd.isna(newest):
        return None
    if kpi.combine is not Combine.SUM:
        return kpi.target.at(newest.date())
    if known is None:
        return kpi.target.amount(horizon.first, horizon.last)
    return kpi.target.amount_of(known)


def _target_of_day(kpi: Kpi, day: date) -> float | None:
    if kpi.target is None:
        return None
    return kpi.target.amount(day, day) if kpi.combine is Combine.SUM else kpi.target.at(day)


def _figure(row: Any) -> Figure:
    return _number(row["value"]), _number(row["target"]), _number(row["score"]), bool(row["counts"])


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
