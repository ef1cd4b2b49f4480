"""A desk for known answers: a source of one's own, records by hand, and the engine's answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lawang.city import City
from lawang.domain.facts import Facts
from lawang.domain.formula import Formula
from lawang.domain.incident import Incident, Status
from lawang.domain.kpi import Combine, Curve, Daily, Direction, Kpi, KpiValue, Span, Target
from lawang.domain.measure import Measure, MeasureKind, Period, Reading, span
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.kpi.cells import last_complete_day
from lawang.kpi.daily import DailyFacts
from lawang.kpi.evaluate import Evaluator
from lawang.store.history import History
from lawang.store.kpis import KpiStore
from tests.conftest import build_incident

WIB = ZoneInfo("Asia/Jakarta")
SOURCE = "uji"
#: A tenth of the year in January and in February, three in March, four by the end of June, ...
CURVE = Curve(
    "uji",
    tuple(
        ((month, 0), share)
        for month, share in enumerate(
            (0.1, 0.2, 0.5, 0.6, 0.7, 0.9, 0.92, 0.94, 0.95, 0.96, 0.98, 1.0), 1
        )
    ),
    "uji",
)
_KINDS = (
    ("flow", MeasureKind.FLOW, Period.DAY, None),
    ("week", MeasureKind.FLOW, Period.WEEK, None),
    ("month", MeasureKind.FLOW, Period.MONTH, None),
    ("total", MeasureKind.CUMULATIVE, Period.DAY, Period.YEAR),
    ("month_total", MeasureKind.CUMULATIVE, Period.MONTH, Period.YEAR),
    ("level", MeasureKind.GAUGE, Period.INSTANT, None),
    ("stock", MeasureKind.STOCK, Period.DAY, None),
    ("all_of", MeasureKind.STOCK, Period.DAY, None),
    ("some_of", MeasureKind.STOCK, Period.DAY, None),
    ("asked", MeasureKind.FLOW, Period.DAY, None),
    ("done", MeasureKind.FLOW, Period.DAY, None),
)
MEASURES = {
    name: Measure(
        id=name, name_id=name, name_en=name, unit="", kind=kind, period=period, resets=resets,
        jump=100.0,
    )
    for name, kind, period, resets in _KINDS
}  # fmt: skip


def wib(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    """An instant by the city's clock."""
    return datetime(year, month, day, hour, minute, tzinfo=WIB).astimezone(UTC)


def after(day: date) -> datetime:
    """Nine in the morning of the next day: `day` is the last complete one."""
    return datetime.combine(day + timedelta(days=1), time(9), WIB).astimezone(UTC)


def indicator(formula: Formula, **changes: Any) -> Kpi:
    """An up-is-better ratio without a target; keywords replace fields."""
    values: dict[str, Any] = {
        "id": "uji",
        "name_id": "Uji",
        "name_en": "Trial",
        "definition_id": "",
        "definition_en": "",
        "dimension": "services",
        "owner": "bapenda",
        "unit": "",
        "direction": Direction.UP,
        "combine": Combine.RATIO,
        "formula": formula,
        "target": None,
        **changes,
    }
    return Kpi(**values)


def yearly(amount: float) -> Target:
    """An amount of any year, spread by `CURVE`."""
    return Target(year=amount, curve=CURVE)


@dataclass
class Desk:
    """History with records put in by hand, and what the engine says of them."""

    city: City
    history: History

    @classmethod
    def of(cls, city: City, history: History) -> Desk:
        """A desk whose city has one source more, by the id `SOURCE`."""
        source = replace(city.sources["pbb"], id=SOURCE, name="Uji", measures=MEASURES)
        return cls(replace(city, sources={**city.sources, SOURCE: source}), history)

    def tell_verifications(self) -> None:
        """Let the desk's source be one that says when a closing was verified."""
        source = replace(
            self.city.sources[SOURCE], connection={"fields": {"verified_at": "diverifikasi"}}
        )
        self.city = replace(self.city, sources={**self.city.sources, SOURCE: source})

    # --- records ---------------------------------------------------------------------------------

    def read(
        self,
        measure: str,
        values: dict[Any, float],
        subject: str = "a",
        kecamatan: str | None = "16.71.06",
        fetched_at: datetime | None = None,
    ) -> None:
        """Settle readings as one answer: by local day, or by instant."""
        rows = [
            self._reading(measure, at, value, subject, kecamatan, fetched_at)
            for at, value in values.items()
        ]
        facts = Facts(zone=WIB, measures=MEASURES, readings=rows)
        newest = max(each.fetched_at for each in rows)
        self.history.settle(SOURCE, [], [], fetched_at=newest, fence=1, facts=facts)

    def _reading(
        self,
        measure: str,
        moment: date | datetime,
        value: float,
        subject: str,
        kecamatan: str | None,
        fetched_at: datetime | None,
    ) -> Reading:
        if isinstance(moment, datetime):
            at = moment
        else:
            at = datetime.combine(moment, time(), WIB).astimezone(UTC)
        begin, end = span(at, MEASURES[measure].period, WIB)
        fetched = fetched_at or end
        return Reading(
            source_id=SOURCE,
            measure=measure,
            subject=subject,
            subject_name=None,
            value=value,
            at=begin,
            observed_at=min(end, fetched),
            observed_estimated=False,
            fetched_at=fetched,
            kecamatan=kecamatan,
            kelurahan=None,
            placed_by="code",
            location_problem="",
            latitude=None,
            longitude=None,
            simulated=True,
        )

    def tell(self, *incidents: Incident) -> None:
        """Settle states of incidents, each as an answer of its own."""
        for each in incidents:
            self.history.settle(each.source_id, [each], [], fetched_at=each.fetched_at, fence=1)

    def ask(self, *requests: ServiceRequest) -> None:
        """Settle service requests."""
        newest = max(each.fetched_at for each in requests)
        facts = Facts(zone=WIB, requests=list(requests))
        self.history.settle(SOURCE, [], [], fetched_at=newest, fence=1, facts=facts)

    # --- answers ---------------------------------------------------------------------------------

    def facts(self, kpi: Kpi, first: date, last: date, now: datetime | None = None) -> list[Daily]:
        """All daily facts of a stretch of days, of the city and the kecamatan."""
        engine = DailyFacts(self.city, self.history.database)
        return engine.compute(kpi, first, last, now or after(last))

    def by_day(
        self, kpi: Kpi, first: date, last: date, region: str = ""
    ) -> dict[date, tuple[float, float, int]]:
        """num, den and n of each day that is known."""
        return {
            each.day: (each.num, each.den, each.n)
            for each in self.facts(kpi, first, last)
            if each.region == region
        }

    def value(
        self,
        kpi: Kpi,
        span_: Span,
        now: datetime,
        since: date | None = None,
        kecamatan: str = "",
    ) -> KpiValue:
        """One value by the whole way: facts, store, totals, evaluation."""
        store = KpiStore(self.history.database)
        last = last_complete_day(now, WIB)
        first = since or last - timedelta(days=400)
        store.replace(kpi.id, first, last, self.facts(kpi, first, last, now))
        evaluator = Evaluator(self.city, store)
        horizon = evaluator.horizon(span_, now)
        if kecamatan:
            return evaluator.by_kecamatan(kpi, horizon, now)[kecamatan]
        return evaluator.value(kpi, horizon, now)

    def values(self, kpi: Kpi, now: datetime, since: date | None = None) -> dict[Span, KpiValue]:
        """All five horizons."""
        return {each: self.value(kpi, each, now, since) for each in Span}


def days(first: date, count: int) -> Iterable[date]:
    """`count` days from `first` on."""
    return (first + timedelta(days=number) for number in range(count))


def report(number: str, asked: datetime, **changes: Any) -> Incident:
    """A waiting report of the desk's source, due after a day."""
    values: dict[str, Any] = {
        "source_id": SOURCE,
        "external_id": number,
        "requested_at": asked,
        "due_at": asked + timedelta(days=1),
        **changes,
    }
    return build_incident(**values)


def moved(incident: Incident, status: Status, at: datetime) -> Incident:
    """The same report later on."""
    return replace(
        incident,
        status=status,
        observed_at=at,
        fetched_at=at + timedelta(seconds=5),
        closed_at=None if status.is_open else at,
    )


def letter(
    number: str,
    asked: datetime,
    minutes: float | None,
    status: RequestStatus = RequestStatus.DONE,
    promise: float | None = 10,
    **changes: Any,
) -> ServiceRequest:
    """A letter with an outcome after so many minutes (None: none yet), promised within ten."""
    closed = None if minutes is None else asked + timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "id": f"{SOURCE}:{number}",
        "source_id": SOURCE,
        "external_id": number,
        "service": "domisili",
        "service_raw": None,
        "status": status if closed is not None else RequestStatus.SUBMITTED,
        "status_raw": None,
        "stage": None,
        "office": None,
        "kecamatan": "16.71.06",
        "kelurahan": None,
        "placed_by": "code",
        "location_problem": "",
        "requested_at": asked,
        "due_at": None if promise is None else asked + timedelta(minutes=promise),
        "closed_at": closed,
        "observed_at": closed or asked,
        "observed_estimated": False,
        "fetched_at": closed or asked,
        "simulated": True,
        **changes,
    }
    return ServiceRequest(**values)
