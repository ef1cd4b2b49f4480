"""What a source's file declares of its measures and services: `[measures.*]` and `[services.*]`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator

from lawang.city.toml import Table
from lawang.domain.measure import Measure, MeasureKind, Period
from lawang.domain.service import Service

_Text = Annotated[str, Field(min_length=1)]
#: A thousand times is the slip between juta and miliar; half-way there nothing grows in one step.
_USUAL_JUMP = 100.0
#: How a value is read from a row; the rest says what it means.
_READING_KEYS = ("value", "where", "factor", "aggregate")


class MeasureTable(Table):
    """`[measures.<id>]`: what it is called and means, and how rows carry it.

    `expected` is [least, greatest]; `jump` the factor off its own history at which a value is held
    back (0: never), by default 100 for everything but gauges, which may leap. `forecast` measures
    are about times to come, which is a fault in all others.
    """

    name_id: _Text
    name_en: _Text
    unit: str = ""
    kind: MeasureKind = MeasureKind.GAUGE
    period: Period = Period.INSTANT
    expected: tuple[float, float] | None = None
    jump: float | None = Field(None, ge=0, allow_inf_nan=False)
    resets: Period | None = None
    forecast: bool = False
    value: str | None = None
    where: str | None = None
    factor: float | str | None = None
    aggregate: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> MeasureTable:
        if self.expected is not None and self.expected[0] >= self.expected[1]:
            raise ValueError("expected must be [least, greatest]")
        if self.jump is not None and 0 < self.jump <= 1:
            raise ValueError("jump must be more than 1, or 0 for never")
        if self.resets is not None and self.kind is not MeasureKind.CUMULATIVE:
            raise ValueError("resets belongs to a cumulative measure")
        if self.resets in (Period.INSTANT, Period.HOUR):
            raise ValueError("resets must be day, week, month or year")
        return self

    def measure(self, name: str) -> Measure:
        """The measure as the rest of the program knows it."""
        usual = None if self.kind is MeasureKind.GAUGE else _USUAL_JUMP
        return Measure(
            id=name,
            name_id=self.name_id,
            name_en=self.name_en,
            unit=self.unit,
            kind=self.kind,
            period=self.period,
            expected=self.expected or (None, None),
            jump=usual if self.jump is None else self.jump or None,
            resets=self.resets,
            forecast=self.forecast,
        )

    def mapping(self) -> dict[str, Any]:
        """What a connector of rows needs of it; empty where no row is spoken of."""
        stated = {key: getattr(self, key) for key in _READING_KEYS}
        found = {key: value for key, value in stated.items() if value is not None}
        return {**found, "period": self.period} if found else {}


class ServiceTable(Table):
    """`[services.<id>]`: a service, the source's words for it, and what was promised."""

    name_id: _Text
    name_en: _Text
    words: list[_Text] = Field(default_factory=list)
    promise_minutes: float | None = Field(None, gt=0, allow_inf_nan=False)
    promise_days: int | None = Field(None, gt=0, le=365)

    @model_validator(mode="after")
    def _promises_once(self) -> ServiceTable:
        if self.promise_minutes is not None and self.promise_days is not None:
            raise ValueError("give promise_minutes or promise_days (working days), not both")
        return self

    def service(self, name: str) -> Service:
        """The service as the rest of the program knows it; its own id is a word for it too."""
        minutes = self.promise_minutes
        return Service(
            id=name,
            name_id=self.name_id,
            name_en=self.name_en,
            words=tuple(word.casefold() for word in (*self.words, name)),
            promise=None if minutes is None else timedelta(minutes=minutes),
            promise_days=self.promise_days,
        )
