"""What a source file may say of its rows: `[fields]`, `[measures]`, `[formats]`, `[personal]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lawang.connector import Options
from lawang.domain.measure import Period
from lawang.mapping.expressions import Expression
from lawang.mapping.formats import Formats

#: Words for the unit in which a column of money or people is written.
FACTORS = {"ribu": 1e3, "juta": 1e6, "miliar": 1e9, "triliun": 1e12}


def _factor(value: object) -> object:
    if isinstance(value, str):
        if value not in FACTORS:
            raise ValueError(f"must be a number or one of {', '.join(FACTORS)}")
        return FACTORS[value]
    return value


Factor = Annotated[float, BeforeValidator(_factor), Field(gt=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fields(_Table):
    """`[fields]`: where in a row each field comes from, as a JMESPath expression.

    What is not named is not read, so a row's personal fields never get further than the answer
    they came in. Which ones a source needs follows from what it yields (`NEEDED`).
    """

    external_id: Expression | None = None
    requested_at: Expression | None = None
    updated_at: Expression | None = None
    due_at: Expression | None = None
    closed_at: Expression | None = None
    verified_at: Expression | None = None
    status: Expression | None = None
    status_note: Expression | None = None
    category: Expression | None = None
    category_name: Expression | None = None
    service: Expression | None = None
    service_name: Expression | None = None
    stage: Expression | None = None
    description: Expression | None = None
    address: Expression | None = None
    agency: Expression | None = None
    media_url: Expression | None = None
    latitude: Expression | None = None
    longitude: Expression | None = None
    region: Expression | None = None
    subject: Expression | None = None
    subject_name: Expression | None = None
    observed_at: Expression | None = None
    kind: Expression | None = None
    name: Expression | None = None
    heading: Expression | None = None
    speed_kmh: Expression | None = None
    link: Expression | None = None
    owner: Expression | None = None
    event: Expression | None = None
    severity: Expression | None = None
    headline: Expression | None = None
    effective_at: Expression | None = None
    expires_at: Expression | None = None
    #: Further plain values of a position, by the name under which they are shown.
    facts: dict[str, Expression] = Field(default_factory=dict)


NEEDED: dict[str, tuple[str, ...]] = {
    "incidents": ("external_id", "requested_at"),
    "service_requests": ("external_id", "requested_at"),
    "readings": ("observed_at",),
    "positions": ("external_id",),
    "alerts": ("external_id", "requested_at", "event"),
}


class MeasureFields(_Table):
    """The part of `[measures.<id>]` that says how its value is read from a row.

    `where` is a JMESPath condition for rows that hold this measure; `value` leads to the number,
    which is multiplied by `factor`. With `aggregate`, the rows of one subject and period make one
    value ("count" needs no `value`): so a list of persons becomes numbers and nobody is kept.
    """

    value: Expression | None = None
    where: Expression | None = None
    factor: Factor = 1.0
    aggregate: Literal["count", "sum", "mean", "min", "max", "last"] | None = None
    period: Period = Period.INSTANT


class Personal(_Table):
    """`[personal]`: keys of a row that are about a person.

    Those in `drop` are removed from every row, at any depth, before anything else looks at it;
    of those in `mask` only that there was something is kept. `keep_ids` says that identities which
    look like a NIK or a telephone number are none.
    """

    drop: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    keep_ids: bool = False


class RowOptions(Options):
    """Base of the options of every protocol that carries rows of any shape."""

    fields: Fields = Field(default_factory=Fields)
    formats: Formats = Field(default_factory=Formats)
    measures: dict[str, MeasureFields] = Field(default_factory=dict)
    personal: Personal = Field(default_factory=Personal)

    def problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """What each kind of record that the source yields still needs."""
        for kind in self.yields:
            for name in NEEDED[kind]:
                if getattr(self.fields, name) is None:
                    yield ("fields", name), f"is missing; a source that yields {kind} needs it"
        if "readings" in self.yields and not self.measures:
            yield ("measures",), "is missing; a source that yields readings needs at least one"
        for name, measure in self.measures.items():
            if measure.value is None and measure.aggregate != "count":
                yield ("measures", name, "value"), "is missing: where in a row does it stand?"
