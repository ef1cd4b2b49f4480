"""What one answer came to, settled: everything that is stored together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from lawang.domain.alert import Alert
from lawang.domain.finding import NewFinding
from lawang.domain.incident import Incident, Reject
from lawang.domain.measure import Measure, Reading
from lawang.domain.position import Position
from lawang.domain.service import ServiceRequest


@dataclass(slots=True)
class Facts:
    """One answer, settled. `measures` and `zone` are what its readings are judged by.

    `unknown` counts records without a known region, category, service or status; `skewed` those
    with a time ahead of ours. Where `delivery` is named, readings that an earlier delivery of that
    name brought and this one lacks are withdrawn.
    """

    zone: ZoneInfo
    measures: Mapping[str, Measure] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    requests: list[ServiceRequest] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    findings: list[NewFinding] = field(default_factory=list)
    delivery: str | None = None
    skewed: int = 0
    unknown: int = 0

    @property
    def records(self) -> int:
        """How many records were settled, without the rejects."""
        return (
            len(self.incidents)
            + len(self.readings)
            + len(self.positions)
            + len(self.alerts)
            + len(self.requests)
        )
