"""The analysis page's parts: one indicator opened, from its value down to its days."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component
from plotly.graph_objects import Figure

from lawang.city import City
from lawang.domain.kpi import Combine, Daily, Grey, Kpi, KpiValue, Light, Span
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.annotations import notes_between
from lawang.overview.model import Finance, KpiDetail, KpiLine
from layouts import formats, theme
from layouts.charts import axes
from layouts.charts.bullet import bullets
from layouts.charts.calendar import GLYPHS as DAY_GLYPHS
from layouts.charts.calendar import calendar
from layouts.charts.course import course
from layouts.charts.multiples import multiples
from layouts.charts.parts import parts
from layouts.charts.ranking import ranking
from layouts.charts.trend import light_on, note_text, trend
from layouts.charts.waterfall import Step, waterfall
from layouts.lights import GLYPHS, light_word
from layouts.spreadsheet import Cell, csv_text
from layouts.words import Words

#: How many days back one can look: a quarter, a year and five weeks, three years.
RANGES = (92, 400, 1100)
DEFAULT_DAYS = 400
#: Px; below it charts are drawn for a phone.
_NARROW_PX = 700
#: The newest days are in the table, all of them in the file.
_TABLE_ROWS = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is looked at, as the address says it; `kpi` is "" for none chosen."""

    kpi: str = ""
    span: Span = Span.MONTH
    days: int = DEFAULT_DAYS
    width: int = 1440

    @classmethod
    def of(cls, kpi: object, span: object, days: object, width: object = 1440) -> Choice:
        """From an address or a browser; what makes no sense becomes the default."""
        spans = {each.value: each for each in Span}
        ranges = {str(each): each for each in RANGES}
        return cls(
            kpi=kpi if isinstance(kpi, str) else "",
            span=spans.get(span, Span.MONTH) if isinstance(span, str) else Span.MONTH,
            days=ranges.get(str(days), DEFAULT_DAYS)
            if isinstance(days, str | int)
            else DEFAULT_DAYS,
            width=width if isinstance(width, int) and 200 <= width <= 10_000 else 1440,
        )

    @property
    def narrow(self) -> bool:
        return self.width < _NARROW_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """All that the page shows of one indicator. `facts` are its days, oldest first, `smooth` their
    course over seven days; `siblings` the indicators of its dimension."""

    city: City
    detail: KpiDetail
    facts: tuple[Daily, ...]
    smooth: tuple[TrendPoint, ...]
    siblings: tuple[KpiLine, ...]
    finance: Finance | None

    @property
    def kpi(self) -> Kpi:
        return self.detail.line.kpi

    @property
    def value(self) -> KpiValue:
        return self.detail.line.values[self.detail.span]


def kpi_name(kpi: Kpi, say: Words) -> str:
    """The indicator's name in the language."""
    return kpi.name_id if say.language == "id" else kpi.name_en


def span_names(say: Words) -> dict[Span, str]:
    """The five horizons, as one chooses them."""
    return {
        Span.DAY: say("Day"),
        Span.WEEK: say("7 days"),
        Span.MONTH: say("30 days"),
        Span.QUARTER: say("91 days"),
        Span.YEAR: say("Year to date"),
    }


def grey_word(grey: Grey, say: Words) -> str:
    """Why an indicator does not count."""
    return {
        Grey.NO_DATA: say("No data"),
        Grey.STALE: say("Too old to count"),
        Grey.FEW: say("Too few records"),
        Grey.NO_TARGET: say("Without a target"),
    }[grey]


def controls(city: City, choice: Choice, say: Words) -> Component:
    """Which indicator, over which horizon, how far back. The page's script keeps the address.

    Native parts: each is worked by keyboard, and by those who hear the page.
    """
    looking = {92: say("{n} days", n=92), 400: say("{n} days", n=400), 1100: say("3 years")}
    return html.Div(
        [
            html.Div(
                [
                    html.Label(say("Search"), htmlFor="analysis-search"),
                    dcc.Input(
                        id="analysis-search",
                        type="search",
                        placeholder=say("part of a name"),
                        autoComplete="off",
                    ),
                ],
                className="control control-search",
            ),
            html.Div(
                [
                    html.Label(say("Indicator"), htmlFor="analysis-kpi"),
                    html.Select(
                        _options(city, choice, say),
                        id="analysis-kpi",
                        **{"data-asks": "kpi"},
                    ),
                ],
                className="control control-kpi",
            ),
            _choose(
                "span",
                say("Horizon"),
                choice.span.value,
                {span.value: name for span, name in span_names(say).items()},
            ),
            _choose(
                "days",
                say("Looking back"),
                str(choice.days),
                {str(days): name for days, name in looking.items()},
            ),
            html.Div(
                [
                    html.Button(say("Download CSV"), id="analysis-csv", type="button"),
                    html.Button(say("Print"), type="button", **{"data-print": ""}),
                ],
                className="control-buttons",
            ),
        ],
        className="analysis-controls",
    )


def _options(city: City, choice: Choice, say: Words) -> list[Component]:
    """All indicators by their dimension, in the pack's order."""
    return [
        html.Optgroup(
            [
                html.Option(kpi_name(kpi, say), value=kpi.id, selected=kpi.id == choice.kpi)
                for kpi in city.kpis.values()
                if kpi.dimension == dimension.id
            ],
            label=dimension.name_id if say.language == "id" else dimension.name_en,
        )
        for dimension in city.dimensions.values()
    ]


def _choose(name: str, title: str, value: str, options: Mapping[str, str]) -> Component:
    return html.Div(
        [
            html.Span(title, id=f"analysis-{name}-title"),
            html.Div(
                [
                    html.Button(
                        label,
                        type="button",
                        **{
                            "data-asks": name,
                            "data-value": each,
                            "aria-pressed": str(each == value).lower(),
                        },
                    )
                    for each, label in options.items()
                ],
                className="choices",
                role="group",
                **{"aria-labelledby": f"analysis-{name}-title"},
            ),
        ],
        className="control",
    )


def show(analysis: Analysis, choice: Choice, say: Words) -> list[Component]:
    """The whole of one indicator."""
    kpi, detail = analysis.kpi, analysis.detail
    points = _within(detail.trend, choice.days)
    sections = [
        _head(analysis, say),
        _tiles(analysis, say),
        _trend_card(analysis, points, choice, say),
        _calendar_card(analysis, choice, say),
        _course_card(analysis, choice, say),
        *_budget_cards(analysis, choice, say),
        *_district_cards(analysis, choice, say),
        _parts_card(analysis, choice, say),
        _siblings_card(analysis, choice, say),
        _table_card(analysis, say),
        _origin(analysis, say),
    ]
    return [
        html.Article(
            [each for each in sections if each is not None],
            className=f"analysis-body{' is-stale' if _is_stale(analysis) else ''}",
            **{"data-kpi": kpi.id, "data-print-colours": json.dumps(theme.print_colours())},
        )
    ]


def table_csv(analysis: Analysis, say: Words) -> str:
    """All days of the range with what is behind them, as a spreadsheet reads it."""
    kpi = analysis.kpi
    by_day = {each.day: each for each in analysis.detail.trend}
    rows: list[list[Cell]] = []
    for fact in analysis.facts:
        point = by_day.get(fact.day)
        rows.append(
            [
                kpi_name(kpi, say),
                fact.day,
                fact.num
                if kpi.combine is Combine.SUM
                else fact.num / fact.den
                if fact.den
                else None,
                point.target if point else None,
                kpi.unit_in(say.language),
                fact.num,
                fact.den,
                fact.n,
                fact.observed_at.isoformat(),
                say("simulated") if analysis.detail.line.simulated else "",
            ]
        )
    head = [
        say("Indicator"), say("Day"), say("Value"), say("Target"), say("Unit"), say("Numerator"),
        say("Denominator"), say("Records"), say("Data as of"), say("Remark"),
    ]  # fmt: skip
    return csv_text(head, rows, say.language)


def sorry(text: str) -> list[Component]:
    """The place of the content where there is none, with the reason."""
    return [html.P(text, className="analysis-sorry", role="status")]


# --- sections ------------------------------------------------------------------------------------


def _head(analysis: Analysis, say: Words) -> Component:
    kpi = analysis.kpi
    city = analysis.city
    dimension = city.dimensions[kpi.dimension]
    named = dimension.name_id if say.language == "id" else dimension.name_en
    marks = []
    if analysis.detail.line.simulated:
        marks.append(html.Span(say("SIMULATED DATA"), className="simulated-mark"))
    definition = kpi.definition_id if say.language == "id" else kpi.definition_en
    return html.Div(
        [
            html.Div([html.H1(kpi_name(kpi, say)), *marks], className="analysis-title"),
            html.P(f"{named} · {city.opds[kpi.owner].name}", className="analysis-owner"),
            html.P(definition, className="lead"),
        ],
        className="analysis-head",
    )


def _tiles(analysis: Analysis, say: Words) -> Component:
    kpi, value, language = analysis.kpi, analysis.value, say.language
    zone = analysis.city.timezone
    before = analysis.detail.line.before[analysis.detail.span]
    horizon = value.horizon
    days = f"{formats.day(horizon.first, language)} – {formats.day(horizon.last, language)}"
    target_note = (
        say("simulated target, published nowhere") if kpi.simulated_target else say("published")
    )
    state = grey_word(value.grey, say) if value.grey else light_word(value.light, say)
    return html.Dl(
        [
            _tile(
                say("Value"),
                formats.figure(value.value, kpi.unit_in(language), language),
                [
                    days,
                    say(
                        "before: {value}",
                        value=formats.figure(before.value, kpi.unit_in(language), language),
                    ),
                ],
            ),
            _tile(
                say("Target"),
                formats.figure(value.target, kpi.unit_in(language), language),
                [target_note if value.target is not None else say("Without a target")],
            ),
            _tile(
                say("Score"),
                formats.score(value.score, language),
                [f"{GLYPHS[value.light]} {state}"],
                value.light,
            ),
            _tile(
                say("Records"),
                formats.number(value.n, language),
                [
                    say(
                        "{known} of {all} days known",
                        known=formats.number(value.days, language),
                        all=formats.number(horizon.days, language),
                    )
                    if kpi.combine is not Combine.LAST
                    else say("the newest that is known"),
                    say("at least {n} to count", n=formats.number(kpi.minimum, language)),
                ],
            ),
            _tile(
                say("Age"),
                _age_text(value.age, say),
                [
                    formats.moment(value.observed_at, language, zone),
                    say("▲ stale after {age}", age=_age_text(kpi.stale_after, say))
                    if value.grey is Grey.STALE
                    else say("stale after {age}", age=_age_text(kpi.stale_after, say)),
                ],
                Light.RED if value.grey is Grey.STALE else None,
            ),
        ],
        className="analysis-tiles",
    )


def _tile(title: str, value: str, notes: Sequence[str], light: Light | None = None) -> Component:
    return html.Div(
        [
            html.Dt(title),
            html.Dd(value, className="analysis-value"),
            *(html.Dd(note, className="analysis-note") for note in notes),
        ],
        className="tile analysis-tile",
        **({"data-light": light.value} if light else {}),
    )


def _trend_card(
    analysis: Analysis, points: Sequence[TrendPoint], choice: Choice, say: Words
) -> Component:
    kpi, detail = analysis.kpi, analysis.detail
    if not points:
        return _card(say("Trend"), analysis, say, [html.P(say("No data"))])
    first = points[0].day
    noted = notes_between(detail.annotations, first, points[-1].day)
    smooth = [each for each in analysis.smooth if each.day >= first] if kpi.due == "day" else []
    zone = analysis.city.timezone
    figure = trend(
        points,
        kpi,
        say,
        smooth=smooth if len(smooth) > 20 else (),
        gaps=detail.gaps,
        notes=noted,
        outages=[
            (begin.astimezone(zone).date(), (end or detail.at).astimezone(zone).date())
            for _, begin, end in detail.outages
        ],
        narrow=choice.narrow,
    )
    notes: list[Component] = []
    if noted:
        notes.append(
            html.Ol([html.Li(_plain(note_text(each, say))) for each in noted], className="notes")
        )
    if detail.gaps:
        notes.append(html.P(say("Grey: days without data."), className="card-note"))
    if detail.outages:
        notes.append(
            html.P(
                say("Red line at the top: a source was down ({n} times).", n=len(detail.outages)),
                className="card-note",
            )
        )
    if detail.held:
        notes.append(
            html.P(
                say("{n} readings are held back by findings and not counted.", n=detail.held),
                className="card-note is-low",
            )
        )
    return _card(say("Trend"), analysis, say, [_graph("trend", figure, say, say("Trend")), *notes])


def _calendar_card(analysis: Analysis, choice: Choice, say: Words) -> Component | None:
    kpi, detail = analysis.kpi, analysis.detail
    if kpi.due != "day" or kpi.target is None or len(detail.trend) < 7:
        return None
    last = detail.line.values[Span.DAY].horizon.last
    known = (last - detail.trend[0].day).days // 7 + 2
    weeks = 17 if choice.narrow else min(53, max(27, known))
    figure = calendar(detail.trend, kpi, say, last=last, weeks=weeks)
    legend = html.Ul(
        [
            html.Li(
                [
                    html.Span(DAY_GLYPHS[light], className=f"day-mark day-{light.value}"),
                    light_word(light, say) if light is not Light.GREY else say("Without a target"),
                ]
            )
            for light in (Light.GREEN, Light.AMBER, Light.RED, Light.GREY)
            if any(light_on(kpi, each) is light for each in detail.trend)
        ]
        + [html.Li([html.Span(className="day-mark day-none"), say("No data")])],
        className="day-legend",
    )
    return _card(
        say("Day by day"),
        analysis,
        say,
        [_graph("calendar", figure, say, say("Day by day"), quiet=True), legend],
    )


def _course_card(analysis: Analysis, choice: Choice, say: Words) -> Component | None:
    detail, kpi = analysis.detail, analysis.kpi
    if len(detail.course) < 2:
        return None
    figure = course(detail.course, kpi, say, forecast=detail.forecast, narrow=choice.narrow)
    notes = []
    if detail.forecast is not None:
        notes.append(html.P(_forecast_note(analysis, say), className="card-note"))
    title = say("Since 1 January")
    return _card(title, analysis, say, [_graph("course", figure, say, title), *notes])


def _forecast_note(analysis: Analysis, say: Words) -> str:
    forecast = analysis.detail.forecast
    assert forecast is not None
    told = say(
        "Forecast for 31 December: {value}",
        value=formats.figure(forecast.value, analysis.kpi.unit_in(say.language), say.language),
    )
    level = formats.percent(forecast.level, say.language, 0)
    if forecast.method == "past_years":
        how = say("by the spread of {n} past years", n=forecast.years)
    else:
        how = say("by the spread of this year's months about the curve")
    interval = say(
        "{level} interval: {low} to {high}",
        level=level,
        low=formats.figure(forecast.low, analysis.kpi.unit_in(say.language), say.language),
        high=formats.figure(forecast.high, analysis.kpi.unit_in(say.language), say.language),
    )
    return f"{told}; {interval}; {how}."


def _budget_cards(analysis: Analysis, choice: Choice, say: Words) -> list[Component]:
    finance, kpi = analysis.finance, analysis.kpi
    if finance is None:
        return []
    cards = []
    if kpi.id == finance.own_revenue.kpi and finance.items:
        steps = _deviations(analysis, finance, say)
        if steps:
            title = say("From what was due by now to what came")
            figure = waterfall(steps, kpi.unit_in(say.language), say, narrow=choice.narrow)
            cards.append(
                _card(
                    title,
                    analysis,
                    say,
                    [
                        _graph("bridge", figure, say, title, quiet=True),
                        html.P(
                            say("Each item by how far it lies above or below its own curve."),
                            className="card-note",
                        ),
                    ],
                )
            )
    surplus = finance.silpa
    if surplus is not None and kpi.id in (finance.revenue.kpi, finance.spending.kpi):
        title = say("The running surplus (SiLPA) up to {day}",
                    day=formats.day(surplus.until, say.language))  # fmt: skip
        steps = [
            Step(say("Revenue"), surplus.revenue, whole=True),
            Step(say("Spending"), -surplus.spending),
            Step(say("Net financing"), surplus.financing),
            Step(say("SiLPA"), surplus.value, whole=True),
        ]
        figure = waterfall(steps, kpi.unit_in(say.language), say, narrow=choice.narrow)
        cards.append(_card(title, analysis, say, [_graph("silpa", figure, say, title, quiet=True)]))
    return cards


def _deviations(analysis: Analysis, finance: Finance, say: Words) -> list[Step]:
    """From the target up to now by each item's deviation; what no item explains is told as such."""
    whole = finance.own_revenue.value
    if whole.value is None or whole.target is None:
        return []
    steps = [Step(say("Due by now"), whole.target, whole=True)]
    for item in finance.items:
        if item.value.value is None or item.value.target is None:
            continue
        kpi = analysis.city.kpis[item.kpi]
        steps.append(Step(kpi_name(kpi, say), item.value.value - item.value.target))
    rest = whole.value - whole.target - sum(each.amount for each in steps[1:])
    steps.append(Step(say("Other items and other days"), rest))
    return [*steps, Step(say("Reached"), whole.value, whole=True)]


def _district_cards(analysis: Analysis, choice: Choice, say: Words) -> list[Component]:
    detail, kpi = analysis.detail, analysis.kpi
    districts = detail.districts
    if districts is None or not districts.rows:
        return []
    if districts.judged:
        told = say(
            "The intervals are so wide that with all kecamatan compared at once, chance alone "
            "names one better or worse in at most one of twenty such rankings."
        )
    elif kpi.unit == "%":
        told = say("A state of one day, counted in full: the kecamatan are shown, not judged.")
    else:
        told = say("Amounts of kecamatan are not judged, as they differ in size.")
    notes = [html.P(told, className="card-note")]
    if districts.unplaced:
        notes.append(
            html.P(
                say(
                    "{n} records belong to no kecamatan and are missing here.",
                    n=formats.number(districts.unplaced, say.language),
                ),
                className="card-note is-low",
            )
        )
    title = say("Kecamatan compared")
    cards = [
        _card(
            title,
            analysis,
            say,
            [
                _graph(
                    "ranking",
                    ranking(districts, kpi, say, narrow=choice.narrow),
                    say,
                    title,
                    quiet=True,
                ),
                *notes,
            ],
        )
    ]
    if any(detail.district_trends.values()):
        title = say("Each kecamatan by weeks")
        names = {row.code: row.name for row in sorted(districts.rows, key=lambda each: each.name)}
        columns = 2 if choice.narrow else 3 if choice.width < 1100 else 6
        figure = multiples(detail.district_trends, names, kpi, say, columns=columns)
        cards.append(
            _card(
                title,
                analysis,
                say,
                [
                    _graph("multiples", figure, say, title, quiet=True),
                    html.P(say("All on the same axes; dashed: the target."), className="card-note"),
                ],
            )
        )
    return cards


def _parts_card(analysis: Analysis, choice: Choice, say: Words) -> Component | None:
    found = [each for each in analysis.detail.parts if each.value is not None]
    if len(found) < 2:
        return None
    title = say("What it is made of")
    figure = parts(found, analysis.kpi, say, narrow=choice.narrow)
    return _card(title, analysis, say, [_graph("parts", figure, say, title, quiet=True)])


def _siblings_card(analysis: Analysis, choice: Choice, say: Words) -> Component | None:
    if len(analysis.siblings) < 2:
        return None
    span = analysis.detail.span
    rows = [(each.kpi, each.values[span]) for each in analysis.siblings]
    title = say("Its dimension at a glance")
    figure = bullets(rows, say, narrow=choice.narrow)
    return html.Section(
        [
            html.Div([html.H2(title)], className="card-head"),
            _graph("bullets", figure, say, title, quiet=True),
        ],
        className="tile card",
    )


def _table_card(analysis: Analysis, say: Words) -> Component:
    kpi, language = analysis.kpi, say.language
    by_day = {each.day: each for each in analysis.detail.trend}
    shown = list(reversed(analysis.facts))[:_TABLE_ROWS]
    rows = []
    for fact in shown:
        point = by_day.get(fact.day, TrendPoint(fact.day, None, None, fact.n))
        light = light_on(kpi, point)
        rows.append(
            html.Tr(
                [
                    html.Th(formats.day(fact.day, language), scope="row"),
                    html.Td(formats.figure(point.value, kpi.unit_in(language), language)),
                    html.Td(formats.figure(point.target, kpi.unit_in(language), language)),
                    html.Td(
                        f"{GLYPHS[light]} {light_word(light, say)}"
                        if light is not Light.GREY
                        else formats.MISSING,
                        className=f"light-{light.value}",
                    ),
                    html.Td(_exact(fact.num, language)),
                    html.Td(_exact(fact.den, language)),
                    html.Td(formats.number(fact.n, language)),
                    html.Td(formats.moment(fact.observed_at, language, analysis.city.timezone)),
                ]
            )
        )
    head = [
        say("Day"), say("Value"), say("Target"), say("State"), say("Numerator"),
        say("Denominator"), say("Records"), say("Data as of"),
    ]  # fmt: skip
    title = say("The days behind it")
    return _card(
        title,
        analysis,
        say,
        [
            html.P(
                say(
                    "The newest {shown} of {n} days; the file has all of them.",
                    shown=formats.number(len(shown), language),
                    n=formats.number(len(analysis.facts), language),
                ),
                className="card-note",
            ),
            html.Div(
                html.Table(
                    [
                        html.Thead(html.Tr([html.Th(each, scope="col") for each in head])),
                        html.Tbody(rows),
                    ],
                    className="days-table",
                ),
                className="days-scroll",
                tabIndex="0",
                role="region",
                **{"aria-label": title},
            ),
        ],
    )


def _origin(analysis: Analysis, say: Words) -> Component:
    """Where value and target are from, and the records behind them."""
    kpi, detail, language = analysis.kpi, analysis.detail, say.language
    names = [each.source for each in detail.sources] or [each.source for each in detail.records]
    listed = []
    for name in dict.fromkeys(names):
        source = analysis.city.sources.get(name)
        if source is None:
            continue
        line = next((each for each in detail.sources if each.source == name), None)
        age = (
            ""
            if line is None or line.age_s is None
            else f" · {say('heard {age} ago', age=_age_text(timedelta(seconds=line.age_s), say))}"
        )
        simulated = f" · {say('simulated')}" if source.simulated else ""
        links = [
            html.A(say("records (API)"), href=each.api)
            for each in detail.records
            if each.source == name
        ]
        listed.append(
            html.Li(
                [
                    html.A(source.name, href=f"/sources?lang={language}#{name}"),
                    f"{age}{simulated} ",
                    *links,
                ]
            )
        )
    published = kpi.target_source or say("published nowhere")
    if kpi.simulated_target:
        published = f"{published} ({say('simulated')})" if kpi.target_source else say("simulated")
    curve = kpi.target.curve if kpi.target else None
    return html.Section(
        [
            html.Div([html.H2(say("Where it comes from"))], className="card-head"),
            html.Ul(listed, className="origin") if listed else None,
            html.P(say("Target: {source}", source=published), className="card-note"),
            html.P(say("Curve of the year: {source}", source=curve.source), className="card-note")
            if curve
            else None,
            html.P(
                html.A(say("The same for programs (API)"), href=f"/api/v1/kpis/{kpi.id}"),
                className="card-note",
            ),
        ],
        className="tile card",
    )


# --- small parts ---------------------------------------------------------------------------------


def _card(title: str, analysis: Analysis, say: Words, children: Sequence[Component]) -> Component:
    """A framed section with the date of its data; stale data is marked in each."""
    value = analysis.value
    stale = _is_stale(analysis)
    return html.Section(
        [
            html.Div(
                [
                    html.H2(title),
                    html.Span(
                        _freshness(value, analysis.city.timezone, say),
                        className="age",
                        **{"data-health": "stale" if stale else "fresh"}
                        if value.observed_at
                        else {"data-health": "never"},
                    ),
                ],
                className="card-head",
            ),
            *children,
        ],
        className="tile card",
    )


def _freshness(value: KpiValue, zone: ZoneInfo, say: Words) -> str:
    if value.observed_at is None:
        return say("No data")
    told = say("data as of {time}", time=formats.moment(value.observed_at, say.language, zone))
    return f"{say('stale')} · {told}" if value.grey is Grey.STALE else told


def _is_stale(analysis: Analysis) -> bool:
    return analysis.value.grey is Grey.STALE


def _graph(name: str, figure: Figure, say: Words, title: str, *, quiet: bool = False) -> Component:
    return html.Figure(
        dcc.Graph(
            id=f"analysis-{name}",
            figure=figure,
            config=axes.quiet(say) if quiet else axes.config(say),
            responsive=True,
            style={"height": f"{figure.layout.height}px"},
        ),
        className="chart",
        **{"aria-label": title},
    )


def _within(points: Sequence[TrendPoint], days: int) -> list[TrendPoint]:
    if not points:
        return []
    first = points[-1].day - timedelta(days=days - 1)
    return [each for each in points if each.day >= first]


def _exact(value: float, language: str) -> str:
    return formats.number(value, language, 2)


def _plain(text: str) -> str:
    """Text that was made for a figure, as it is for a page, which escapes by itself."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _age_text(age: timedelta | None, say: Words) -> str:
    if age is None:
        return formats.MISSING
    hours = age.total_seconds() / 3600
    if hours < 1:
        return say("{n} min", n=int(hours * 60))
    if hours < 48:
        return say("{n} h", n=int(hours))
    return say("{n} d", n=int(hours // 24))


def first_day(choice: Choice, last: date) -> date:
    """The first day of the range that ends on `last`."""
    return last - timedelta(days=choice.days - 1)


def read_at(moment: datetime, zone: ZoneInfo, say: Words) -> str:
    """When what is shown was read."""
    return say("read at {time}", time=formats.clock(moment, say.language, zone))
