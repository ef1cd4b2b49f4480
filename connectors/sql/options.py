"""What a source file may say when its department's data is read from a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from sqlalchemy import URL

from connectors.sql.address import read_address
from connectors.sql.statement import LIMIT, SINCE, check_query, parameters_of
from lawang.domain.measure import Period
from lawang.mapping import RowOptions


def _check_address(secret: SecretStr) -> SecretStr:
    read_address(secret.get_secret_value())
    return secret


Query = Annotated[str, Field(min_length=1), AfterValidator(check_query)]
Address = Annotated[SecretStr, AfterValidator(_check_address)]


class SqlOptions(RowOptions):
    """One query of one database. The README beside this file explains each for integrators."""

    url: Address = Field(description="The database's address.")
    user: str = Field("", description="Who asks, where the address does not say it.")
    password: SecretStr | None = Field(None, description="Its password.")
    query: Query = Field(description="One SELECT or WITH, with parameters written :name.")
    parameters: dict[str, str | int | float | bool] = Field(
        default_factory=dict, repr=False, description="Values of the query's own parameters."
    )
    since_form: Literal["time", "date", "epoch", "epoch_ms"] = Field(
        "time", description="What :since is: a local time or date, or seconds since 1970."
    )
    overlap_s: int = Field(
        600, ge=0, le=31 * 86_400, description="How far before the newest change :since lies."
    )
    first_days: int | None = Field(
        None, ge=0, le=36_525, description="How far back the first poll reads."
    )
    batch: int = Field(1_000, ge=1, le=50_000, description="The most rows of one answer.")
    max_rows: int = Field(
        100_000, ge=1, le=5_000_000, description="The most rows that one poll reads."
    )

    @property
    def is_incremental(self) -> bool:
        """Whether the query asks for what has changed, rather than for all there is."""
        return SINCE in parameters_of(self.query)

    @property
    def gathers(self) -> bool:
        """Whether several rows make one value, so that they must arrive together."""
        return any(measure.aggregate is not None for measure in self.measures.values())

    def address(self) -> URL:
        """The address with user and password in it, for SQLAlchemy alone."""
        url = read_address(self.url.get_secret_value())
        if self.user:
            url = url.set(username=self.user)
        if self.password is not None and self.password.get_secret_value():
            url = url.set(password=self.password.get_secret_value())
        return url

    def problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Mistakes of fields and measures, and parameters that do not agree with the query."""
        yield from super().problems()
        asked = parameters_of(self.query)
        for name in sorted(self.parameters):
            if name in (SINCE, LIMIT):
                yield ("connection", "parameters", name), "is given by the connector itself"
            elif name not in asked:
                yield (
                    ("connection", "parameters", name),
                    f"is not in the query, which has no :{name}",
                )
        for name in sorted(asked - set(self.parameters) - {SINCE, LIMIT}):
            problem = f"names :{name}, which [connection.parameters] does not give"
            yield ("connection", "query"), problem
        if SINCE in asked:
            yield from self._part_of_a_period()

    def _part_of_a_period(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Values gathered from only those rows of a period that changed would be too small."""
        whole_days = self.since_form == "date"
        for name, measure in self.measures.items():
            short = measure.period in (Period.INSTANT, Period.HOUR, Period.DAY)
            if measure.aggregate is not None and not (whole_days and short):
                yield (
                    ("measures", name, "aggregate"),
                    "needs all rows of its period: leave :since out of the query, gather in the "
                    'query itself, or for a day or less use since_form = "date"',
                )
