"""How values are said on the mayor's pages, in one language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Protocol

from lawang.city import City
from lawang.domain.health import Health
from lawang.domain.kpi import Dimension, Grey, Kpi, KpiValue, Light, Span
from lawang.domain.maturity import Stage
from lawang.domain.service import RequestStatus
from lawang.overview.model import MilestoneState, OverdueKind, Standing
from layouts import formats, maturity
from layouts.lights import light_word
from layouts.words import Words, words

#: The unit of indicators that are shares.
_SHARE = "%"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


class _Named(Protocol):
    @property
    def name_id(self) -> str: ...

    @property
    def name_en(self) -> str: ...


class Terms:
    """Words and numbers of one language. Days are the city's, instants are aware."""

    def __init__(self, city: City, language: str) -> None:
        self._city = city
        self.say: Words = words(language, "mayor")
        self.language = self.say.language

    # --- numbers ---------------------------------------------------------------------------------

    def score(self, value: float | None) -> str:
        return formats.score(value, self.language)

    def signed(self, value: float | None, digits: int = 2) -> str:
        return formats.signed(value, self.language, digits)

    def number(self, value: float | None, digits: int = 0) -> str:
        return formats.number(value, self.language, digits)

    def percent(self, share: float | None, digits: int = 1) -> str:
        return formats.percent(share, self.language, digits)

    def rupiah(self, value: float | None) -> str:
        return formats.rupiah(value, self.language)

    def figure(self, value: float | None, kpi: Kpi) -> str:
        """A value in the indicator's unit."""
        return formats.figure(value, kpi.unit_in(self.language), self.language)

    # --- time ------------------------------------------------------------------------------------

    def day(self, value: date | None) -> str:
        return formats.day(value, self.language)

    def long_day(self, value: date) -> str:
        return formats.long_day(value, self.language)

    def days(self, first: date, last: date) -> str:
        """A stretch of days, the year said once where it is one: 23 Okt – 21 Nov 2026."""
        begin = self.day(first)
        if first.year == last.year:
            begin = begin.removesuffix(f" {first.year}")
        return f"{begin} – {self.day(last)}" if first != last else self.day(last)

    def moment(self, value: datetime | None) -> str:
        return formats.moment(value, self.language, self._city.timezone)

    def clock(self, value: datetime) -> str:
        return formats.clock(value, self.language, self._city.timezone)

    def local_day(self, value: datetime | None) -> str:
        """The day of an instant in the city's own time."""
        return self.day(value.astimezone(self._city.timezone).date() if value else None)

    def last_day(self, value: datetime | None) -> str:
        """The day that a figure is true of: one as of midnight tells of the day that ended then."""
        return self.local_day(value - timedelta(microseconds=1) if value else None)

    def age(self, value: timedelta | None) -> str:
        """How old something is, in its largest whole unit."""
        say = self.say
        if value is None:
            return formats.MISSING
        seconds = max(0, int(value.total_seconds()))
        if seconds >= _DAY_S:
            return say("{n} d", n=seconds // _DAY_S)
        if seconds >= _HOUR_S:
            return say("{n} h", n=seconds // _HOUR_S)
        return say("{n} min", n=max(1, seconds // _MINUTE_S))

    # --- names -----------------------------------------------------------------------------------

    def name(self, thing: _Named) -> str:
        """The name in this language of an indicator, a dimension or a milestone."""
        return thing.name_id if self.language == "id" else thing.name_en

    def definition(self, kpi: Kpi) -> str:
        return kpi.definition_id if self.language == "id" else kpi.definition_en

    def opd(self, identity: str) -> str:
        """The short name of a department, or what was given where it is none of the pack's."""
        found = self._city.opds.get(identity)
        return found.name if found else identity

    def source(self, identity: str) -> str:
        found = self._city.sources.get(identity)
        return found.name if found else identity

    def sources(self, identities: Iterable[str]) -> str:
        return ", ".join(self.source(each) for each in identities)

    def dimension(self, identity: str) -> str:
        found: Dimension | None = self._city.dimensions.get(identity)
        return self.name(found) if found else identity

    # --- states ----------------------------------------------------------------------------------

    def light(self, light: Light) -> str:
        return light_word(light, self.say)

    def unjudged(self, kpi: Kpi) -> str:
        """Why no kecamatan is called better or worse in an amount or a state."""
        if kpi.unit == _SHARE:
            return self.say(
                "A state of one day, counted in full: the kecamatan are shown, not judged."
            )
        return self.say("Amounts of kecamatan are not judged, as they differ in size.")

    def grey(self, reason: Grey | None) -> str:
        """Why a value has no say."""
        say = self.say
        if reason is None:
            return ""
        return {
            Grey.NO_DATA: lambda: say("no data"),
            Grey.STALE: lambda: say("data too old"),
            Grey.FEW: lambda: say("too few records"),
            Grey.NO_TARGET: lambda: say("no target"),
        }[reason]()

    def span(self, span: Span) -> str:
        say = self.say
        return {
            Span.DAY: lambda: say("Day"),
            Span.WEEK: lambda: say("7 days"),
            Span.MONTH: lambda: say("30 days"),
            Span.QUARTER: lambda: say("91 days"),
            Span.YEAR: lambda: say("Year"),
        }[span]()

    def span_before(self, span: Span) -> str:
        """What a horizon is compared with."""
        say = self.say
        return {
            Span.DAY: lambda: say("the day before"),
            Span.WEEK: lambda: say("the 7 days before"),
            Span.MONTH: lambda: say("the 30 days before"),
            Span.QUARTER: lambda: say("the 91 days before"),
            Span.YEAR: lambda: say("last year to the same date"),
        }[span]()

    def health(self, health: Health) -> str:
        say = self.say
        return {
            Health.NEVER: lambda: say("never heard"),
            Health.FRESH: lambda: say("fresh"),
            Health.LATE: lambda: say("late"),
            Health.STALE: lambda: say("stale"),
            Health.DOWN: lambda: say("down"),
            Health.REFUSED: lambda: say("refused"),
        }[health]()

    def standing(self, standing: Standing) -> str:
        say = self.say
        return {
            Standing.BETTER: lambda: say("better than the rest"),
            Standing.WORSE: lambda: say("worse than the rest"),
            Standing.SAME: lambda: say("no real difference"),
            Standing.FEW: lambda: say("too few records"),
        }[standing]()

    def milestone(self, state: MilestoneState) -> str:
        say = self.say
        return {
            MilestoneState.DONE: lambda: say("done"),
            MilestoneState.ON_TIME: lambda: say("on time"),
            MilestoneState.DUE_SOON: lambda: say("due soon"),
            MilestoneState.LATE: lambda: say("overdue"),
            MilestoneState.UNDATED: lambda: say("no date set"),
            MilestoneState.UNKNOWN: lambda: say("not known"),
        }[state]()

    def overdue(self, kind: OverdueKind) -> str:
        say = self.say
        return {
            OverdueKind.INCIDENTS: lambda: say("reports past due"),
            OverdueKind.REQUESTS: lambda: say("applications past their promise"),
            OverdueKind.DATA: lambda: say("data late"),
            OverdueKind.MILESTONE: lambda: say("milestone overdue"),
        }[kind]()

    def request(self, status: str) -> str:
        """The word of a request's status; one that is none counts as unknown."""
        say = self.say
        known = RequestStatus(status) if status in set(RequestStatus) else RequestStatus.UNKNOWN
        return {
            RequestStatus.SUBMITTED: lambda: say("submitted"),
            RequestStatus.PROCESSING: lambda: say("being handled"),
            RequestStatus.RETURNED: lambda: say("returned to the applicant"),
            RequestStatus.DONE: lambda: say("done"),
            RequestStatus.REJECTED: lambda: say("rejected"),
            RequestStatus.CANCELLED: lambda: say("cancelled"),
            RequestStatus.UNKNOWN: lambda: say("status unknown"),
        }[known]()

    def stage(self, stage: Stage) -> str:
        return maturity.stage_word(self.say, stage)

    def cohort(self, kpi: Kpi, value: KpiValue) -> str:
        """How many records a rate or a mean rests on; empty where it is a sum or a state."""
        if value.value is None or kpi.combine.value != "ratio":
            return ""
        say = self.say
        return say("of {n}", n=self.number(value.n))
