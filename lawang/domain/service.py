"""Service requests: a letter, a licence, a card that somebody asked an office for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class RequestStatus(StrEnum):
    """Where a request stands. UNKNOWN is a word of the source that its map does not know."""

    SUBMITTED = "diajukan"
    PROCESSING = "diproses"
    RETURNED = "dikembalikan"
    DONE = "selesai"
    REJECTED = "ditolak"
    CANCELLED = "dibatalkan"
    UNKNOWN = "tidak_diketahui"

    @property
    def is_open(self) -> bool:
        """Whether the office still owes an outcome. An unknown status is not known to be one."""
        return self not in (RequestStatus.DONE, RequestStatus.REJECTED, RequestStatus.CANCELLED)


UNKNOWN_SERVICE = "tidak_diketahui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of a source's catalogue, as its file declares it.

    `promise` is how long it may take, in minutes of the clock; `promise_days` in working days; at
    most one of the two is given. `words` are the source's own names or codes for it.
    """

    id: str
    name_id: str
    name_en: str
    words: tuple[str, ...]
    promise: timedelta | None = None
    promise_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One request as a connector's `parse` states it: the source's own words, nothing resolved.

    `closed_at` is when it had an outcome, where the source says. Who asked is never read.
    """

    external_id: str
    service: str | None = None
    service_name: str | None = None
    stage: str | None = None
    status: str | None = None
    office: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    requested_at: datetime | None = None
    updated_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """The current state of one request. `id` is `<source>:<external id>`.

    `service` is an id of the source's catalogue or UNKNOWN_SERVICE; `stage` is the office's own
    word for where it lies. `due_at` is the promise: stated by the source or from the catalogue.
    `closed_at` is None while open, and for one whose outcome came at a time nobody stated.
    """

    id: str
    source_id: str
    external_id: str
    service: str
    service_raw: str | None
    status: RequestStatus
    status_raw: str | None
    stage: str | None
    office: str | None
    kecamatan: str | None
    kelurahan: str | None
    placed_by: str
    location_problem: str
    requested_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    observed_at: datetime
    observed_estimated: bool
    fetched_at: datetime
    simulated: bool

    @property
    def is_open(self) -> bool:
        return self.status.is_open

    @property
    def duration(self) -> timedelta | None:
        """From asking to the outcome; None while there is none, or without a believable time."""
        if self.closed_at is None or self.closed_at < self.requested_at:
            return None
        return self.closed_at - self.requested_at
