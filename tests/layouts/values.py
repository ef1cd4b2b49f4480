"""Values for charts, made up for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from lawang.domain.formula import Across, ReadingFormula, Within
from lawang.domain.kpi import (
    Combine,
    Curve,
    Direction,
    Horizon,
    Kpi,
    KpiValue,
    Light,
    Span,
    Target,
)
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.model import District, Districts, Forecast, Standing

LAST = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 17, tzinfo=UTC)
HOSTILE = '<b>x</b><a href="javascript:alert(1)">'
LINE = Curve("line", (((12, 31), 1.0),), "test")


def kpi(**changed: object) -> Kpi:
    """A share in percent with a target of 90%, more is better."""
    formula = ReadingFormula(
        source="s", measure="m", subjects=(), exclude=(), within=Within.LAST, across=Across.SUM,
        factor=1.0,
    )  # fmt: skip
    given: dict[str, object] = {
        "id": "tepat", "name_id": "Tepat waktu", "name_en": "In time", "definition_id": "d",
        "definition_en": "d", "dimension": "governance", "owner": "opd", "unit": "%",
        "direction": Direction.UP, "combine": Combine.RATIO, "formula": formula,
        "target": Target(level=0.9),
    }  # fmt: skip
    return Kpi(**(given | changed))  # type: ignore[arg-type]


def money() -> Kpi:
    """A sum in rupiah with a year's target of Rp1 T, evenly."""
    return kpi(unit="Rp", combine=Combine.SUM, target=Target(year=1e12, curve=LINE))


def points(
    *values: float | None, last: date = LAST, target: float | None = 0.9
) -> list[TrendPoint]:
    """One point a day up to `last`; None is a day with a fact but no value."""
    first = last - timedelta(days=len(values) - 1)
    return [
        TrendPoint(first + timedelta(days=at), value, target, 10 + at)
        for at, value in enumerate(values)
    ]


def value(amount: float | None, target: float | None = 0.9, **changed: object) -> KpiValue:
    """A value over thirty days."""
    given: dict[str, object] = {
        "kpi": "tepat", "region": "", "horizon": Horizon.ending(Span.MONTH, LAST),
        "value": amount, "target": target,
        "score": None if amount is None or target is None else amount / target,
        "light": Light.GREEN, "grey": None, "n": 40, "observed_at": AT,
    }  # fmt: skip
    return KpiValue(**(given | changed))  # type: ignore[arg-type]


def district(
    name: str, amount: float | None, low: float | None, high: float | None, standing: Standing
) -> District:
    return District(
        code=name.lower(), name=name, value=value(amount), low=low, high=high, standing=standing
    )


def districts() -> Districts:
    return Districts(
        kpi="tepat",
        choices=("tepat",),
        city=value(0.85),
        rows=(
            district("Sukarami", 0.6, 0.5, 0.7, Standing.WORSE),
            district("Plaju", 0.97, 0.93, 0.99, Standing.BETTER),
            district("Kalidoni", 0.84, 0.7, 0.93, Standing.SAME),
            district("Gandus", 1.0, 0.4, 1.0, Standing.FEW),
            district("Kemuning", None, None, None, Standing.FEW),
        ),
        unplaced=7,
    )


def forecast() -> Forecast:
    return Forecast(
        value=0.95e12, low=0.9e12, high=1.02e12, level=0.8, method="past_years", years=2,
        reached=0.8e12, until=date(2026, 10, 31), target=1e12,
    )  # fmt: skip
