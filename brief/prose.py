"""The brief in sentences. Each carries its figure; where there is none, it says since when.

Nothing is judged here: what is worse, late or lowest was decided by the rules of the overview, and
no sentence is written without the figure that it is about.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from brief.compose import SPAN, Morning
from lawang.city import City
from lawang.domain.kpi import Grey, Kpi, KpiValue, Light, Span
from lawang.overview.model import (
    Budget,
    Change,
    ChangeKind,
    Changes,
    Finance,
    MilestoneState,
    Overdue,
    OverdueKind,
)
from lawang.store.briefs import Paragraph
from layouts import formats
from layouts.words import words

#: Names in a sentence are cut to this many characters, and lists to this many names.
NAME_MAX = 60
_NAMES_MAX = 3


def clean(text: str, longest: int = NAME_MAX) -> str:
    """A name as it may stand in a line: no control characters, no line breaks, not too long."""
    plain = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in text)
    plain = re.sub(r"\s+", " ", plain).strip()
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


class Prose:
    """Writes one morning in one language."""

    def __init__(self, morning: Morning, city: City, language: str) -> None:
        self.morning = morning
        self.overview = morning.overview
        self.city = city
        self.language = language
        self.say = words(language, "brief")

    # --- the parts -----------------------------------------------------------------------------

    def title(self) -> str:
        """What the brief is called."""
        say = self.say
        return say(
            "Morning brief of {city}, {day}",
            city=clean(self.city.name),
            day=self.long_day(self.day),
        )

    @property
    def day(self) -> date:
        """The morning it is for."""
        return self.morning.day

    def notes(self) -> tuple[str, ...]:
        """What has to be known before anything is read."""
        say, morning = self.say, self.morning
        found = []
        names = [each.source for each in morning.sources]
        simulated = [name for name in names if self.city.sources[name].simulated]
        if simulated:
            found.append(
                say(
                    "Simulated data: {n} of {of} sources are simulated, and no figure that comes "
                    "from them is of the real city.",
                    n=len(simulated),
                    of=len(names),
                )
            )
        if morning.pending:
            found.append(
                say(
                    "Not complete: {n} of {of} indicators were not worked out since {day} ended "
                    "({names}).",
                    n=len(morning.pending),
                    of=len(self.city.kpis),
                    day=self.short(self.last),
                    names=self.names(self.name(self.city.kpis[one]) for one in morning.pending),
                )
            )
        if morning.afterwards:
            found.append(
                say(
                    "Made afterwards, on {moment}: figures are as they were known then.",
                    moment=self.moment(morning.made_at),
                )
            )
        return tuple(found)

    def paragraphs(self) -> tuple[Paragraph, ...]:
        """All sections that have a sentence."""
        say = self.say
        found = (
            (say("City"), self._city()),
            (say("What changed"), self._changes()),
            (say("Overdue"), self._overdue()),
            (say("Finance"), self._finance()),
            (say("Services"), self._services()),
            (say("Citizens' reports"), self._incidents()),
            (say("Data of the night"), self._sources()),
            (say("Programme"), self._milestones()),
        )
        written = [Paragraph(title=title, sentences=tuple(each)) for title, each in found]
        return tuple(each for each in written if each.sentences)

    def _city(self) -> Iterator[str]:
        say = self.say
        month, day = self.overview.scores[SPAN][0], self.overview.scores[Span.DAY][0]
        dimensions = self.overview.scores[SPAN][1:]
        days = month.horizon.days
        if month.score is None:
            yield say(
                "The city has no score over {days} days: {counting} of {total} indicators count.",
                days=days,
                counting=month.counting,
                total=month.total,
            )
        else:
            yield say(
                "The city's score over {days} days is {score} ({light}); {counting} of {total} "
                "indicators count.",
                days=days,
                score=self.score(month.score),
                light=self.light(month.light),
                counting=month.counting,
                total=month.total,
            )
        if month.before is not None:
            yield say(
                "In the {days} days before it was {before}.",
                days=days,
                before=self.score(month.before),
            )
        if day.score is None:
            yield say(
                "For {day} alone there is no score: {counting} of {total} indicators count.",
                day=self.short(self.last),
                counting=day.counting,
                total=day.total,
            )
        else:
            yield say(
                "For {day} alone it is {score} ({light}), by {counting} of {total} indicators.",
                day=self.short(self.last),
                score=self.score(day.score),
                light=self.light(day.light),
                counting=day.counting,
                total=day.total,
            )
        scored = [(each.score, each) for each in dimensions if each.score is not None]
        if scored:
            lowest, least = min(scored, key=lambda each: each[0])
            yield say(
                "{green} of {of} dimensions are green; the lowest is {name} with {score}.",
                green=sum(each.light is Light.GREEN for each in dimensions),
                of=len(dimensions),
                name=self.dimension(least.id),
                score=self.score(lowest),
            )

    def _changes(self) -> Iterator[str]:
        overview, say = self.overview, self.say
        told: set[str] = set()
        for changes, most in ((overview.changes, 3), (self.morning.week, 2)):
            if changes.since is None:
                continue
            yield say(
                "Since {day}, {worse} indicators got worse and {better} better (over {days} days).",
                day=self.short(changes.since),
                worse=len(changes.worse),
                better=len(changes.better),
                days=overview.scores[SPAN][0].horizon.days,
            )
            yield from self._moved(changes, told, most)
        if overview.changes.since is None and self.morning.week.since is None:
            yield say(
                "Nothing can be compared with what was known before {day}.",
                day=self.short(self.last),
            )

    def _moved(self, changes: Changes, told: set[str], most: int) -> Iterator[str]:
        say = self.say
        worse = [each for each in changes.worse if each.kpi not in told][:most]
        better = [each for each in changes.better if each.kpi not in told][: most - 1]
        told |= {each.kpi for each in (*worse, *better)}
        if worse:
            yield say("Worse: {list}.", list="; ".join(map(self._move, worse)))
        if better:
            yield say("Better: {list}.", list="; ".join(map(self._move, better)))

    def _move(self, change: Change) -> str:
        say = self.say
        name = self.name(self.overview.lines[change.kpi].kpi)
        if change.kind is ChangeKind.LOST:
            return say("{name} no longer counts ({why})", name=name, why=self._lost(change))
        if change.kind is ChangeKind.REGAINED:
            return say(
                "{name} counts again with {after}", name=name, after=self.score(change.after.score)
            )
        return say(
            "{name} from {before} to {after}",
            name=name,
            before=self.score(change.before.score),
            after=self.score(change.after.score),
        )

    def _lost(self, change: Change) -> str:
        say, after = self.say, change.after
        if after.grey is Grey.FEW:
            return say("{n} records are too few", n=self.number(after.n))
        seen = after.observed_at or change.before.observed_at
        if seen is None:
            return say("no data")
        return say("newest data of {day}", day=self.short(self.local(seen)))

    def _overdue(self) -> Iterator[str]:
        say = self.say
        if self.morning.afterwards:
            yield say("What was overdue on {day} can no longer be told.", day=self.short(self.last))
            return
        incidents = self._of(OverdueKind.INCIDENTS)
        if not incidents:
            yield say("{n} open reports are past their due time.", n=0)
        else:
            most = max(incidents, key=lambda each: each.count)
            yield say(
                "{n} open reports are past their due time, at {opds} departments; most at {opd}: "
                "{count}{of}, the longest since {day}.",
                n=self.number(sum(each.count for each in incidents)),
                opds=len(incidents),
                opd=self.opd(most.owner),
                count=self.number(most.count),
                of=self._out_of(most),
                day=self._since(most),
            )
        requests = self._of(OverdueKind.REQUESTS)
        if requests:
            most = max(requests, key=lambda each: each.count)
            yield say(
                "{n} applications are past their promise, at {opds} departments; most at {opd}: "
                "{count}{of}, the longest since {day}.",
                n=self.number(sum(each.count for each in requests)),
                opds=len(requests),
                opd=self.opd(most.owner),
                count=self.number(most.count),
                of=self._out_of(most),
                day=self._since(most),
            )

    def _finance(self) -> Iterator[str]:
        say, finance = self.say, self.overview.finance
        if finance is None:
            return
        for budget in (finance.revenue, finance.spending, finance.own_revenue):
            yield from self._budget(budget)
        yield from self._balance(finance)
        known = [each for each in finance.absorption if each.share is not None]
        if known:
            least = known[0]
            yield say(
                "Of {n} departments {name} has spent the least: {share} of {budget}{due}.",
                n=len(known),
                name=clean(least.name),
                share=self.share(least.share),
                budget=self.money(least.budget),
                due=say(", where {due} was planned", due=self.share(least.due))
                if least.due is not None
                else "",
            )

    def _budget(self, budget: Budget) -> Iterator[str]:
        say, value = self.say, budget.value
        kpi = self.overview.lines[budget.kpi].kpi
        if value.value is None or value.grey is not None:
            yield self._missing(kpi, value)
            return
        until = budget.course[-1].day if budget.course else value.horizon.last
        if value.target:
            yield say(
                "{name} up to {day}: {value}, {share} of the {target} planned by then.",
                name=self.name(kpi),
                day=self.short(until),
                value=self.money(value.value),
                share=self.share(value.value / value.target),
                target=self.money(value.target),
            )
        else:
            yield say(
                "{name} up to {day}: {value}; nothing is planned to hold it to.",
                name=self.name(kpi),
                day=self.short(until),
                value=self.money(value.value),
            )
        forecast = budget.forecast
        if forecast is not None:
            yield say(
                "By {day} it is forecast to come to {value} ({level} interval: {low} to "
                "{high}){share}.",
                day=self.short(date(forecast.until.year, 12, 31)),
                value=self.money(forecast.value),
                low=self.money(forecast.low),
                high=self.money(forecast.high),
                level=self.share(forecast.level),
                share=say(
                    ", {share} of the year's {target}",
                    share=self.share(forecast.value / budget.target_year),
                    target=self.money(budget.target_year),
                )
                if budget.target_year
                else "",
            )

    def _balance(self, finance: Finance) -> Iterator[str]:
        say, cash, silpa = self.say, finance.cash, finance.silpa
        if cash is not None and cash.stale:
            yield say(
                "Cash: no newer figure than {value} of {moment}.",
                value=self.money(cash.value),
                moment=self.moment(cash.observed_at),
            )
        elif cash is not None:
            yield say(
                "Cash: {value} on {moment}.",
                value=self.money(cash.value),
                moment=self.moment(cash.observed_at),
            )
        if silpa is not None:
            yield say(
                "Running surplus (SiLPA) up to {day}: {value}.",
                day=self.short(silpa.until),
                value=self.money(silpa.value),
            )

    def _services(self) -> Iterator[str]:
        say, services = self.say, self.overview.services
        if services is None:
            return
        lines = [self.overview.lines[name] for name in services.promises]
        values = [(each.kpi, each.values[SPAN]) for each in lines]
        judged = [(kpi, value) for kpi, value in values if value.counts]
        days = self.overview.scores[SPAN][0].horizon.days
        if values:
            yield say(
                "{met} of {of} service promises were kept over {days} days; {grey} cannot be "
                "judged.",
                met=sum(value.light is Light.GREEN for _, value in judged),
                of=len(values),
                days=days,
                grey=len(values) - len(judged),
            )
        missed = [each for each in judged if each[1].light is not Light.GREEN]
        if missed:
            kpi, value = min(missed, key=lambda each: each[1].score or 0.0)
            yield say(
                "Farthest from its target is {name}: {value} against {target} ({n} records).",
                name=self.name(kpi),
                value=self.figure(kpi, value.value),
                target=self.figure(kpi, value.target),
                n=self.number(value.n),
            )
        known = self.overview.lines
        claimed = known[services.claimed].values[SPAN]
        reopened = known[services.reopened].values[SPAN]
        # A city in which nobody verifies closings has no such indicator.
        verified = known[services.verified].values[SPAN] if services.verified else None
        if claimed.value is not None and verified is not None and verified.value is not None:
            yield say(
                "Departments say that {claimed} of reports are closed; of closings that had their "
                "time to be verified, {verified} were.",
                claimed=self.share(claimed.value),
                verified=self.share(verified.value),
            )
        elif claimed.value is not None:
            yield say(
                "Departments say that {claimed} of reports are closed; how many were verified, "
                "no source tells.",
                claimed=self.share(claimed.value),
            )
        if reopened.value is not None:
            yield say(
                "{reopened} of closed reports were opened again.",
                reopened=self.share(reopened.value),
            )

    def _incidents(self) -> Iterator[str]:
        say, counts = self.say, self.morning.incidents
        yield say(
            "On {day} {new} reports came in and {done} were done; at its end {open} were open, "
            "{due} of them past their due time.",
            day=self.short(self.last),
            new=self.number(counts.new_today),
            done=self.number(counts.done_today),
            open=self.number(counts.open),
            due=self.number(counts.past_due),
        )

    def _sources(self) -> Iterator[str]:
        say, failed = self.say, self.morning.failed
        began, ended = self.morning.night
        yield say(
            "Between {began} and {ended}, {n} of {of} sources failed.",
            began=self.moment(began),
            ended=self.clock(ended),
            n=len(failed),
            of=len(self.morning.sources),
        )
        for each in failed[:_NAMES_MAX]:
            name = clean(self.city.sources[each.source].name)
            if each.down_s:
                yield say(
                    "{name} could not be read for {h} hours.",
                    name=name,
                    h=formats.number(each.down_s / 3600, self.language, 1),
                )
            elif each.last_success is not None:
                yield say(
                    "{name} was last read on {moment}.",
                    name=name,
                    moment=self.moment(each.last_success),
                )
            else:
                yield say(
                    "{name} was never read up to {moment}.",
                    name=name,
                    moment=self.moment(self.morning.at),
                )

    def _milestones(self) -> Iterator[str]:
        say, lines = self.say, self.overview.milestones
        if not lines:
            return
        states = [each.state for each in lines]
        yield say(
            "Of {n} milestones {done} are done, {late} late and {soon} due soon; {undated} have no "
            "date and of {unknown} the state is not known.",
            n=len(lines),
            done=states.count(MilestoneState.DONE),
            late=states.count(MilestoneState.LATE),
            soon=states.count(MilestoneState.DUE_SOON),
            undated=states.count(MilestoneState.UNDATED),
            unknown=states.count(MilestoneState.UNKNOWN),
        )
        dated = [
            (each.milestone.due, each)
            for each in lines
            if each.milestone.due is not None
            and each.state in (MilestoneState.LATE, MilestoneState.DUE_SOON)
        ]
        for due, line in sorted(dated, key=lambda each: (each[0], each[1].milestone.id))[:2]:
            one = line.milestone
            yield say(
                "{name} ({opd}) is due on {day}.",
                name=clean(one.name_id if self.language == "id" else one.name_en),
                opd=self.opd(one.owner),
                day=self.short(due),
            )

    # --- what sentences are made of --------------------------------------------------------------

    @property
    def last(self) -> date:
        """The day it tells of."""
        return self.overview.last

    def _missing(self, kpi: Kpi, value: KpiValue) -> str:
        """What is said in place of a figure that is not there."""
        say = self.say
        if value.observed_at is None:
            return say(
                "{name}: there is no figure up to {day}.",
                name=self.name(kpi),
                day=self.short(value.horizon.last),
            )
        return say(
            "{name}: there is no valid figure; the newest is of {day}.",
            name=self.name(kpi),
            day=self.short(self.local(value.observed_at)),
        )

    def _of(self, kind: OverdueKind) -> list[Overdue]:
        return [each for each in self.overview.overdue if each.kind is kind]

    def _out_of(self, overdue: Overdue) -> str:
        say = self.say
        return "" if overdue.of is None else say(" of {n} open", n=self.number(overdue.of))

    def _since(self, overdue: Overdue) -> str:
        return self.short(None if overdue.oldest is None else self.local(overdue.oldest))

    def names(self, given: Iterator[str] | Sequence[str]) -> str:
        """The first few names, and how many more there are."""
        say = self.say
        every = list(given)
        shown = ", ".join(every[:_NAMES_MAX])
        more = len(every) - _NAMES_MAX
        return say("{names} and {n} more", names=shown, n=more) if more > 0 else shown

    def name(self, kpi: Kpi) -> str:
        """An indicator's name."""
        return clean(kpi.name_id if self.language == "id" else kpi.name_en)

    def dimension(self, name: str) -> str:
        """A dimension's name."""
        one = self.city.dimensions[name]
        return clean(one.name_id if self.language == "id" else one.name_en)

    def opd(self, name: str) -> str:
        """A department's name."""
        say, one = self.say, self.city.opds.get(name)
        return clean(one.name if one else name) or say("no department")

    def light(self, light: Light) -> str:
        """The word of a light: state is never colour alone."""
        say = self.say
        return {
            Light.GREEN: say("green"),
            Light.AMBER: say("amber"),
            Light.RED: say("red"),
            Light.GREY: say("grey"),
        }[light]

    def local(self, at: datetime) -> date:
        """The city's day of an instant."""
        return at.astimezone(self.city.timezone).date()

    def short(self, day: date | None) -> str:
        """A day in short."""
        return formats.day(day, self.language)

    def long_day(self, day: date) -> str:
        """A day with its weekday."""
        return formats.long_day(day, self.language)

    def moment(self, at: datetime) -> str:
        """A day and a time."""
        return formats.moment(at, self.language, self.city.timezone)

    def clock(self, at: datetime) -> str:
        """A time."""
        return formats.clock(at, self.language, self.city.timezone)

    def score(self, value: float | None) -> str:
        """A score."""
        return formats.score(value, self.language)

    def share(self, value: float | None) -> str:
        """A share as percent."""
        return formats.percent(value, self.language)

    def money(self, value: float | None) -> str:
        """An amount in short."""
        return formats.rupiah(value, self.language)

    def number(self, value: float) -> str:
        """A count."""
        return formats.number(value, self.language)

    def figure(self, kpi: Kpi, value: float | None) -> str:
        """A value in the unit of its indicator."""
        return formats.figure(value, kpi.unit_in(self.language), self.language)
