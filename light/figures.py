"""The charts of the pages behind the first one, in one language; titles say the finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property

from markupsafe import Markup

from lawang.city import City
from lawang.domain.kpi import Combine, Kpi, Light, RollUp, Target, light_of, score_of
from lawang.domain.programme import Annotation
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.annotations import notes_between
from lawang.overview.model import (
    Absorption,
    Budget,
    District,
    Districts,
    Finance,
    Forecast,
    KpiDetail,
    KpiLine,
    Standing,
)
from layouts import formats, svg
from light.terms import Terms

#: How many drivers of a change are drawn; the rest is added up.
_DRIVERS = 7
#: A trend of so many days has its months named, a shorter one its days.
_NAMED_MONTHS = 62


class Figures:
    """Draws figures of one city; `terms` say them."""

    def __init__(self, city: City, terms: Terms) -> None:
        self._city = city
        self._fmt = terms

    # --- one indicator ---------------------------------------------------------------------------

    def spark(self, line: KpiLine) -> Markup:
        """The recent course of an indicator."""
        kpi, fmt = line.kpi, self._fmt
        if not line.spark:
            return Markup("")
        newest = line.spark[-1]
        title = fmt.say(
            "{name}: {n} on {day}",
            name=fmt.name(kpi),
            n=fmt.figure(newest.value, kpi),
            day=fmt.day(newest.day),
        )
        return svg.sparkline(
            line.spark, direction=kpi.direction, green=kpi.green, amber=kpi.amber, title=title
        )

    def bullet(self, value: float | None, target: float | None, kpi: Kpi) -> Markup:
        """A value beside its target."""
        fmt = self._fmt
        return svg.bullet(
            value,
            target,
            direction=kpi.direction,
            green=kpi.green,
            amber=kpi.amber,
            title=fmt.say(
                "{n}, target {target}", n=fmt.figure(value, kpi), target=fmt.figure(target, kpi)
            ),
        )

    def trend(self, detail: KpiDetail, first: date, last: date) -> Markup:
        """The days of an indicator between two days, with everything that is to be known."""
        kpi, fmt = detail.line.kpi, self._fmt
        points = [each for each in detail.trend if first <= each.day <= last]
        if not points:
            return Markup("")
        return svg.trend(
            points,
            first=first,
            last=last,
            direction=kpi.direction,
            green=kpi.green,
            amber=kpi.amber,
            title=self._trend_title(kpi, points),
            desc=self.finding(kpi, points),
            tell=lambda value: fmt.figure(value, kpi),
            day=self._month if (last - first).days > _NAMED_MONTHS else self._day,
            gaps=[(each.first, each.last) for each in detail.gaps],
            outages=self._outage_days(detail, first, last),
            notes=[
                svg.Note(number, max(first, each.first), min(last, each.last))
                for number, each in enumerate(notes_within(detail, first, last), 1)
            ],
            light=self._light(kpi, points[-1]),
            zero=kpi.combine is Combine.SUM,
            key="unknown",
        )

    def _trend_title(self, kpi: Kpi, points: Sequence[TrendPoint]) -> str:
        fmt = self._fmt
        return fmt.say(
            "{name}, day by day from {first} to {last}",
            name=fmt.name(kpi),
            first=fmt.day(points[0].day),
            last=fmt.day(points[-1].day),
        )

    def finding(self, kpi: Kpi, points: Sequence[TrendPoint]) -> str:
        """How many of the days that are known were on target, as a sentence; empty for none."""
        fmt = self._fmt
        judged = [self._light(kpi, each) for each in points]
        judged = [each for each in judged if each is not Light.GREY]
        if not judged:
            return fmt.say("No day has both a value and a target.")
        return fmt.say(
            "On target on {green} of {total} known days, behind on {red}.",
            green=fmt.number(sum(each is Light.GREEN for each in judged)),
            red=fmt.number(sum(each is Light.RED for each in judged)),
            total=fmt.number(len(judged)),
        )

    def calendar(self, detail: KpiDetail, last: date) -> Markup:
        """The last 53 weeks by the light of each day."""
        kpi, fmt = detail.line.kpi, self._fmt
        first = last - timedelta(days=7 * 53 - 1)
        points = [each for each in detail.trend if first <= each.day <= last]
        if not points:
            return Markup("")
        monday = date(2024, 1, 1)
        return svg.calendar(
            [svg.DayMark(each.day, self._light(kpi, each)) for each in points],
            first=max(first, points[0].day - timedelta(days=points[0].day.weekday())),
            last=last,
            title=fmt.say("{name}, the light of each day", name=fmt.name(kpi)),
            desc=self.finding(kpi, points),
            month=self._month,
            weekdays={
                number: formats.weekday(monday + timedelta(days=number), fmt.language)
                for number in (0, 2, 4)
            },
        )

    def _light(self, kpi: Kpi, point: TrendPoint) -> Light:
        if point.value is None or point.target is None:
            return Light.GREY
        return light_of(score_of(kpi.direction, point.value, point.target), kpi.green, kpi.amber)

    def _outage_days(self, detail: KpiDetail, first: date, last: date) -> list[tuple[date, date]]:
        """Whole local days of outages that lasted longer than half a day."""
        zone, found = self._city.timezone, []
        for _, began, ended in detail.outages:
            until = ended or detail.at
            if until - began < timedelta(hours=12):
                continue
            one, other = began.astimezone(zone).date(), until.astimezone(zone).date()
            if one <= last and other >= first:
                found.append((max(first, one), min(last, other)))
        return found

    # --- a year's amount -------------------------------------------------------------------------

    def course(
        self, kpi: Kpi, points: Sequence[TrendPoint], forecast: Forecast | None, name: str = ""
    ) -> Markup:
        """A year's running total, its curve, and where it is likely to end."""
        known = [each for each in points if each.value is not None]
        if not known:
            return Markup("")
        fmt, newest = self._fmt, known[-1]
        year = newest.day.year
        sentences = [
            fmt.say(
                "{n} by {day}, {target} asked for by then.",
                n=fmt.figure(newest.value, kpi),
                day=fmt.day(newest.day),
                target=fmt.figure(newest.target, kpi),
            )
        ]
        if forecast is not None:
            sentences.append(self.forecast(forecast, kpi))
        return svg.course(
            known,
            curve=_curve(kpi.target, year),
            title=fmt.say("{name}, since 1 January", name=name or fmt.name(kpi)),
            desc=" ".join(sentences),
            tell=lambda value: fmt.figure(value, kpi),
            day=self._month,
            forecast=(forecast.low, forecast.value, forecast.high) if forecast else None,
            year=year,
        )

    def forecast(self, forecast: Forecast, kpi: Kpi) -> str:
        """A forecast as a sentence, with its interval and how it came about."""
        fmt = self._fmt
        told = fmt.say(
            "Forecast for 31 December: {n}, between {low} and {high} with {level} confidence.",
            n=fmt.figure(forecast.value, kpi),
            low=fmt.figure(forecast.low, kpi),
            high=fmt.figure(forecast.high, kpi),
            level=fmt.percent(forecast.level, 0),
        )
        if forecast.method == "past_years":
            how = fmt.say("From how {n} earlier years went on from here.", n=forecast.years)
        else:
            how = fmt.say("From how this year's months lay about the curve.")
        return f"{told} {how}"

    def budget(self, budget: Budget, kpi: Kpi, end: float | None = None) -> Markup:
        """What came of a year's amount: bar, what was asked for by now, the year, the forecast."""
        fmt, forecast = self._fmt, budget.forecast
        return svg.bullet(
            budget.value.value,
            budget.value.target,
            direction=kpi.direction,
            green=kpi.green,
            amber=kpi.amber,
            year=budget.target_year,
            interval=(forecast.low, forecast.high) if forecast else None,
            end=end,
            title=fmt.say(
                "{name}: {n} of {year} in the year, {target} asked for by now",
                name=fmt.name(kpi),
                n=fmt.figure(budget.value.value, kpi),
                year=fmt.figure(budget.target_year, kpi),
                target=fmt.figure(budget.value.target, kpi),
            ),
        )

    def absorption(self, each: Absorption, end: float) -> Markup:
        """The share of its budget that a department has spent, beside what the curve asks for."""
        fmt = self._fmt
        return svg.bullet(
            each.share,
            each.due,
            end=end,
            title=fmt.say(
                "{name}: {share} of the budget spent, {due} asked for by now",
                name=each.name,
                share=fmt.percent(each.share),
                due=fmt.percent(each.due),
            ),
        )

    def waterfall(self, finance: Finance) -> Markup:
        """From revenue over spending and financing to the running surplus; empty without it."""
        silpa, fmt = finance.silpa, self._fmt
        if silpa is None:
            return Markup("")
        say, own = fmt.say, _reached_by(finance.own_revenue, silpa.until)
        parts: list[svg.Step] = []
        if own is not None and own <= silpa.revenue:
            parts += [
                svg.Step(say("Own revenue (PAD)"), own),
                svg.Step(say("Transfers and other"), silpa.revenue - own),
            ]
        else:
            parts.append(svg.Step(say("Revenue"), silpa.revenue))
        steps = [
            *parts,
            *([svg.Step(say("Revenue"), 0.0, total=True)] if len(parts) > 1 else []),
            svg.Step(say("Spending"), -silpa.spending),
            svg.Step(say("Net financing"), silpa.financing),
            svg.Step(say("Running surplus"), 0.0, total=True),
        ]
        return svg.waterfall(
            steps,
            title=say("From revenue to the running surplus, up to {day}", day=fmt.day(silpa.until)),
            desc=self.silpa(finance),
            tell=fmt.rupiah,
        )

    def silpa(self, finance: Finance) -> str:
        """The sum that makes the running surplus, spelled out."""
        silpa, fmt = finance.silpa, self._fmt
        if silpa is None:
            return ""
        return fmt.say(
            "{revenue} revenue − {spending} spending + {financing} net financing = {value}",
            revenue=fmt.rupiah(silpa.revenue),
            spending=fmt.rupiah(silpa.spending),
            financing=fmt.rupiah(silpa.financing),
            value=fmt.rupiah(silpa.value),
        )

    # --- a roll-up -------------------------------------------------------------------------------

    def drivers(self, rolled: RollUp, names: Mapping[str, str]) -> Markup:
        """What moved a score; what is not drawn by name is added up, so that the sum is whole."""
        moved = [each for each in rolled.drivers if round(each.contribution, 4)]
        if not moved or rolled.change is None:
            return Markup("")
        fmt = self._fmt
        parts = [(names.get(each.kpi, each.kpi), each.contribution) for each in moved[:_DRIVERS]]
        rest = [each.contribution for each in moved[_DRIVERS:]]
        if rest:
            parts.append((fmt.say("{n} others", n=len(rest)), sum(rest)))
        return svg.contributions(
            parts,
            title=fmt.say("What moved the score by {n}", n=fmt.signed(rolled.change)),
            desc=fmt.say("Most: {name} {n}.", name=parts[0][0], n=fmt.signed(parts[0][1], 3)),
            tell=lambda value: fmt.signed(value, 3),
        )

    # --- districts -------------------------------------------------------------------------------

    @cached_property
    def _outline(self) -> svg.Outline:
        return svg.outline(self._city.kecamatan_geojson)

    def district_map(self, districts: Districts, kpi: Kpi) -> Markup:
        """The kecamatan by how they stand to the rest of the city."""
        fmt = self._fmt
        return svg.district_map(
            self._outline,
            _kinds(districts),
            titles={
                each.code: self.district(each, kpi, judged=districts.judged)
                for each in districts.rows
            },
            title=fmt.say("{name} by kecamatan", name=fmt.name(kpi)),
            desc=self.standings(districts, kpi),
        )

    def district(self, row: District, kpi: Kpi, *, judged: bool = True) -> str:
        """One kecamatan as a sentence: value, interval, cohort, standing where it is judged."""
        fmt = self._fmt
        if not judged:
            return fmt.say(
                "{name}: {n} (n={count})",
                name=row.name,
                n=fmt.figure(row.value.value, kpi),
                count=fmt.number(row.value.n),
            )
        if row.low is None or row.high is None:
            return fmt.say(
                "{name}: {n} (n={count}), {standing}",
                name=row.name,
                n=fmt.figure(row.value.value, kpi),
                count=fmt.number(row.value.n),
                standing=fmt.standing(row.standing),
            )
        return fmt.say(
            "{name}: {n}, interval {low} to {high} (n={count}), {standing}",
            name=row.name,
            n=fmt.figure(row.value.value, kpi),
            low=fmt.figure(row.low, kpi),
            high=fmt.figure(row.high, kpi),
            count=fmt.number(row.value.n),
            standing=fmt.standing(row.standing),
        )

    def standings(self, districts: Districts, kpi: Kpi) -> str:
        """How many stand out, as a sentence; or why nothing is said of that."""
        if not districts.judged:
            return self._fmt.unjudged(kpi)
        count = dict.fromkeys(Standing, 0)
        for each in districts.rows:
            count[each.standing] += 1
        return self._fmt.say(
            "{worse} worse than the rest, {better} better, {same} without a real difference, "
            "{few} with too few records.",
            worse=count[Standing.WORSE],
            better=count[Standing.BETTER],
            same=count[Standing.SAME],
            few=count[Standing.FEW],
        )

    def intervals(self, districts: Districts, kpi: Kpi) -> dict[str, Markup]:
        """The strip of each kecamatan, by code, all on one scale."""
        rows = [
            svg.IntervalRow(
                title=self.district(each, kpi, judged=districts.judged),
                value=each.value.value,
                low=each.low,
                high=each.high,
                kind=each.standing.value,
            )
            for each in districts.rows
        ]
        if districts.judged:
            strips = svg.intervals(rows, districts.city.value)
        else:
            strips = svg.bars(rows, districts.city.value if kpi.unit == "%" else None)
        return {each.code: strip for each, strip in zip(districts.rows, strips, strict=True)}

    def multiples(self, detail: KpiDetail) -> list[tuple[str, Markup]]:
        """The same chart for each kecamatan, with the city's line behind."""
        fmt, kpi = self._fmt, detail.line.kpi
        names = {
            each.code: each.name
            for each in self._city.kecamatan
            if each.code in detail.district_trends
        }
        drawn = svg.multiples(
            {code: detail.district_trends[code] for code in names},
            _weekly(detail.trend) if kpi.combine is not Combine.SUM else (),
            titles={
                code: fmt.say("{name}, week by week", name=name) for code, name in names.items()
            },
            zero=kpi.combine is Combine.SUM,
        )
        return [(name, drawn[code]) for code, name in names.items()]

    def _day(self, day: date) -> str:
        return f"{day.day} {formats.month(day, self._fmt.language).split()[0]}"

    def _month(self, day: date) -> str:
        return formats.short_month(day, self._fmt.language)


def notes_within(detail: KpiDetail, first: date, last: date) -> list[Annotation]:
    """The notes that a trend of some days shows, the oldest first."""
    return list(notes_between(detail.annotations, first, last))


def _kinds(districts: Districts) -> dict[str, str]:
    """How each kecamatan is drawn on the map, by its code."""
    if not districts.judged:
        return dict.fromkeys((each.code for each in districts.rows), "plain")
    return {each.code: each.standing.value for each in districts.rows}


def _curve(target: Target | None, year: int) -> list[tuple[date, float]]:
    """What a year's amount was to have come to, by every tenth day and on its last."""
    if target is None:
        return []
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = [first + timedelta(days=number) for number in range(9, (last - first).days, 10)]
    told = [(day, target.amount(first, day)) for day in (*days, last)]
    return [(first, 0.0), *((day, value) for day, value in told if value is not None)]


def _reached_by(budget: Budget, day: date) -> float | None:
    """The running total as of a day: that of the newest known point up to it."""
    known = [each.value for each in budget.course if each.day <= day and each.value is not None]
    return known[-1] if known else None


def _weekly(points: Sequence[TrendPoint]) -> list[TrendPoint]:
    """Days as means of weeks, weighted by their records, so that they lie beside weekly points."""
    weeks: dict[date, list[TrendPoint]] = {}
    for each in points:
        if each.value is not None:
            weeks.setdefault(each.day - timedelta(days=each.day.weekday()), []).append(each)
    found = []
    for monday, own in sorted(weeks.items()):
        count = sum(each.n for each in own)
        if count:
            mean = sum((each.value or 0.0) * each.n for each in own) / count
            found.append(TrendPoint(monday, mean, own[-1].target, count))
    return found
