"""Daily facts of indicators in history: replaced by the stretch, summed up by the horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select

from lawang.domain.kpi import Combine, Daily, Horizon, Kpi, Totals
from lawang.store import schema
from lawang.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiState:
    """How far one indicator is worked out. `through` is the last day that is final but for
    corrections, None before the first."""

    kpi: str
    digest: str
    through: date | None
    computed_at: datetime


class KpiStore:
    """Reads and writes `kpi_day` and `kpi_state`. Methods are one transaction each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, kpi: str, first: date, last: date, days: Sequence[Daily]) -> int:
        """Make `days` all that is known of `kpi` from `first` to `last`; how many rows changed.

        Rows that are right already are left alone, so that a quiet minute writes nothing.
        """
        table = schema.kpi_day
        within = (table.c.kpi == kpi, table.c.day.between(first, last))
        wanted = {(each.region, each.day): each for each in days if first <= each.day <= last}
        with self._database.reading() as connection:
            known = {
                (row.region, row.day): _daily_of(row)
                for row in connection.execute(select(table).where(*within))
            }
        changed = [each for key, each in wanted.items() if known.get(key) != each]
        gone = [key for key in known if key not in wanted]
        if not changed and not gone:
            return 0
        with self._database.writing() as connection:
            for region, day in gone:
                connection.execute(
                    delete(table).where(
                        table.c.kpi == kpi, table.c.region == region, table.c.day == day
                    )
                )
            self._database.upsert(connection, table, [asdict(each) for each in changed])
        return len(changed) + len(gone)

    def forget(self, kpi: str) -> None:
        """Drop everything of an indicator that is not defined any more."""
        with self._database.writing() as connection:
            for table in (schema.kpi_day, schema.kpi_state):
                connection.execute(delete(table).where(table.c.kpi == kpi))

    def states(self) -> dict[str, KpiState]:
        """How far each indicator is worked out."""
        with self._database.reading() as connection:
            rows = connection.execute(select(schema.kpi_state)).all()
        return {row.kpi: KpiState(**row._mapping) for row in rows}

    def save_states(self, states: Sequence[KpiState]) -> None:
        """Replace the states of some indicators."""
        if not states:
            return
        with self._database.writing() as connection:
            self._database.upsert(connection, schema.kpi_state, [asdict(each) for each in states])

    def days(self, kpi: str, first: date, last: date, region: str | None = "") -> list[Daily]:
        """The facts of one indicator, oldest first; of all regions where `region` is None."""
        table = schema.kpi_day
        wanted = select(table).where(table.c.kpi == kpi, table.c.day.between(first, last))
        if region is not None:
            wanted = wanted.where(table.c.region == region)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(table.c.day, table.c.region))
            return [_daily_of(row) for row in rows]

    def totals(
        self, kpis: Mapping[str, Kpi], horizon: Horizon, region: str = ""
    ) -> dict[str, Totals]:
        """The totals of each indicator over a horizon; those without a day are left out."""
        table = schema.kpi_day
        found = self._sums(kpis, horizon, table.c.kpi, table.c.region == region)
        return {name: totals for name, totals in found.items() if name in kpis}

    def totals_by_region(self, kpi: Kpi, horizon: Horizon) -> dict[str, Totals]:
        """The totals of one indicator for each kecamatan that has any."""
        table = schema.kpi_day
        own = (table.c.kpi == kpi.id) & (table.c.region != "")
        return self._sums({kpi.id: kpi}, horizon, table.c.region, own)

    def newest_observed(self) -> dict[str, datetime]:
        """When the newest city-wide fact of each indicator was true."""
        table = schema.kpi_day
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.kpi, func.max(table.c.observed_at))
                .where(table.c.region == "")
                .group_by(table.c.kpi)
            ).all()
        return {row[0]: row[1] for row in rows}

    def _sums(
        self,
        kpis: Mapping[str, Kpi],
        horizon: Horizon,
        by: ColumnElement[str],
        narrowed: ColumnElement[bool],
    ) -> dict[str, Totals]:
        """Totals grouped by a column: sums over the horizon, and for LAST the newest day."""
        found: dict[str, Totals] = {}
        added = [name for name, kpi in kpis.items() if kpi.combine is not Combine.LAST]
        newest = [name for name, kpi in kpis.items() if kpi.combine is Combine.LAST]
        if added:
            found |= self._added(added, horizon, by, narrowed)
        if newest:
            found |= self._newest(newest, horizon, by, narrowed)
        return found

    def _added(
        self,
        names: Sequence[str],
        horizon: Horizon,
        by: ColumnElement[str],
        narrowed: ColumnElement[bool],
    ) -> dict[str, Totals]:
        table = schema.kpi_day
        within = table.c.day.between(horizon.first, horizon.last)
        statement = (
            select(
                by.label("key"),
                func.sum(table.c.num).label("num"),
                func.sum(table.c.den).label("den"),
                func.sum(table.c.n).label("n"),
                func.count().label("days"),
                func.max(table.c.day).label("newest"),
                func.max(table.c.observed_at).label("observed_at"),
            )
            .where(table.c.kpi.in_(names), within, narrowed)
            .group_by(by)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
            gaps = [row.key for row in rows if row.days < horizon.days]
            known: dict[str, list[date]] = {}
            if gaps:
                for key, day in connection.execute(
                    select(by, table.c.day)
                    .where(table.c.kpi.in_(names), within, narrowed, by.in_(gaps))
                    .order_by(table.c.day)
                ):
                    known.setdefault(key, []).append(day)
        return {
            row.key: _totals(row, tuple(known[row.key]) if row.key in known else None)
            for row in rows
        }

    def _newest(
        self,
        names: Sequence[str],
        horizon: Horizon,
        by: ColumnElement[str],
        narrowed: ColumnElement[bool],
    ) -> dict[str, Totals]:
        table = schema.kpi_day
        newest = (
            select(by.label("key"), func.max(table.c.day).label("day"))
            .where(table.c.kpi.in_(names), table.c.day <= horizon.last, narrowed)
            .group_by(by)
            .subquery()
        )
        statement = (
            select(table, newest.c.key)
            .join(newest, (by == newest.c.key) & (table.c.day == newest.c.day))
            .where(table.c.kpi.in_(names), narrowed)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return {
            row.key: Totals(
                num=row.num,
                den=row.den,
                n=row.n,
                days=1,
                newest=row.day,
                observed_at=row.observed_at,
                known=(row.day,),
            )
            for row in rows
        }


def _totals(row: Row[Any], known: tuple[date, ...] | None) -> Totals:
    return Totals(
        num=float(row.num),
        den=float(row.den),
        n=int(row.n),
        days=int(row.days),
        newest=row.newest,
        observed_at=row.observed_at,
        known=known,
    )


def _daily_of(row: Row[Any]) -> Daily:
    values = {name: row._mapping[name] for name in _FIELDS}
    return Daily(**values)


_FIELDS = ("kpi", "region", "day", "num", "den", "n", "observed_at")
