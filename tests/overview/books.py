"""A small city's books by hand: a source of five measures, indicators, a finance section."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from lawang.city import City
from lawang.domain.facts import Facts
from lawang.domain.formula import ReadingFormula
from lawang.domain.kpi import Combine, Curve, Kpi, Target
from lawang.domain.measure import Measure, MeasureKind, Period, Reading, span
from lawang.domain.programme import FinanceProgramme, MeasureRef, Programme
from lawang.kpi.cells import last_complete_day
from lawang.kpi.daily import DailyFacts
from lawang.store.history import History
from tests.kpi.desk import WIB, indicator

SOURCE = "buku"
#: A fifth of the year by the end of March, half by the end of June, four fifths by September.
CURVE = Curve("buku", (((3, 0), 0.2), ((6, 0), 0.5), ((9, 0), 0.8), ((12, 0), 1.0)), "uji")
MEASURES = {
    name: Measure(
        id=name, name_id=name, name_en=name, unit="Rp", kind=kind, period=period, resets=resets,
        jump=100.0,
    )
    for name, kind, period, resets in (
        ("came", MeasureKind.CUMULATIVE, Period.MONTH, Period.YEAR),
        ("spent", MeasureKind.CUMULATIVE, Period.MONTH, Period.YEAR),
        ("budget", MeasureKind.STOCK, Period.MONTH, None),
        ("financing", MeasureKind.CUMULATIVE, Period.MONTH, Period.YEAR),
        ("cash", MeasureKind.STOCK, Period.DAY, None),
    )
}  # fmt: skip


def summed(name: str, measure: str, year: float, subjects: tuple[str, ...] = ()) -> Kpi:
    """A sum held to the same amount every year."""
    return indicator(
        ReadingFormula(source=SOURCE, measure=measure, subjects=subjects),
        id=name,
        unit="Rp",
        combine=Combine.SUM,
        target=Target(year=year, curve=CURVE),
        stale_after=timedelta(days=60),
    )


@dataclass
class Books:
    """History with the books written into it."""

    city: City
    history: History

    @classmethod
    def of(cls, city: City, history: History) -> Books:
        """Books whose city has only them in its finance section."""
        source = replace(city.sources["apbd"], id=SOURCE, name="Buku", measures=MEASURES)
        kpis = (
            summed("masuk", "came", 1200.0),
            summed("keluar", "spent", 1000.0),
            summed("sendiri", "came", 600.0, ("pajak",)),
        )

        def ref(measure: str, *subjects: str) -> MeasureRef:
            return MeasureRef(source=SOURCE, measure=measure, subjects=subjects)

        finance = FinanceProgramme(
            revenue="masuk", spending="keluar", own_revenue="sendiri", items=("sendiri",),
            spent=ref("spent"), budget=ref("budget"), spending_curve="buku",
            financing=ref("financing", "6.1"), financing_paid=ref("financing", "6.2"),
            cash=ref("cash"),
        )  # fmt: skip
        return cls(
            replace(
                city,
                sources={**city.sources, SOURCE: source},
                kpis={each.id: each for each in kpis},
                curves={"buku": CURVE},
                programme=Programme(finance=finance),
            ),
            history,
        )

    def write(self, measure: str, subject: str, values: dict[date, float]) -> None:
        """Settle readings about the months (or days) of some days."""
        rows = []
        for day, value in values.items():
            at = datetime.combine(day, time(), WIB).astimezone(UTC)
            begin, end = span(at, MEASURES[measure].period, WIB)
            rows.append(
                Reading(
                    source_id=SOURCE, measure=measure, subject=subject, subject_name=None,
                    value=value, at=begin, observed_at=end, observed_estimated=False,
                    fetched_at=end, kecamatan=None, kelurahan=None, placed_by="",
                    location_problem="", latitude=None, longitude=None, simulated=True,
                )
            )  # fmt: skip
        facts = Facts(zone=WIB, measures=MEASURES, readings=rows)
        newest = max(each.fetched_at for each in rows)
        self.history.settle(SOURCE, [], [], fetched_at=newest, fence=1, facts=facts)

    def write_year(
        self, measure: str, subject: str, year: int, total: float, months: int = 12
    ) -> None:
        """A year that follows the curve, cumulative month by month."""
        self.write(
            measure,
            subject,
            {
                date(year, month, 1): total * CURVE.share(_month_end(year, month))
                for month in range(1, months + 1)
            },
        )

    def work_out(self, now: datetime, years: int = 1) -> None:
        """Work out the daily facts of all indicators, as the worker does."""
        engine = DailyFacts(self.city, self.history.database)
        last = last_complete_day(now, WIB)
        first = date(last.year - years, 1, 1)
        for kpi in self.city.kpis.values():
            days = engine.compute(kpi, first, last, now)
            self.history.kpis.replace(kpi.id, first, last, days)


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
