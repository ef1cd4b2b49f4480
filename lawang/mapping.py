"""From a department's rows to records, by its source file's own `[fields]`: no code a department.

Protocols that carry rows of any shape (JSON over HTTP, SQL, CSV) differ in how a row is got, not in
what is done with it. Each field of a report names where in a row it comes from, as a JMESPath
expression (jmespath.org): `id`, `lokasi.lat`, `koordinat[1]`, `foto[0].url`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lawang.connector import Parsed
from lawang.domain.incident import Reject, Report
from lawang.domain.privacy import mask
from lawang.domain.values import (
    read_degrees,
    read_identity,
    read_link,
    read_text,
    read_time,
    read_word,
)

_LONGEST_SAMPLE = 200
_LONGEST_ADDRESS = 500


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def check_expression(text: str) -> str:
    """`text` if it is a JMESPath expression; ValueError with where it breaks if not."""
    try:
        _compiled(text)
    except JMESPathError as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"is no JMESPath expression: {first}") from None
    return text


def search(expression: str, document: object) -> Any:
    """What `expression` finds in `document`; None where it finds nothing or does not apply."""
    try:
        return _compiled(expression).search(document)
    except JMESPathError:
        return None


Expression = Annotated[str, Field(min_length=1), AfterValidator(check_expression)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportFields(_Table):
    """`[fields]` of a source that yields incidents: where in a row each field comes from.

    `external_id` and `requested_at` have to be there; what is not named is not read, so a row's
    personal fields never get further than the answer they came in.
    """

    external_id: Expression
    requested_at: Expression
    updated_at: Expression | None = None
    due_at: Expression | None = None
    status: Expression | None = None
    status_note: Expression | None = None
    category: Expression | None = None
    category_name: Expression | None = None
    description: Expression | None = None
    address: Expression | None = None
    agency: Expression | None = None
    media_url: Expression | None = None
    latitude: Expression | None = None
    longitude: Expression | None = None
    region: Expression | None = None


class Formats(_Table):
    """`[formats]`: how the department writes times.

    ISO 8601 and seconds or milliseconds since 1970 are understood by themselves; `times` lists
    further forms in the letters of `strptime`, tried in order, such as "%d/%m/%Y %H.%M".
    """

    timezone: ZoneInfo = ZoneInfo("Asia/Jakarta")
    times: tuple[str, ...] = ()


def map_reports(rows: Sequence[object], fields: ReportFields, formats: Formats) -> Parsed:
    """Reports and rejects of some rows; of an id that occurs twice the newest state is kept.

    Pure, and never raises for a row. A row that is no object, or without a usable id or time of
    report, is a reject; its sample holds the id and the times, nothing that a citizen wrote.
    """
    reports: dict[str, Report] = {}
    rejects: list[Reject] = []
    newest: datetime | None = None
    for row in rows:
        made = _make(row, fields, formats)
        if isinstance(made, Reject):
            rejects.append(made)
            continue
        if made.updated_at is not None:
            newest = made.updated_at if newest is None else max(newest, made.updated_at)
        known = reports.get(made.external_id)
        if known is None or _stand(made) >= _stand(known):
            reports.pop(made.external_id, None)
            reports[made.external_id] = made
    return Parsed(list(reports.values()), rejects, newest)


def _make(row: object, fields: ReportFields, formats: Formats) -> Report | Reject:
    if not isinstance(row, dict):
        sample = mask(read_text(row) or "null")[:_LONGEST_SAMPLE]
        return Reject(reason="bad_record", detail="a row is no object", sample=sample)
    take = _taker(row, fields)
    external_id = read_identity(take("external_id"))
    if external_id is None:
        return _reject("no_id", fields.external_id, take)
    requested_at = _time(take("requested_at"), formats)
    if requested_at is None:
        return _reject("bad_time", fields.requested_at, take, external_id)
    return Report(
        external_id=external_id,
        status=read_word(take("status")),
        status_note=read_text(take("status_note")),
        category=read_word(take("category")),
        category_name=read_word(take("category_name")),
        description=read_text(take("description")) or "",
        address=read_text(take("address"), _LONGEST_ADDRESS),
        agency=read_word(take("agency")),
        media_url=read_link(take("media_url")),
        latitude=read_degrees(take("latitude")),
        longitude=read_degrees(take("longitude")),
        region=read_word(take("region")),
        requested_at=requested_at,
        updated_at=_time(take("updated_at"), formats),
        due_at=_time(take("due_at"), formats),
    )


def _taker(row: dict[str, Any], fields: ReportFields) -> Callable[[str], Any]:
    def take(name: str) -> Any:
        expression = getattr(fields, name)
        return None if expression is None else search(expression, row)

    return take


def _time(value: object, formats: Formats) -> datetime | None:
    if isinstance(value, str):
        for form in formats.times:
            try:
                moment = datetime.strptime(value.strip(), form)  # noqa: DTZ007 (zone is added)
            except ValueError:
                continue
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=formats.timezone)
            return zoned.astimezone(UTC)
    return read_time(value, formats.timezone)


def _reject(
    reason: str, expression: str, take: Callable[[str], Any], external_id: str | None = None
) -> Reject:
    shown = ("external_id", "requested_at", "updated_at")
    sample = "; ".join(f"{name}: {read_word(take(name)) or 'empty'}" for name in shown)
    return Reject(
        reason=reason,
        detail=f"{expression!r} is missing or unusable",
        external_id=external_id,
        sample=mask(sample)[:_LONGEST_SAMPLE],
    )


def _stand(report: Report) -> datetime:
    return report.updated_at or report.requested_at or datetime.min.replace(tzinfo=UTC)
