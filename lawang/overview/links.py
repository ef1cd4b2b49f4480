"""Where the records behind a number are listed by our own API."""

from __future__ import annotations

from urllib.parse import urlencode

from lawang.city import City
from lawang.domain.formula import (
    IncidentFormula,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
    sources_of,
)
from lawang.domain.kpi import Horizon, Kpi
from lawang.domain.measure import MeasureKind
from lawang.kpi.cells import Days
from lawang.kpi.measured import measure_of
from lawang.overview.model import RecordsLink

_SHARE, _MONEY = "%", "Rp"


def source_names(kpi: Kpi, city: City) -> list[str]:
    """The sources of an indicator that the city has; all of them where it names none."""
    return [name for name in sources_of(kpi.formula) or tuple(city.sources) if name in city.sources]


def is_simulated(kpi: Kpi, city: City) -> bool:
    """Whether any of its sources is a simulated one."""
    return any(city.sources[name].simulated for name in source_names(kpi, city))


def is_of_flow(kpi: Kpi, city: City) -> bool:
    """Whether it is a share of things that are counted as they come, and not of an amount."""
    formula = kpi.formula
    if not isinstance(formula, ReadingRatioFormula) or kpi.unit != _SHARE:
        return False
    under = measure_of(city, formula.denominator)
    return under is not None and under.kind is MeasureKind.FLOW and under.unit != _MONEY


def records_of(kpi: Kpi, horizon: Horizon, city: City) -> list[RecordsLink]:
    """Addresses of the API that list the records of a horizon, one for each source."""
    since, until = Days(horizon.first, horizon.last, city.timezone).bounds
    formula = kpi.formula
    times = {"since": since.isoformat(), "until": until.isoformat()}
    path, further = "", []
    if isinstance(formula, IncidentFormula | ReachedFormula):
        path, further = "/api/v1/incidents", [("category", each) for each in formula.categories]
    elif isinstance(formula, RequestFormula):
        path = "/api/v1/service-requests"
        further = [("service", each) for each in formula.services]
    elif isinstance(formula, ReadingFormula | ReadingRatioFormula):
        parts = (
            (formula,)
            if isinstance(formula, ReadingFormula)
            else (formula.numerator, formula.denominator)
        )
        return [
            RecordsLink(
                source=part.source,
                api=_address("/api/v1/readings", source=part.source, measure=part.measure, **times),
            )
            for part in parts
        ]
    names = source_names(kpi, city)
    if isinstance(formula, QualityFormula):
        return [RecordsLink(source=name, api=f"/api/v1/sources/{name}") for name in names]
    return [
        RecordsLink(source=name, api=_address(path, *further, source=name, **times))
        for name in names
    ]


def _address(path: str, *further: tuple[str, str], **parameters: str) -> str:
    return f"{path}?{urlencode([*parameters.items(), *further])}"
