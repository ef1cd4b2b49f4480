"""What a check found, as values; counts are of records, instants aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lawang.connector import Shape
from lawang.domain.alert import Alert
from lawang.domain.errors import SourceError
from lawang.domain.incident import Incident, Reject
from lawang.domain.measure import Reading
from lawang.domain.position import Position
from lawang.domain.service import ServiceRequest

#: Any settled record.
Record = Incident | Reading | Position | ServiceRequest | Alert


@dataclass(frozen=True, slots=True)
class FieldUse:
    """How one field of a record was filled: in what share of records (0 to 1), and with what.

    `expression` is that of `[fields]`, or None where the protocol itself says where it stands.
    """

    name: str
    expression: str | None
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureUse:
    """What one measure brought. Values are in its base unit.

    `expression`, `where`, `factor` and `aggregate` are those of `[measures]`, None where they are
    not stated. `held` counts the readings that would be held back, by the kind of finding, and
    `held_examples` say of which and why; `judged` tells of how many subjects enough was known to
    see a jump.
    """

    name: str
    title: str
    unit: str
    expression: str | None
    where: str | None
    factor: float | None
    aggregate: str | None
    readings: int
    subjects: int
    least: float | None
    greatest: float | None
    newest: datetime | None
    held: dict[str, int]
    held_examples: tuple[str, ...]
    judged: int


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """How many requests were found to be for one service, and how many have a promised time."""

    name: str
    title: str
    requests: int
    promised: int


@dataclass(frozen=True, slots=True)
class AlertsFound:
    """Messages by what they mean here: in force now, and touching the city."""

    messages: int
    in_force: int
    touching: int
    areas_not_found: dict[str, int]


@dataclass(frozen=True, slots=True)
class PersonalKeys:
    """Keys about persons that rows have, as paths.

    `dropped` and `masked` are named in `[personal]`; `unread` are not, but nothing reads them;
    `read` look as if they were about a person and are read all the same.
    """

    dropped: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check found.

    `records` are all that arrived, `usable` those that would be stored and counted; `rejects` go
    to quarantine, `held` readings wait for a person. `counts` are settled records by kind. Words
    with their counts are most frequent first, and "" stands for no word at all.

    `may_be_empty`: no record is no fault (no warning is good news, a stream may be quiet).
    `history` says why values could not be compared with what is stored, "" if they were.
    """

    source_id: str
    yields: tuple[str, ...]
    pages: int
    size_bytes: int
    content_types: tuple[str, ...]
    elapsed_s: float
    waits_s: tuple[float, ...]
    simulated: bool
    error: SourceError | None
    may_be_empty: bool
    records: int
    usable: int
    held: int
    distinct: int
    repeated: int
    counts: dict[str, int]
    reject_reasons: dict[str, int]
    rejects: tuple[Reject, ...]
    fields: tuple[FieldUse, ...]
    measures: tuple[MeasureUse, ...]
    services: tuple[ServiceUse, ...]
    alerts: AlertsFound | None
    kinds_of_thing: dict[str, int]
    personal: PersonalKeys
    shape: Shape
    first: tuple[Record, ...]
    placed_by: dict[str, int]
    location_problems: dict[str, int]
    places_not_found: dict[str, int]
    unknown_categories: dict[str, int]
    unknown_statuses: dict[str, int]
    unknown_services: dict[str, int]
    oldest: datetime | None
    newest: datetime | None
    newest_change: datetime | None
    in_future: int
    without_change_time: int
    history: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def is_good(self) -> bool:
        """Whether what arrived can be used, all of it.

        Nothing at all proves nothing, except of a source that may rightly be empty.
        """
        if self.error is not None or self.usable != self.records:
            return False
        return self.records > 0 or self.may_be_empty
