"""From a department's rows to records, by its source file's own `[fields]`: no code a department.

Protocols that carry rows of any shape (JSON over HTTP, SQL, CSV) differ in how a row is got, not in
what is done with it. Each field of a report names where in a row it comes from, as a JMESPath
expression (jmespath.org): `id`, `lokasi.lat`, `koordinat[1]`, `foto[0].url`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
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
_LONGEST_TIME = 100


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
    # The compiler takes any name for a function; a search with a wrong one would find nothing.
    for name in _functions(_compiled(text).parsed):
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"is no JMESPath expression: there is no function {name}()")
    return text


def _functions(node: Any) -> Iterator[str]:
    """The names of the functions that an expression's tree calls."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _functions(child)


def search(expression: str, document: object) -> Any:
    """What `expression` finds in `document`; None where it finds nothing or does not apply."""
    try:
        return _compiled(expression).search(document)
    # Comparing a text with a number, rounding infinity or a wrong number of arguments raise
    # what Python raises; an expression meets whatever a department wrote.
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError):
        return None


Expression = Annotated[str, Field(min_length=1), AfterValidator(check_expression)]


# What `strptime` knows only in English.
_MONTHS = {
    "januari": "January",
    "februari": "February",
    "pebruari": "February",
    "maret": "March",
    "mei": "May",
    "juni": "June",
    "juli": "July",
    "agustus": "August",
    "agu": "Aug",
    "agt": "Aug",
    "ags": "Aug",
    "sept": "Sep",
    "oktober": "October",
    "okt": "Oct",
    "nopember": "November",
    "nop": "Nov",
    "desember": "December",
    "des": "Dec",
}
_DAYS = {
    "senin": "Monday",
    "selasa": "Tuesday",
    "rabu": "Wednesday",
    "kamis": "Thursday",
    "jumat": "Friday",
    "jum'at": "Friday",
    "sabtu": "Saturday",
    "minggu": "Sunday",
}
_NAMES = _MONTHS | _DAYS
_NAME = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})\b", re.IGNORECASE)
_EXAMPLE = datetime(2026, 11, 21, 20, 15, 30, tzinfo=UTC)


def check_time_form(form: str) -> str:
    """`form` if `strptime` can read a date with it; ValueError if not."""
    try:
        read = datetime.strptime(_EXAMPLE.strftime(form), form)  # noqa: DTZ007 (only its date counts)
    except ValueError:
        raise ValueError("is no form of a time in the letters of strptime") from None
    if read.date() != _EXAMPLE.date():
        raise ValueError("names no full date: year, month and day are needed")
    return form


TimeForm = Annotated[str, AfterValidator(check_time_form)]


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
    further forms in the letters of `strptime`, tried in order, such as "%d/%m/%Y %H.%M". Names of
    months and days are read in Indonesian and in English.
    """

    timezone: ZoneInfo = ZoneInfo("Asia/Jakarta")
    times: tuple[TimeForm, ...] = ()


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
        # Which columns of a list are personal nobody has said, so nothing of it is shown.
        return Reject(reason="bad_record", detail=f"a row is no object but {_name_kind(row)}")
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


def _name_kind(row: object) -> str:
    if row is None:
        return "null"
    kinds = {bool: "true or false", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(row), "a list")


def _time(value: object, formats: Formats) -> datetime | None:
    if isinstance(value, str) and len(value) <= _LONGEST_TIME:
        text = _NAME.sub(lambda found: _NAMES[found[0].lower()], value.strip())
        for form in formats.times:
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 (the zone is added)
            except ValueError:
                continue
            # As ISO, so that placeholders such as 01/01/0001 are told from times in one place.
            if known := read_time(moment.isoformat(), formats.timezone):
                return known
    return read_time(value, formats.timezone)


def _reject(
    reason: str, expression: str, take: Callable[[str], Any], external_id: str | None = None
) -> Reject:
    shown = ("external_id", "requested_at", "updated_at")
    sample = "; ".join(f"{name}: {_show(take(name))}" for name in shown)
    return Reject(
        reason=reason,
        detail=f"{expression!r} is missing or unusable",
        external_id=external_id,
        sample=mask(sample)[:_LONGEST_SAMPLE],
    )


def _show(value: object) -> str:
    """A single value; of an object or a list, which may hold a person, only that it is one."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return read_word(value) or "empty"


def _stand(report: Report) -> datetime:
    return report.updated_at or report.requested_at or datetime.min.replace(tzinfo=UTC)
