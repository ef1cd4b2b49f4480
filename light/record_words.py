"""How a record behind a number is said: what it is about, where it stands, where it is."""

from __future__ import annotations

from datetime import timedelta

from lawang.city import City
from lawang.domain.incident import Status
from lawang.domain.kpi import Direction, Kpi
from lawang.domain.maturity import Reason, Stage
from lawang.overview.behind import BehindRow, RecordKind
from layouts import formats, maturity
from light.terms import Terms


class RecordWords:
    """Words for records and rules of one city, in one language."""

    def __init__(self, city: City, terms: Terms) -> None:
        self._city = city
        self._fmt = terms
        self._places = {each.code: each.name for each in city.kecamatan}

    def what(self, row: BehindRow) -> str:
        """The category, the service or the measure; as the source says it where we do not know."""
        if row.kind is RecordKind.INCIDENT:
            category = self._city.categories.get(row.what)
            return self._fmt.name(category) if category else self._fmt.say("unknown category")
        if row.kind is RecordKind.READING:
            source = self._city.sources.get(row.source)
            measure = source.measures.get(row.what) if source else None
            name = self._fmt.name(measure) if measure else row.what
            return f"{name}: {row.subject}" if row.subject else name
        source = self._city.sources.get(row.source)
        service = source.services.get(row.what) if source else None
        return self._fmt.name(service) if service else self._fmt.say("unknown service")

    def figure(self, row: BehindRow) -> str:
        """The value of a reading with its unit."""
        unit = "" if row.unit == "1" else row.unit
        if unit.casefold() in ("rp", "idr", "rupiah"):
            return formats.rupiah(row.value, self._fmt.language)
        if row.value is None:
            return formats.MISSING
        shown = formats.plain(row.value, self._fmt.language)
        return f"{shown}\u202f{unit}" if unit else shown

    def status(self, row: BehindRow) -> str:
        """Where an incident or a request stands."""
        say = self._fmt.say
        if row.kind is RecordKind.REQUEST:
            return self._fmt.request(row.status)
        if row.kind is RecordKind.READING:
            return say("held back") if row.held else say("counts")
        return {
            Status.WAITING.value: lambda: say("Waiting"),
            Status.COORDINATION.value: lambda: say("Coordination"),
            Status.DISPOSITION.value: lambda: say("Disposition"),
            Status.IN_PROGRESS.value: lambda: say("In progress"),
            Status.DONE.value: lambda: say("Done"),
            Status.RETURNED.value: lambda: say("Returned"),
            Status.REJECTED.value: lambda: say("Rejected"),
        }.get(row.status, lambda: say("Unknown status"))()

    def place(self, row: BehindRow) -> str:
        """The name of its kecamatan."""
        return self._places.get(row.kecamatan or "", formats.MISSING)

    def better(self, kpi: Kpi) -> str:
        """Which way is better."""
        say = self._fmt.say
        return say("more is better") if kpi.direction is Direction.UP else say("less is better")

    def due(self, kpi: Kpi) -> str:
        """How often new data is to come."""
        say = self._fmt.say
        return {
            "hour": lambda: say("every hour"),
            "day": lambda: say("every day"),
            "week": lambda: say("every week"),
            "month": lambda: say("every month"),
            "quarter": lambda: say("every quarter"),
            "year": lambda: say("every year"),
        }.get(kpi.due, lambda: kpi.due)()

    def age(self, seconds: float) -> str:
        """How old something is."""
        return self._fmt.age(timedelta(seconds=seconds))

    def rule(self, stage: Stage) -> str:
        """What makes a department stand on a stage."""
        return maturity.rule_text(self._fmt.say, stage)

    def reason(self, reason: Reason) -> str:
        """Why a department stands where it stands."""
        return maturity.reason_text(self._fmt.say, reason)

    def milestone(self, identity: str) -> str:
        """The name of a step of the masterplan."""
        found = next((m for m in self._city.programme.milestones if m.id == identity), None)
        return self._fmt.name(found) if found else identity
