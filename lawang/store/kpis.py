"""Daily facts of indicators in history: replaced by the stretch, summed up by the horizon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, extract, func, select

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One calendar month of one indicator, summed up. `newest` is its last day that is known."""

    newest: date
    num: float
    den: float
    n: int
    days: int


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
            self._note_change(connection, kpi)
        return len(changed) + len(gone)

    def forget(self, kpi: str) -> None:
        """Drop everything of an indicator that is not defined any more."""
        with self._database.writing() as connection:
            for table in (schema.kpi_day, schema.kpi_state):
                connection.execute(delete(table).where(table.c.kpi == kpi))
            self._note_change(connection, kpi)

    def revisions(self) -> dict[str, int]:
        """How often the facts of each indicator have changed; one never changed is left out.

        A number never comes again, so that whoever keeps what he has read knows when to read anew.
        """
        table = schema.kpi_revision
        with self._database.reading() as connection:
            return {row.kpi: int(row.number) for row in connection.execute(select(table))}

    def _note_change(self, connection: Connection, kpi: str) -> None:
        table = schema.kpi_revision
        connection.execute(
            self._database.insert(table)
            .values(kpi=kpi, number=1)
            .on_conflict_do_update(index_elements=["kpi"], set_={"number": table.c.number + 1})
        )

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
        added = [name for name, kpi in kpis.items() if kpi.combine is not Combine.LAST]
        states = [name for name, kpi in kpis.items() if kpi.combine is Combine.LAST]
        found = {
            each.kpi: _totals_of(each)
            for each in self.newest((name, region, horizon.last) for name in states)
        }
        if added:
            found |= self._added(added, horizon, table.c.kpi, table.c.region == region)
            held = [name for name in added if _names_days(kpis[name], found.get(name), horizon)]
            for name, days in self.known_days(held, horizon.first, horizon.last, region).items():
                found[name] = replace(found[name], known=tuple(days))
        return found

    def totals_by_region(
        self, kpi: Kpi, horizon: Horizon, regions: Sequence[str]
    ) -> dict[str, Totals]:
        """The totals of one indicator for each of the kecamatan that has any."""
        table = schema.kpi_day
        if kpi.combine is Combine.LAST:
            wanted = [(kpi.id, region, horizon.last) for region in regions]
            return {each.region: _totals_of(each) for each in self.newest(wanted)}
        # Named one by one, so that each is one stretch of the primary key.
        return self._added([kpi.id], horizon, table.c.region, table.c.region.in_(regions))

    def city_days(self, kpis: Sequence[str], first: date, last: date) -> dict[str, list[Daily]]:
        """The city's facts of several indicators, oldest first; those without any are left out."""
        table = schema.kpi_day
        wanted = select(*(table.c[name] for name in _FIELDS)).where(
            table.c.kpi.in_(kpis), table.c.region == "", table.c.day.between(first, last)
        )
        found: dict[str, list[Daily]] = {}
        with self._database.reading() as connection:
            for kpi, region, day, num, den, n, at in connection.execute(wanted).all():
                fact = Daily(kpi=kpi, region=region, day=day, num=num, den=den, n=n, observed_at=at)
                found.setdefault(kpi, []).append(fact)
        for facts in found.values():
            facts.sort(key=lambda each: each.day)
        return found

    def on_days(self, kpis: Sequence[str], days: Sequence[date]) -> list[Daily]:
        """The city's facts of several indicators on single days; those there are."""
        if not kpis or not days:
            return []
        table = schema.kpi_day
        wanted = select(*(table.c[name] for name in _FIELDS)).where(
            table.c.kpi.in_(kpis), table.c.region == "", table.c.day.in_(days)
        )
        with self._database.reading() as connection:
            return [_daily_of(row) for row in connection.execute(wanted).all()]

    def known_days(
        self, kpis: Sequence[str], first: date, last: date, region: str = ""
    ) -> dict[str, list[date]]:
        """The days of several indicators in one region of which anything is known, oldest first."""
        if not kpis:
            return {}
        table = schema.kpi_day
        wanted = select(table.c.kpi, table.c.day).where(
            table.c.kpi.in_(kpis), table.c.region == region, table.c.day.between(first, last)
        )
        found: dict[str, list[date]] = {}
        with self._database.reading() as connection:
            for kpi, day in connection.execute(wanted).all():
                found.setdefault(kpi, []).append(day)
        for days in found.values():
            days.sort()
        return found

    def newest(self, wanted: Iterable[tuple[str, str, date]]) -> list[Daily]:
        """The newest fact of each (indicator, region) up to a day; those without any are left out.

        One look-up in the primary key each: `max` over a group would read all of its days.
        """
        table = schema.kpi_day
        statement = (
            select(table)
            .where(
                table.c.kpi == bindparam("of"),
                table.c.region == bindparam("within"),
                table.c.day <= bindparam("until"),
            )
            .order_by(table.c.day.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            rows = [
                connection.execute(statement, {"of": kpi, "within": region, "until": day}).first()
                for kpi, region, day in wanted
            ]
        return [_daily_of(row) for row in rows if row is not None]

    def months(self, kpis: Sequence[str], first: date, last: date) -> dict[str, list[Month]]:
        """The city's facts of several indicators by calendar month, oldest first."""
        table = schema.kpi_day
        day = table.c.day
        wanted = (
            select(
                table.c.kpi,
                func.max(day).label("newest"),
                func.sum(table.c.num).label("num"),
                func.sum(table.c.den).label("den"),
                func.sum(table.c.n).label("n"),
                func.count().label("days"),
            )
            .where(table.c.kpi.in_(kpis), table.c.region == "", day.between(first, last))
            .group_by(table.c.kpi, extract("year", day), extract("month", day))
        )
        found: dict[str, list[Month]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                month = Month(
                    newest=row.newest, num=float(row.num), den=float(row.den), n=int(row.n),
                    days=int(row.days),
                )  # fmt: skip
                found.setdefault(row.kpi, []).append(month)
        for months in found.values():
            months.sort(key=lambda each: each.newest)
        return found

    def region_days(
        self, kpi: str, regions: Sequence[str], first: date, last: date
    ) -> dict[str, list[tuple[date, float, float, int]]]:
        """Day, num, den and n of one indicator in each of some kecamatan, oldest first."""
        table = schema.kpi_day
        columns = (table.c.region, table.c.day, table.c.num, table.c.den, table.c.n)
        wanted = select(*columns).where(
            table.c.kpi == kpi, table.c.region.in_(regions), table.c.day.between(first, last)
        )
        found: dict[str, list[tuple[date, float, float, int]]] = {}
        with self._database.reading() as connection:
            for region, day, num, den, n in connection.execute(wanted).all():
                found.setdefault(region, []).append((day, num, den, n))
        for days in found.values():
            days.sort()
        return found

    def by_kecamatan(self, kpis: Iterable[str]) -> set[str]:
        """Those of some indicators that have facts of any kecamatan."""
        table = schema.kpi_day
        statement = (
            select(table.c.kpi).where(table.c.kpi == bindparam("of"), table.c.region > "").limit(1)
        )
        with self._database.reading() as connection:
            return {
                kpi
                for kpi in kpis
                if connection.execute(statement, {"of": kpi}).first() is not None
            }

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
            return {row.key: _totals(row) for row in connection.execute(statement).all()}


def _names_days(kpi: Kpi, totals: Totals | None, horizon: Horizon) -> bool:
    """Whether the days known have to be named: only a sum is held to exactly what they bring."""
    is_held = kpi.combine is Combine.SUM and kpi.target is not None
    return is_held and totals is not None and totals.days < horizon.days


def _totals_of(fact: Daily) -> Totals:
    """A state by its newest day."""
    return Totals(
        num=fact.num, den=fact.den, n=fact.n, days=1, newest=fact.day,
        observed_at=fact.observed_at, known=(fact.day,),
    )  # fmt: skip


def _totals(row: Row[Any]) -> Totals:
    return Totals(
        num=float(row.num),
        den=float(row.den),
        n=int(row.n),
        days=int(row.days),
        newest=row.newest,
        observed_at=row.observed_at,
    )


def _daily_of(row: Row[Any]) -> Daily:
    values = {name: row._mapping[name] for name in _FIELDS}
    return Daily(**values)


_FIELDS = ("kpi", "region", "day", "num", "den", "n", "observed_at")
